import CLAPACK
import Probability
import Workers

/// The second-order expansion of a log density about a position, from differences of its gradient in
/// the whitened coordinates ξ = L⁻¹ (x − x₀) of a guess Σ₀ = L Lᵀ of the covariance.
///
///     column j of Lᵀ H L = Lᵀ (∇ ln p(x₀ + h L e_j) − ∇ ln p(x₀ − h L e_j))/(2 h),   made symmetric
///
/// In ξ a posterior whose covariance is near Σ₀ has −H near I however different its widths are, so one
/// step suits all directions, where raw coordinates ask for one each.
public struct Hessian: Sendable {
  /// h, in standard deviations of the guess.
  ///
  /// The error of an element is e/(√2 h) + M h²/6, with e the noise of a gradient component and M the
  /// fourth derivative of ln p, both in ξ. A density that computes in single precision has e ≈ 10⁻⁶
  /// times the size of the terms that cancel at a mode, about ten in whitened units; M is a fraction of
  /// one where the curvature changes by tens of percent within one deviation. The minimum is at
  /// h = (3 e/(√2 M))^⅓ ≈ 0.03…0.06 for e = 10⁻⁵; errors at 0.04 are 2 · 10⁻⁴ + 10⁻⁴.
  public static let step = 0.04

  /// x₀, D.
  public let position: [Double]
  /// ln p(x₀), nats.
  public let logDensity: Double
  /// ∇ ln p(x₀), D.
  public let gradient: [Double]
  /// The guess.
  public let metric: DenseMetric
  /// −Lᵀ H L, D × D, symmetric: the precision in units of the guess's.
  public let whitenedPrecision: [Double]
  /// The largest difference between transposed elements before they were averaged: the size of their
  /// errors.
  public let asymmetry: Double

  /// H = ∂² ln p/∂x∂xᵀ at x₀, D × D: −L⁻ᵀ A L⁻¹ with A = −Lᵀ H L.
  public var elements: [Double] {
    let d = metric.dimension
    var result = whitenedPrecision.map { -$0 }
    let size = Int32(d)
    // L⁻ᵀ B from the left, then · L⁻¹ from the right.
    for (side, transpose) in [(CblasLeft, CblasTrans), (CblasRight, CblasNoTrans)] {
      cblas_dtrsm(
        CblasRowMajor, side, CblasLower, transpose, CblasNonUnit, size, size, 1,
        metric.choleskyFactor, size, &result, size)
    }
    return result
  }

  /// The eigenvalues of −Lᵀ H L, smallest first: 1 where the guess is right, negative where ln p curves
  /// upwards. O(D³).
  public var whitenedEigenvalues: [Double] {
    var matrix = whitenedPrecision
    var eigenvalues = gradient
    let size = Int32(metric.dimension)
    let status = LAPACKE_dsyev(
      LAPACK_COL_MAJOR, CChar(UInt8(ascii: "N")), CChar(UInt8(ascii: "U")), size, &matrix, size,
      &eigenvalues)
    precondition(status == 0, "eigenvalues of a finite symmetric matrix converge")
    return eigenvalues
  }
}

/// A position to expand about, and the guess of the covariance there.
package struct ExpansionPoint: Sendable {
  /// Index among the density's problems.
  package let problem: Int
  /// D.
  package let position: [Double]
  package let metric: DenseMetric

  /// - Precondition: the metric has the position's dimension.
  package init(problem: Int = 0, position: [Double], metric: DenseMetric) {
    precondition(position.count == metric.dimension)
    self.problem = problem
    self.position = position
    self.metric = metric
  }
}

/// The Hessians at all points together, 2 D + 1 gradients each; nil where the density is not finite at
/// one of them. `step` as in `Hessian.step`.
///
/// Throws what `makeEvaluator` throws.
package func hessians(
  of density: any LogDensity, at points: [ExpansionPoint], step: Double = Hessian.step,
  lanesPerBlock: Int? = nil, pool: WorkerPool
) throws -> [Hessian?] {
  precondition(step > 0 && points.allSatisfy { $0.position.count == density.dimension })
  let d = density.dimension
  // Position 0 is the point itself, 1 + 2 j and 2 + 2 j are ±h along column j of L.
  let sets = points.map { point in
    PointSet(
      problem: point.problem,
      positions: point.position
        + (0..<2 * d).flatMap { k in
          (0..<d).map { i in
            let shift = step * point.metric.choleskyFactor[i * d + k / 2]
            return point.position[i] + (k.isMultiple(of: 2) ? shift : -shift)
          }
        })
  }
  var values = points.map { _ in [Double](repeating: 0, count: 2 * d + 1) }
  var gradients = points.map { _ in [[Double]](repeating: [], count: 2 * d + 1) }
  try evaluate(density, at: sets, lanesPerBlock: lanesPerBlock, pool: pool) { set, index, state in
    values[set][index] = state.logDensity
    gradients[set][index] = state.gradient
  }
  return points.indices.map { index in
    guard values[index].allSatisfy(\.isFinite) else { return nil }
    return Hessian(
      points[index], logDensity: values[index][0], gradients: gradients[index], step: step)
  }
}

extension Hessian {
  /// `gradients` in the order of `hessians`.
  fileprivate init(
    _ point: ExpansionPoint, logDensity: Double, gradients: [[Double]], step: Double
  ) {
    let d = point.position.count
    var precision = [Double](repeating: 0, count: d * d)
    for j in 0..<d {
      let difference = zip(gradients[1 + 2 * j], gradients[2 + 2 * j]).map { $0 - $1 }
      let column = point.metric.whitenedGradient(difference)
      for i in 0..<d { precision[i * d + j] = -column[i] / (2 * step) }
    }
    var asymmetry = 0.0
    for i in 0..<d {
      for j in 0..<i {
        let (lower, upper) = (precision[i * d + j], precision[j * d + i])
        asymmetry = max(asymmetry, abs(lower - upper))
        precision[i * d + j] = (lower + upper) / 2
        precision[j * d + i] = precision[i * d + j]
      }
    }
    self.init(
      position: point.position, logDensity: logDensity, gradient: gradients[0],
      metric: point.metric, whitenedPrecision: precision, asymmetry: asymmetry)
  }
}
