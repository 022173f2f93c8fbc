import Numerics
import CLAPACK
import Foundation

/// Σ = diag(s) + Fᵀ F fitted to second moments S by maximum likelihood, in double precision.
///
///     P, R   elements of a picture, factors
///     s      `variances`, P, each at least the floor
///     F      `factors`, R×P row-major, one factor a row
///     G      F diag(1/s)
///     M      I + G Fᵀ, R×R: the precision of a picture's R scores; Σ⁻¹ = diag(1/s) − Gᵀ M⁻¹ G
///     B      M⁻¹ G: the mean of the scores of a residual r is B r
///
/// EM as in Rubin and Thayer, Psychometrika 47 (1982), with the mean fixed at zero. Departure:
/// s has a floor. The expected log likelihood of one s_i has a single peak, so the clamped peak is the
/// maximum under the constraint and EM still never falls.
package struct FactorAnalysis: Sendable {
  package internal(set) var variances: [Double]
  package internal(set) var factors: [Double]

  /// P.
  package var dimension: Int { variances.count }
  /// R.
  package var rank: Int { factors.count / max(variances.count, 1) }

  package init(variances: [Double], factors: [Double] = []) {
    self.variances = variances
    self.factors = factors
  }

  /// The start of EM: probabilistic PCA of S scaled to a unit diagonal. With its eigenvalues λ and v the
  /// mean of those left out, a factor is √(λ_r − v) times its axis, scaled back (Tipping and Bishop,
  /// J. R. Statist. Soc. B 61, 1999, eq. 7); s is what remains of the diagonal.
  package init(_ moments: SecondMoments, axes: PrincipalAxes, rank: Int, floor: Double) {
    let size = moments.dimension
    precondition(rank <= axes.count && rank < size)
    let left = axes.trace - axes.values.prefix(rank).reduce(0, +)
    let rest = left / Double(size - rank)
    factors = []
    variances = moments.diagonal
    for axis in 0..<rank {
      let length = max(axes.values[axis] - rest, 0).squareRoot()
      for element in 0..<size {
        let value = length * axes.vectors[axis * size + element] * axes.scales[element]
        factors.append(value)
        variances[element] -= value * value
      }
    }
    variances = variances.map { max($0, floor) }
  }

  /// EM from where it stands until a step gains less than `tolerance` nats a picture.
  /// - Returns: the mean log likelihood of a picture before each step, in nats; it never falls.
  @discardableResult
  package mutating func fit(
    _ moments: SecondMoments, floor: Double, tolerance: Double, limit: Int
  ) -> [Double] {
    var values: [Double] = []
    guard rank > 0 else { return values }
    for _ in 0..<limit {
      values.append(step(moments, floor: floor))
      if values.count > 1, values[values.count - 1] - values[values.count - 2] < tolerance { break }
    }
    return values
  }

  /// One step of EM. Cost O(R P²).
  /// - Returns: the mean log likelihood before it, −½ (P ln 2π + ln|Σ| + tr Σ⁻¹S), in nats.
  mutating func step(_ moments: SecondMoments, floor: Double) -> Double {
    let (size, rank) = (dimension, rank)
    let scores = Scores(self)
    let loadings = matrixProduct(
      scores.inverse, scores.scaled, rows: rank, inner: rank, columns: size)
    // T = B S, in which S is symmetric.
    let moved = matrixProduct(loadings, moments.matrix, rows: rank, inner: size, columns: size)
    let diagonal = moments.diagonal
    // tr Σ⁻¹S = Σ S_ii/s_i − tr(M⁻¹ G S Gᵀ), and M⁻¹ G S = T.
    var trace = 0.0
    for element in 0..<size { trace += diagonal[element] / variances[element] }
    for index in moved.indices { trace -= moved[index] * scores.scaled[index] }
    let value = -0.5 * (Double(size) * log(2 * Double.pi) + scores.logDeterminant + trace)
    // Second moments of the scores, M⁻¹ + B S Bᵀ, whose inverse times T are the new factors.
    var second = matrixProductTransposed(moved, loadings, rows: rank, inner: size, columns: rank)
    for index in second.indices { second[index] += scores.inverse[index] }
    factors = matrixProduct(
      inverted(second, size: rank).inverse, moved, rows: rank, inner: rank, columns: size)
    variances = diagonal
    for index in moved.indices { variances[index % size] -= factors[index] * moved[index] }
    variances = variances.map { max($0, floor) }
    return value
  }

  /// ln N(r; 0, Σ) in nats of each of n residuals. Cost O(n R P). `rows`: n × P, row-major.
  package func logDensities(of rows: ArraySlice<Float>) -> [Double] {
    logDensities(of: rows.map { Double($0) })
  }

  /// The same of residuals in double precision.
  func logDensities(of rows: [Double]) -> [Double] {
    let constant = Double(dimension) * log(2 * Double.pi) + Scores(self).logDeterminant
    return squaredDistances(of: rows).map { -0.5 * (constant + $0) }
  }

  /// B, R×P row-major: the mean of the scores of a residual r is B r.
  var scoreWeights: [Double] {
    let scores = Scores(self)
    return matrixProduct(scores.inverse, scores.scaled, rows: rank, inner: rank, columns: dimension)
  }

  /// rᵀ Σ⁻¹ r of each of n residuals. Cost O(n R P). `rows`: n × P, row-major.
  func squaredDistances(of rows: ArraySlice<Float>) -> [Double] {
    squaredDistances(of: rows.map { Double($0) })
  }

  private func squaredDistances(of values: [Double]) -> [Double] {
    let (size, rank) = (dimension, rank)
    let count = values.count / size
    let scores = Scores(self)
    let inverses = variances.map { 1 / $0 }
    // rᵀ Σ⁻¹ r = Σ r_i²/s_i − hᵀ M⁻¹ h, h = G r.
    let projected =
      rank > 0
      ? matrixProductTransposed(values, scores.scaled, rows: count, inner: size, columns: rank) : []
    let weighted =
      rank > 0
      ? matrixProduct(projected, scores.inverse, rows: count, inner: rank, columns: rank) : []
    return (0..<count).map { row in
      var distance = 0.0
      for element in 0..<size {
        let value = values[row * size + element]
        distance += value * value * inverses[element]
      }
      for index in row * rank..<(row + 1) * rank { distance -= projected[index] * weighted[index] }
      return distance
    }
  }
}

