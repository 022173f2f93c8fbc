import Numerics
import CLAPACK
import Maps
import Operators

/// The likelihood of all differences between the used pixels, exact: y = μ1 + n, n ~ N(0, C), μ free.
///
/// Integrating μ out under a flat prior, or taking differences (restricted maximum likelihood;
/// Patterson & Thompson 1971), leaves with Q = C⁻¹ − C⁻¹1 1ᵀC⁻¹ / 1ᵀC⁻¹1 and C_b = ∂C/∂θ_b
///
///     s_b = ½ Σ_pictures (Qy)ᵀ C_b (Qy) − ½ N tr(Q C_b),   F_bc = ½ N tr(Q C_b Q C_c).
///
/// The zero frequency adds a multiple of 1 1ᵀ to C, which Q takes away.
struct DenseSpectrumScore: SpectrumScore {
  private let height: Int
  private let width: Int
  /// Used cells, row-major indices.
  private let cells: [Int]
  /// y of each picture, its mean taken away for the sake of rounding.
  private let data: [[Double]]
  private let plan: RealFourierPlan

  init(pictures: [[Double]], height: Int, width: Int, cells: [Int]) throws(PlanError) {
    try DenseNoise.checkDimension(cells.count)
    self.height = height
    self.width = width
    self.cells = cells
    plan = try RealFourierPlan(height: height, width: width)
    data = pictures.map { picture in
      let mean = cells.reduce(0.0) { $0 + picture[$1] } / Double(cells.count)
      return cells.map { picture[$0] - mean }
    }
  }

  func evaluate(
    power: [Double], hats: [[Double]]
  ) throws(PlanError) -> (score: [Double], information: [Double]) {
    let (n, bins) = (cells.count, hats.count)
    let projected = try projectedInverse(matrix(power))
    let whitened = data.map { y in
      (0..<n).map { row in
        (0..<n).reduce(0.0) { $0 + projected[row * n + $1] * y[$1] }
      }
    }
    let count = Double(data.count)
    var score = [Double](repeating: 0, count: bins)
    // Q C_b, and its transpose for the traces of products.
    var products: [[Double]] = []
    var information = [Double](repeating: 0, count: bins * bins)
    for bin in 0..<bins {
      let derivative = matrix(zip(hats[bin], power).map { $0 * $1 })
      for u in whitened {
        for row in 0..<n {
          var sum = 0.0
          for column in 0..<n { sum += derivative[row * n + column] * u[column] }
          score[bin] += 0.5 * u[row] * sum
        }
      }
      var product = [Double](repeating: 0, count: n * n)
      let size = Int32(n)
      cblas_dgemm(
        CblasRowMajor, CblasNoTrans, CblasNoTrans, size, size, size, 1, projected, size,
        derivative, size, 0, &product, size)
      var trace = 0.0
      for index in 0..<n { trace += product[index * n + index] }
      score[bin] -= 0.5 * count * trace
      products.append(product)
      var transposed = [Double](repeating: 0, count: n * n)
      for row in 0..<n {
        for column in 0..<n { transposed[column * n + row] = product[row * n + column] }
      }
      for other in 0...bin {
        let value = 0.5 * count * cblas_ddot(Int32(n * n), transposed, 1, products[other], 1)
        information[bin * bins + other] = value
        information[other * bins + bin] = value
      }
    }
    return (score, information)
  }

  func covariance(
    power: [Double], hats: [[Double]], inverse: [Double]
  ) throws(PlanError) -> [Double] { inverse }

  /// The covariance of the used cells under an even H×W spectrum.
  private func matrix(_ power: [Double]) -> [Double] {
    let lags = plan.autocovariance(power)
    let n = cells.count
    var matrix = [Double](repeating: 0, count: n * n)
    for (i, a) in cells.enumerated() {
      for j in 0...i {
        let b = cells[j]
        let row = (a / width - b / width + height) % height
        let column = (a % width - b % width + width) % width
        matrix[i * n + j] = lags[row * width + column]
        matrix[j * n + i] = lags[row * width + column]
      }
    }
    return matrix
  }

  /// Q of a covariance C.
  private func projectedInverse(_ covariance: [Double]) throws(PlanError) -> [Double] {
    let n = cells.count
    guard
      var inverse = CholeskyFactor(covariance, dimension: n, pivotFloor: 0x1p-46)?.inverse
    else {
      throw .unusable("the covariance of the used pixels is singular: give fewer bins")
    }
    let sums = (0..<n).map { row in
      (0..<n).reduce(0.0) { $0 + inverse[row * n + $1] }
    }
    let total = sums.reduce(0, +)
    for row in 0..<n {
      for column in 0..<n { inverse[row * n + column] -= sums[row] * sums[column] / total }
    }
    return inverse
  }
}
