/// A coupling layer whose elements go through monotonic rational-quadratic splines.
///
/// `splineCoupling`, P = 3·bins − 1 (see `CouplingKind`; Durkan et al. 2019, eqs. 4–8), n = bins,
/// B = bound:
///
///     w = 2B·(0.001 + (1 − 0.001·n)·softmax(θ[i, 0:n]))            bin widths
///     h = 2B·(0.001 + (1 − 0.001·n)·softmax(θ[i, n:2n]))           bin heights
///     δ_j = 0.001 + softplus(θ[i, 2n+j−1] + c), j = 1 … n−1         slopes at the inner knots
///     δ_0 = δ_n = 1;  c = ln(e^0.999 − 1), so that θ = 0 is the identity
///     X_j = −B + Σ_{m<j} w_m;  Y_j = −B + Σ_{m<j} h_m               knots
///
/// For −B ≤ x ≤ B in bin j (X_j ≤ x), ξ = (x − X_j)/w_j, s = h_j/w_j, q = ξ(1−ξ):
///
///     D  = s + (δ_j + δ_{j+1} − 2s)·q
///     y  = Y_j + h_j·(s·ξ² + δ_j·q)/D
///     y' = s²·(δ_{j+1}·ξ² + 2s·q + δ_j·(1−ξ)²)/D²,   ℓ = Σ ln y'
///
/// and y = x, y' = 1 for |x| > B.
public struct SplineCoupling: CouplingKind {
  static let operation = "splineCoupling"

  /// Number of bins, 2 ... 64.
  public var bins: Int
  /// The spline acts on [−bound, bound]; outside it is the identity. Standardized units.
  public var bound: Float
  /// Widths of the conditioner's hidden layers.
  public var hidden: [Int]
  public var transforms: CouplingHalf

  public init(
    bins: Int = 8, bound: Float = 4, hidden: [Int] = [128, 128], transforms: CouplingHalf
  ) {
    self.bins = bins
    self.bound = bound
    self.hidden = hidden
    self.transforms = transforms
  }

  var parametersPerElement: Int { 3 * bins - 1 }

  var transformFault: String? {
    if !(2...64 ~= bins) { return "bins = \(bins), expected 2 ... 64" }
    return bound > 0 && bound <= 1000 ? nil : "bound = \(bound), expected a number in (0, 1000]"
  }

  func makeTransform(elements: Int, columns: Int) -> any ElementwiseTransform {
    SplineTransform(bins: bins, bound: bound, elements: elements, columns: columns)
  }
}