/// The axes along which second moments, of unit diagonal or as they are, are largest.
package struct PrincipalAxes: Sendable {
  /// Largest first.
  let values: [Double]
  /// One unit vector for each value, R×P row-major.
  let vectors: [Double]
  /// √S_ii, or the floor's root where that is larger: what the axes were scaled by; else ones.
  let scales: [Double]
  /// The sum of all P eigenvalues.
  let trace: Double

  var count: Int { values.count }

  /// Of moments scaled to a unit diagonal. Cost O(P³).
  package init(_ moments: SecondMoments, count: Int, floor: Double) {
    let size = moments.dimension
    let scales = moments.diagonal.map { max($0, floor).squareRoot() }
    var matrix = moments.matrix
    for index in matrix.indices { matrix[index] /= scales[index / size] * scales[index % size] }
    self.init(matrix, scales: scales, count: count)
  }

  /// Of the moments as they are. Cost O(P³).
  package init(_ moments: SecondMoments, count: Int) {
    self.init(
      moments.matrix, scales: [Double](repeating: 1, count: moments.dimension), count: count)
  }

  /// Of (1/n) Σ r rᵀ over n rows of P > n numbers, by way of the n×n inner products. Where λ is 0 to
  /// rounding, a vector means nothing. Cost O(n² P + n³).
  /// - Parameter rows: n×P.
  package init(rows: [Double], count: Int, of pictures: Int) {
    let size = rows.count / pictures
    var products = [Double](repeating: 0, count: pictures * pictures)
    cblas_dsyrk(
      CblasRowMajor, CblasLower, CblasNoTrans, Int32(pictures), Int32(size), 1 / Double(pictures),
      rows, Int32(size), 0, &products, Int32(pictures))
    // The lower triangle by rows is the upper one by columns, the one that is read.
    let small = PrincipalAxes(
      products, scales: [Double](repeating: 1, count: pictures), count: count)
    var vectors = [Double](repeating: 0, count: count * size)
    cblas_dgemm(
      CblasRowMajor, CblasNoTrans, CblasNoTrans, Int32(count), Int32(size), Int32(pictures), 1,
      small.vectors, Int32(pictures), rows, Int32(size), 0, &vectors, Int32(size))
    for index in vectors.indices {
      let square = Double(pictures) * small.values[index / size]
      vectors[index] = square > 0 ? vectors[index] / square.squareRoot() : 0
    }
    self.init(
      values: small.values, vectors: vectors, scales: [Double](repeating: 1, count: size),
      trace: small.trace)
  }

  private init(values: [Double], vectors: [Double], scales: [Double], trace: Double) {
    (self.values, self.vectors, self.scales, self.trace) = (values, vectors, scales, trace)
  }

  private init(_ moments: [Double], scales: [Double], count: Int) {
    let size = scales.count
    precondition((1...size).contains(count))
    var matrix = moments
    self.scales = scales
    trace = (0..<size).reduce(0) { $0 + matrix[$1 * size + $1] }
    var eigenvalues = [Double](repeating: 0, count: size)
    // Column-major columns of P numbers are the rows of an R×P array.
    var eigenvectors = [Double](repeating: 0, count: size * count)
    var support = [Int32](repeating: 0, count: 2 * count)
    var found: Int32 = 0
    let order = Int32(size)
    let status = LAPACKE_dsyevr(
      LAPACK_COL_MAJOR, CChar(UInt8(ascii: "V")), CChar(UInt8(ascii: "I")),
      CChar(UInt8(ascii: "U")), order, &matrix, order, 0, 0, order - Int32(count) + 1, order, 0,
      &found, &eigenvalues, &eigenvectors, order, &support)
    precondition(status == 0 && Int(found) == count, "a finite symmetric matrix has eigenvectors")
    // LAPACK counts upwards.
    values = eigenvalues[0..<count].reversed()
    vectors = (0..<count).reversed().flatMap { eigenvectors[$0 * size..<($0 + 1) * size] }
  }
}

