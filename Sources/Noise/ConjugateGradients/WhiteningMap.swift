import CLAPACK
import Foundation
import Maps
import Numerics

/// An invertible S with SᵀS ≈ N⁻¹ for N = N₀ + U Uᵀ, where G is the sparse factor of N₀⁻¹ and U has
/// R columns:
///
///     S = (I + V Vᵀ)^(−½) G,   V = G U = Q Λ^½ Eᵀ,   (I + V Vᵀ)^a = I + Q ((1 + Λ)^a − 1) Qᵀ
///
/// Q (D×R) has orthonormal columns. Costs what G costs, plus 4·D·R.
struct WhiteningMap: Sendable {
  let factor: InverseFactor
  /// λ, the R eigenvalues of VᵀV that are not zero to rounding.
  let eigenvalues: [Double]
  /// Q, R×D row-major.
  let directions: [Double]
  var dimension: Int { factor.dimension }

  /// - Parameter columns: U, R×D row-major (one column after another), intensity.
  init(_ factor: InverseFactor, columns: [Double]) throws(PlanError) {
    self.factor = factor
    let dimension = factor.dimension
    let rank = columns.count / dimension
    var white = columns
    var gram = [Double](repeating: 0, count: rank * rank)
    var eigenvalues = [Double](repeating: 0, count: rank)
    guard rank > 0 else {
      (self.eigenvalues, directions) = ([], [])
      return
    }
    columns.withUnsafeBufferPointer { columns in
      white.withUnsafeMutableBufferPointer { white in
        for index in 0..<rank {
          factor.apply(
            columns.baseAddress! + index * dimension, into: white.baseAddress! + index * dimension)
        }
        for a in 0..<rank {
          for b in 0..<rank {
            gram[a * rank + b] = VectorKernels.dot(
              white.baseAddress! + a * dimension, white.baseAddress! + b * dimension, dimension)
          }
        }
      }
    }
    let status = LAPACKE_dsyev(
      LAPACK_COL_MAJOR, 0x56 /* V */, 0x55 /* U */, Int32(rank), &gram, Int32(rank), &eigenvalues)
    guard status == 0 else { throw .library("LAPACK dsyev", "status \(status)") }
    // An eigenvalue this far below the largest is rounding, and its direction is not orthogonal.
    let kept = (0..<rank).filter { eigenvalues[$0] > 1e-10 * eigenvalues[rank - 1] }
    var directions = [Double](repeating: 0, count: kept.count * dimension)
    directions.withUnsafeMutableBufferPointer { directions in
      white.withUnsafeBufferPointer { white in
        for (index, eigen) in kept.enumerated() {
          for column in 0..<rank {
            VectorKernels.add(
              gram[eigen * rank + column] / eigenvalues[eigen].squareRoot(),
              white.baseAddress! + column * dimension,
              to: directions.baseAddress! + index * dimension, dimension)
          }
        }
      }
    }
    self.eigenvalues = kept.map { eigenvalues[$0] }
    self.directions = directions
  }

  /// −ln det SᵀS.
  var logDeterminant: Double {
    var sum = factor.logDeterminant
    for value in eigenvalues { sum += log(1 + value) }
    return sum
  }

  /// y = S x.
  func apply(_ x: UnsafePointer<Double>, into y: UnsafeMutablePointer<Double>) {
    factor.apply(x, into: y)
    raise(y, to: -0.5)
  }

  /// y = Sᵀ x. `scratch`: D elements.
  func applyTransposed(
    _ x: UnsafePointer<Double>, into y: UnsafeMutablePointer<Double>,
    scratch: UnsafeMutablePointer<Double>
  ) {
    guard !eigenvalues.isEmpty else { return factor.applyTransposed(x, into: y) }
    scratch.update(from: x, count: dimension)
    raise(scratch, to: -0.5)
    factor.applyTransposed(scratch, into: y)
  }

  /// y = SᵀS x; returns ‖S x‖². `scratch`: D elements.
  func applyNormal(
    _ x: UnsafePointer<Double>, into y: UnsafeMutablePointer<Double>,
    scratch: UnsafeMutablePointer<Double>
  ) -> Double {
    guard !eigenvalues.isEmpty else { return factor.applyNormal(x, into: y) }
    apply(x, into: scratch)
    let square = VectorKernels.dot(scratch, scratch, dimension)
    raise(scratch, to: -0.5)
    factor.applyTransposed(scratch, into: y)
    return square
  }

  /// x = S⁻¹ y, destroying y.
  func solve(_ y: UnsafeMutablePointer<Double>, into x: UnsafeMutablePointer<Double>) {
    raise(y, to: 0.5)
    factor.solve(y, into: x)
  }

  /// x ← (I + V Vᵀ)^power x.
  private func raise(_ x: UnsafeMutablePointer<Double>, to power: Double) {
    directions.withUnsafeBufferPointer { directions in
      for (index, value) in eigenvalues.enumerated() {
        let direction = directions.baseAddress! + index * dimension
        let amount = VectorKernels.dot(direction, x, dimension)
        VectorKernels.add((pow(1 + value, power) - 1) * amount, direction, to: x, dimension)
      }
    }
  }
}
