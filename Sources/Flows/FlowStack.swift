import Maps
import Tensors

/// All layers of a flow in the normalizing direction on `lanes` items, for whoever brings the
/// parameters: a plan with fixed ones, or training with new ones each step. Owns its buffers.
final class FlowStack {
  let dimension: Int
  let lanes: Int
  let columns: Int
  private let layers: [any NormalizingLayer]
  /// values[i] is the input of layer i, values[n] = u; [K, columns] each.
  private let values: [FloatBuffer]
  /// ln|det ∂u/∂z| of each column.
  let logDeterminants: FloatBuffer
  /// The cotangent, from du to dz; [K, columns].
  let cotangent: FloatBuffer
  let dLogDeterminants: FloatBuffer

  /// `packed`: the weights when they never change; those given to `apply` must be the same.
  init(_ layout: FlowLayout, lanes: Int, packed: PackedFlow? = nil) throws(PlanError) {
    try layout.checkSize(lanes: lanes)
    dimension = layout.dimension
    self.lanes = lanes
    columns = paddedColumns(lanes)
    let size = dimension * columns
    let columns = self.columns
    layers =
      packed?.normalizing.map { $0.makeNormalizing(columns: columns, lanes: lanes) }
      ?? layout.placed.map { $0.makeTrainingLayer(columns: columns, lanes: lanes) }
    values = (0...layers.count).map { _ in FloatBuffer(size) }
    logDeterminants = FloatBuffer(columns)
    cotangent = FloatBuffer(size)
    dLogDeterminants = FloatBuffer(columns)
  }

  /// u, [K, columns].
  var base: FloatBuffer { values[layers.count] }

  /// u = f(z) for rows `z`, lanes × K.
  func apply(_ z: Span<Float>, parameters: UnsafePointer<Float>, masks: DropoutMasks?) {
    scatter(z, lanes: lanes, width: dimension, columns: columns, into: values[0].pointer)
    logDeterminants.pointer.update(repeating: 0, count: columns)
    for (index, layer) in layers.enumerated() {
      layer.normalize(
        values[index].pointer, into: values[index + 1].pointer,
        logDeterminants: logDeterminants.pointer, parameters: parameters, masks: masks)
    }
  }

  /// Turns `cotangent` from du into dz, with `dLogDeterminants`, at the latest `apply`.
  func vjp(parameters: UnsafePointer<Float>, gradient: UnsafeMutablePointer<Float>?) {
    for (index, layer) in layers.enumerated().reversed() {
      layer.normalizeVJP(
        cotangent.pointer, dLogDeterminants.pointer, at: values[index].pointer,
        parameters: parameters, gradient: gradient)
    }
  }
}

extension FlowLayout {
  /// - Throws: `tooLarge` when a plan for `lanes` items would need more than 2³³ numbers.
  /// - Precondition: `lanes` ≥ 1.
  func checkSize(lanes: Int) throws(PlanError) {
    precondition(lanes >= 1, "a plan needs at least one lane")
    // A lane holds at most 8 numbers for each coordinate of a layer besides what the layers say.
    let perLane = placed.reduce(8 * dimension * (layers.count + 1)) { $0 + $1.numbersPerLane }
    guard lanes <= (1 << 33) / perLane else {
      throw .tooLarge("\(lanes) lanes of a flow with \(perLane) numbers a lane")
    }
  }
}
