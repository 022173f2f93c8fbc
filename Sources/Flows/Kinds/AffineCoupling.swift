/// A coupling layer whose elements are scaled and shifted (RealNVP, Dinh et al. 2017, eq. 7).
///
/// `affineCoupling`, P = 2 (see `CouplingKind`): s_i = m·tanh(θ[i,0]/m) with m = `maxLogScale`,
/// t_i = θ[i,1]; y_i = x_i·e^s_i + t_i, ℓ = Σ s_i.
public struct AffineCoupling: CouplingKind {
  static let operation = "affineCoupling"

  /// Widths of the conditioner's hidden layers.
  public var hidden: [Int]
  public var transforms: CouplingHalf
  /// Bound of |ln scale|.
  public var maxLogScale: Float

  public init(hidden: [Int] = [128, 128], transforms: CouplingHalf, maxLogScale: Float = 3) {
    self.hidden = hidden
    self.transforms = transforms
    self.maxLogScale = maxLogScale
  }

  var parametersPerElement: Int { 2 }

  var transformFault: String? {
    maxLogScale > 0 && maxLogScale <= 20
      ? nil : "maxLogScale = \(maxLogScale), expected a number in (0, 20]"
  }

  func makeTransform(elements: Int, columns: Int) -> any ElementwiseTransform {
    AffineTransform(maxLogScale: maxLogScale, elements: elements, columns: columns)
  }
}
