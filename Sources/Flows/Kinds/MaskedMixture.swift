/// A masked layer where each coordinate, given the ones before, is a mixture of M Gaussians: y_i is the
/// normal quantile of its distribution function, so that a density of any shape becomes N(0, 1).
///
/// `maskedMixture`, M = `components`, P = 3·M (see `MaskedKind`), for m = 0 … M − 1:
///
///     w_m = softmax(θ_i[0 ..< M])_m,   μ_m = θ_i[M + m],   ln s_m = B·tanh(θ_i[2·M + m]/B),   B = 3
///     F(x) = Σ_m w_m Φ((x − μ_m)/s_m),   p(x) = Σ_m w_m φ((x − μ_m)/s_m)/s_m
///     y_i = Φ⁻¹(F(x_i)),   ℓ = Σ_i [ln p(x_i) − ln φ(y_i)]
///
/// With N = `networks` above 1 the density of each coordinate is the mean of those that N networks give, a
/// mixture of N·M Gaussians with the weights w_m/N. In training with dropout each item goes through one of
/// the networks alone, so that each learns the density by itself, and their mean is better than each.
///
/// φ and Φ are the density and the distribution function of N(0, 1). The scales lie in e^±3, in units of
/// the layer's input. Fresh, all coordinates alike: equal weights, means evenly over [−1.5, 1.5],
/// s = e^−0.3.
public struct MaskedMixture: MaskedKind {
  static let operation = "maskedMixture"

  public var width: Int
  public var blocks: Int
  /// M, the number of Gaussians of each coordinate, 1 ... 64.
  public var components: Int
  /// N, 1 ... 8.
  public var networks: Int

  public init(width: Int = 512, blocks: Int = 1, components: Int = 8, networks: Int = 1) {
    self.width = width
    self.blocks = blocks
    self.components = components
    self.networks = networks
  }

  var parametersPerElement: Int { 3 * components }
  /// Places, two kinds of responsibilities, and four for an element.
  var transformNumbers: Int { 3 * networks * components + 4 }

  var freshElement: [Float] {
    let steps = max(components - 1, 1)
    return [Float](repeating: 0, count: components)
      + (0..<components).map { components == 1 ? 0 : -1.5 + 3 * Float($0) / Float(steps) }
      + [Float](repeating: -0.3, count: components)
  }

  var transformFault: String? {
    if !(1...8 ~= networks) { return "networks = \(networks), expected 1 ... 8" }
    return 1...64 ~= components ? nil : "components = \(components), expected 1 ... 64"
  }

  func makeTransform(networks: Int, elements: Int, columns: Int) -> any ElementwiseTransform {
    MixtureTransform(
      networks: networks, components: components, elements: elements, columns: columns)
  }
}
