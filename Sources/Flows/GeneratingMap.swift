import Maps
import Tensors

/// z = T(u) = f⁻¹(u) of a flow: the layers' inverses, last layer first.
struct GeneratingMap: DifferentiableMap {
  let flow: NormalizingFlow

  var domain: Shape { Shape(flow.dimension) }
  var codomain: Shape { Shape(flow.dimension) }

  func makePlan(lanes: Int) throws(PlanError) -> any MapPlan {
    try flow.plan.checkSize(lanes: lanes)
    return GeneratingPlan(flow, lanes: lanes)
  }
}

/// Runs the inverse layers in place on one buffer.
final class GeneratingPlan: MapPlan {
  private let dimension: Int
  private let lanes: Int
  private let columns: Int
  private let layers: [any GeneratingLayer]
  private let parameters: FloatBuffer
  /// The values, then the cotangent; [K, columns].
  private let values: FloatBuffer

  init(_ flow: NormalizingFlow, lanes: Int) {
    dimension = flow.dimension
    self.lanes = lanes
    columns = paddedColumns(lanes)
    let columns = self.columns
    layers = flow.packed.generating.map { $0.makeGenerating(columns: columns, lanes: lanes) }
    parameters = FloatBuffer(flow.parameters)
    values = FloatBuffer(dimension * columns)
  }

  func apply(_ u: Span<Float>, into z: inout MutableSpan<Float>) {
    scatter(u, lanes: lanes, width: dimension, columns: columns, into: values.pointer)
    for layer in layers {
      layer.generate(values.pointer, parameters: parameters.pointer)
    }
    gather(values.pointer, lanes: lanes, width: dimension, columns: columns, into: &z)
  }

  func vjp(_ dz: Span<Float>, into du: inout MutableSpan<Float>) {
    scatter(dz, lanes: lanes, width: dimension, columns: columns, into: values.pointer)
    for layer in layers.reversed() {
      layer.generateVJP(values.pointer, parameters: parameters.pointer)
    }
    gather(values.pointer, lanes: lanes, width: dimension, columns: columns, into: &du)
  }
}
