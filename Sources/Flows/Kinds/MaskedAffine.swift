/// A masked layer whose elements are scaled and shifted (MAF, Papamakarios et al. 2017, eqs. 3–4).
///
/// `maskedAffine`, P = 2 (see `MaskedKind`): s_i = m·tanh(θ_i[0]/m) with m = `maxLogScale`, t_i = θ_i[1];
/// y_i = x_i·e^s_i + t_i, ℓ = Σ s_i. Fresh, the identity.
public struct MaskedAffine: MaskedKind {
  static let operation = "maskedAffine"

  public var width: Int
  public var blocks: Int
  /// Bound of |ln scale|.
  public var maxLogScale: Float

  public init(width: Int = 512, blocks: Int = 1, maxLogScale: Float = 2) {
    self.width = width
    self.blocks = blocks
    self.maxLogScale = maxLogScale
  }

  var networks: Int { 1 }
  var parametersPerElement: Int { 2 }
  var freshElement: [Float] { [0, 0] }
  var transformNumbers: Int { 3 }

  var transformFault: String? {
    maxLogScale > 0 && maxLogScale <= 20
      ? nil : "maxLogScale = \(maxLogScale), expected a number in (0, 20]"
  }

  func makeTransform(networks: Int, elements: Int, columns: Int) -> any ElementwiseTransform {
    AffineTransform(maxLogScale: maxLogScale, elements: elements, columns: columns)
  }
}
