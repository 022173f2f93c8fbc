import Numerics
import Tensors

/// y = M x + offset with a constant ln|det|: neighbouring linear layers of a flow whose parameters do
/// not change, multiplied out, in the normalizing or in the generating direction.
final class FixedLinearLayer: NormalizingLayer, GeneratingLayer {
  private let columns: Int
  private let lanes: Int
  private let map: PackedAffineMap
  private let scratch: FloatBuffer

  init(_ map: PackedAffineMap, columns: Int, lanes: Int) {
    self.columns = columns
    self.lanes = lanes
    self.map = map
    scratch = FloatBuffer(map.dimension * columns)
  }

  func normalize(
    _ x: UnsafePointer<Float>, into y: UnsafeMutablePointer<Float>,
    logDeterminants: UnsafeMutablePointer<Float>, parameters: UnsafePointer<Float>,
    masks: DropoutMasks?
  ) {
    map.forward.multiply(
      x, columns: columns, lanes: lanes, from: .bias(map.offset.pointer), into: y)
    for column in 0..<columns { logDeterminants[column] += map.logDeterminant }
  }

  func normalizeVJP(
    _ cotangent: UnsafeMutablePointer<Float>, _ dLogDeterminants: UnsafePointer<Float>,
    at x: UnsafePointer<Float>, parameters: UnsafePointer<Float>,
    gradient: UnsafeMutablePointer<Float>?
  ) {
    generateVJP(cotangent, parameters: parameters)
  }

  func generate(_ values: UnsafeMutablePointer<Float>, parameters: UnsafePointer<Float>) {
    scratch.pointer.update(from: values, count: scratch.count)
    map.forward.multiply(
      scratch.pointer, columns: columns, lanes: lanes, from: .bias(map.offset.pointer), into: values
    )
  }

  func generateVJP(_ cotangent: UnsafeMutablePointer<Float>, parameters: UnsafePointer<Float>) {
    scratch.pointer.update(from: cotangent, count: scratch.count)
    map.adjoint.multiply(scratch.pointer, columns: columns, lanes: lanes, into: cotangent)
  }
}
