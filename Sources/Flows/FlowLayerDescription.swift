/// Which half of the coordinates a coupling layer transforms; the other half passes unchanged and
/// sets the parameters. The first half is coordinates 0 ..< ⌊K/2⌋, the second the rest.
public enum CouplingHalf: String, Codable, Sendable, Equatable {
  case first, second
}

/// A coupling layer whose elements go through monotonic rational-quadratic splines.
public struct SplineCoupling: Codable, Sendable, Equatable {
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
}

/// A coupling layer whose elements are scaled and shifted (RealNVP, Dinh et al. 2017, eq. 7).
public struct AffineCoupling: Codable, Sendable, Equatable {
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
}

/// A layer that bends the code along a few orthonormal directions, each by a monotonic
/// rational-quadratic spline of its own (Dai and Seljak 2021, eqs. 9–11).
public struct SlicedSpline: Codable, Sendable, Equatable {
  /// r, the number of directions, 1 ... K.
  public var directions: Int
  /// Number of bins of each spline, 2 ... 64.
  public var bins: Int

  public init(directions: Int, bins: Int = 16) {
    self.directions = directions
    self.bins = bins
  }
}

/// One layer y = f(x) of a flow, in the direction from codes to base variables. Layer i of the list
/// reads the tensors `flow.{i}.…`, all Float32, row-major. K is the dimension, ℓ = ln|det ∂y/∂x|.
///
/// | op | formula | tensors |
/// | --- | --- | --- |
/// | `affine` | y = (x − mean)·e^logScale, ℓ = Σ logScale | `mean`, `logScale` [K] |
/// | `luLinear` | y = L U x + bias, ℓ = Σ logDiagonal | `lower`, `upper` [K, K], `logDiagonal`, `bias` [K] |
/// | `permutation` | y_j = x_order[j], ℓ = 0 | none |
/// | `splineCoupling`, `affineCoupling` | below | `conditioner.{j}.weight` [out, in], `conditioner.{j}.bias` [out] |
///
/// | `slicedSpline` | y = x + Aᵀ(ψ(A x) − A x), ℓ = Σ_k ln ψ_k'((A x)_k), below | `directions` [r, K], `knots`, `values`, `slopes` [r, bins + 1] |
///
/// `luLinear`: L = I + the part of `lower` strictly below the diagonal; U = diag(e^logDiagonal) +
/// the part of `upper` strictly above it. The other entries are never read.
///
/// Couplings: x = (a, b), a = x[0 ..< ⌊K/2⌋], b the rest. `"transforms": "second"` gives
/// y = (a, t(b; θ(a))), `"first"` gives y = (t(a; θ(b)), b). With input c, θ(c) is
///
///     h_0 = silu(W_0 c + b_0)
///     h_j = silu(W_j h_{j−1} + b_j) + (h_{j−1} if hidden[j] = hidden[j−1], else 0),  j ≥ 1
///     θ   = W_n h_{n−1} + b_n,       n = number of hidden layers (θ = W_0 c + b_0 when n = 0)
///
/// with silu(a) = a/(1 + e^−a), W_j = `conditioner.{j}.weight`. θ is reshaped to [d, P]: element i
/// of the transformed half, of size d, has the P numbers θ[i, :].
///
/// `affineCoupling`, P = 2: s_i = m·tanh(θ[i,0]/m) with m = `maxLogScale`, t_i = θ[i,1];
/// y_i = x_i·e^s_i + t_i, ℓ = Σ s_i.
///
/// `splineCoupling`, P = 3·bins − 1 (Durkan et al. 2019, eqs. 4–8), n = bins, B = bound:
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
///
/// `slicedSpline`, r = `directions`, n = bins: A [r, K] is `directions` with its rows made orthonormal
/// by Gram and Schmidt, first row first; what a file holds is orthonormal within 10⁻³ already. ψ_k of
/// coordinate (A x)_k goes through the points (X_j, Y_j) = (`knots`[k, j], `values`[k, j]) with the
/// slopes δ_j = `slopes`[k, j], j = 0 … n, between them by the y and y' of above, and straight on
/// beyond the ends: y = Y_0 + δ_0·(x − X_0) for x < X_0, y = Y_n + δ_n·(x − X_n) for x > X_n.
/// Both knots and values rise by at least 10⁻⁶ from one to the next; slopes lie in [10⁻⁴, 10⁴].
/// Training by gradient descent leaves the layer alone.
public enum FlowLayerDescription: Sendable, Equatable {
  /// A fixed standardization, set from the codes; training leaves it alone.
  case affine
  case luLinear
  case permutation([Int])
  case splineCoupling(SplineCoupling)
  case affineCoupling(AffineCoupling)
  case slicedSpline(SlicedSpline)
}
