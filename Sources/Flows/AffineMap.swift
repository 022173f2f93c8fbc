import Networks
import Numerics
import Tensors

/// x ↦ M x + b in double precision, with ln|det M|.
struct AffineMap {
  let dimension: Int
  /// M, row-major.
  private(set) var matrix: [Double]
  private(set) var offset: [Double]
  private(set) var logDeterminant = 0.0

  /// `matrix`: [K, K], row-major.
  init(matrix: [Double], offset: [Double], logDeterminant: Double) {
    dimension = offset.count
    self.matrix = matrix
    self.offset = offset
    self.logDeterminant = logDeterminant
  }

  /// The inverse of a map, given the inverse of its matrix.
  init(inverseMatrix: [Double], of forward: AffineMap) {
    self.init(
      matrix: inverseMatrix, offset: [Double](repeating: 0, count: forward.dimension),
      logDeterminant: -forward.logDeterminant)
    offset = applied(forward.offset.map { -$0 })
  }

  /// M x + b.
  private func applied(_ x: [Double]) -> [Double] {
    (0..<dimension).map { row in
      (0..<dimension).reduce(offset[row]) { $0 + matrix[row * dimension + $1] * x[$1] }
    }
  }

  /// First this map, then `next`.
  func followed(by next: AffineMap) -> AffineMap {
    var result = self
    for row in 0..<dimension {
      for column in 0..<dimension {
        var sum = 0.0
        for inner in 0..<dimension {
          sum += next.matrix[row * dimension + inner] * matrix[inner * dimension + column]
        }
        result.matrix[row * dimension + column] = sum
      }
    }
    result.offset = next.applied(offset)
    result.logDeterminant += next.logDeterminant
    return result
  }
}

/// An affine map as the kernels read it; immutable.
final class PackedAffineMap: PackedFlowLayer, @unchecked Sendable {
  let dimension: Int
  /// M and Mᵀ.
  let forward: PackedMatrix
  let adjoint: PackedMatrix
  let offset: FloatBuffer
  let logDeterminant: Float

  init(_ map: AffineMap) {
    dimension = map.dimension
    let matrix = FloatBuffer(map.matrix.map { Float($0) })
    forward = PackedMatrix(matrix.pointer, rows: dimension, inner: dimension)
    adjoint = PackedMatrix(
      matrix.pointer, rows: dimension, inner: dimension, orientation: .transposed)
    offset = FloatBuffer(map.offset.map { Float($0) })
    logDeterminant = Float(map.logDeterminant)
  }

  func makeNormalizing(columns: Int, lanes: Int) -> any NormalizingLayer {
    FixedLinearLayer(self, columns: columns, lanes: lanes)
  }

  func makeGenerating(columns: Int, lanes: Int) -> any GeneratingLayer {
    FixedLinearLayer(self, columns: columns, lanes: lanes)
  }
}