/// What a picture says about its factors' scores, and ln|Σ| = Σ ln s_i + ln|M|.
private struct Scores {
  /// G, R×P.
  let scaled: [Double]
  /// M⁻¹, R×R.
  let inverse: [Double]
  let logDeterminant: Double

  init(_ model: FactorAnalysis) {
    let (size, rank) = (model.dimension, model.rank)
    let logVariances = model.variances.reduce(0) { $0 + log($1) }
    guard rank > 0 else {
      (scaled, inverse, logDeterminant) = ([], [], logVariances)
      return
    }
    scaled = model.factors.indices.map { model.factors[$0] / model.variances[$0 % size] }
    var precision = matrixProductTransposed(
      scaled, model.factors, rows: rank, inner: size, columns: rank)
    for row in 0..<rank { precision[row * rank + row] += 1 }
    let result = inverted(precision, size: rank)
    inverse = result.inverse
    logDeterminant = logVariances + result.logDeterminant
  }
}

/// A⁻¹ and ln|A| of a second moment plus a covariance.
private func inverted(
  _ matrix: [Double], size: Int
) -> (inverse: [Double], logDeterminant: Double) {
  guard let factor = CholeskyFactor(matrix, dimension: size) else {
    preconditionFailure("a second moment plus a covariance is positive definite")
  }
  return (factor.inverse, factor.logDeterminant)
}
