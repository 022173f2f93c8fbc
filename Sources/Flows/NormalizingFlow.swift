import Foundation
import Maps
import Numerics
import Tensors

/// u = f(z) = f_n ∘ … ∘ f_1 (z): the layers of a list, the first acting on the codes. Its density
/// is p(z) = N(f(z); 0, I)·|det ∂f/∂z|. A value; fresh parameters come from `init(initializing:…)`.
public struct NormalizingFlow: Bijection {
  public let dimension: Int
  /// Layers in the order codes → base; formulas at `FlowLayerDescription`.
  public let layers: [FlowLayerDescription]
  /// All parameters, laid out as `layout` says.
  public let parameters: [Float]
  /// Names `flow.{i}.…`, shapes and places of the tensors in `parameters`.
  public var layout: ParameterLayout { plan.parameters }
  let plan: FlowLayout
  let packed: PackedFlow

  /// - Throws: `FlowError` when the layers or the parameters cannot be used.
  public init(
    layers: [FlowLayerDescription], dimension: Int, parameters: [Float]
  ) throws(FlowError) {
    try self.init(FlowLayout(layers: layers, dimension: dimension), parameters: parameters)
  }

  init(_ plan: FlowLayout, parameters: [Float]) throws(FlowError) {
    guard parameters.count == plan.parameters.count else {
      throw .parameterCount(expected: plan.parameters.count, found: parameters.count)
    }
    for slot in plan.parameters.slots {
      let values = parameters[slot.offset..<slot.offset + slot.shape.count]
      if !values.allSatisfy(\.isFinite) { throw .notFinite(tensor: slot.name) }
    }
    for (index, layer) in plan.placed.enumerated() {
      if let why = layer.fault(in: parameters) { throw .layer(index: index, why) }
    }
    dimension = plan.dimension
    layers = plan.layers
    self.parameters = parameters
    self.plan = plan
    packed = PackedFlow(plan, parameters: parameters)
  }

  /// The layout of a list of layers, before there are parameters.
  package static func layout(
    of layers: [FlowLayerDescription], dimension: Int
  ) throws(FlowError) -> ParameterLayout {
    try FlowLayout(layers: layers, dimension: dimension).parameters
  }

  /// The same layers with other parameters, as after training.
  package func replacing(parameters: [Float]) throws(FlowError) -> NormalizingFlow {
    try NormalizingFlow(plan, parameters: parameters)
  }

  public func makeNormalizingPlan(lanes: Int) throws(PlanError) -> any NormalizingPlan {
    FlowNormalizingPlan(
      stack: try FlowStack(plan, lanes: lanes, packed: packed), parameters: parameters)
  }

  public var generator: any DifferentiableMap { GeneratingMap(flow: self) }

  /// ln p(z) in nats of each of n codes. `codes`: n × K, row-major.
  /// - Precondition: `codes.count` is a multiple of K.
  public func logDensity(of codes: [Float]) throws(PlanError) -> [Double] {
    precondition(codes.count % dimension == 0, "codes are rows of \(dimension) numbers")
    let count = codes.count / dimension
    let lanes = min(max(count, 1), 256)
    let plan = FlowNormalizingPlan(
      stack: try FlowStack(plan, lanes: lanes, packed: packed), parameters: parameters)
    let batch = FloatBuffer(lanes * dimension)
    let base = FloatBuffer(lanes * dimension)
    let logDeterminants = FloatBuffer(lanes)
    var values: [Double] = []
    values.reserveCapacity(count)
    for start in stride(from: 0, to: count, by: lanes) {
      let rows = min(lanes, count - start)
      for index in 0..<rows * dimension {
        batch.pointer[index] = codes[start * dimension + index]
      }
      var u = base.buffer.mutableSpan
      var logs = logDeterminants.buffer.mutableSpan
      plan.apply(batch.buffer.span, into: &u, logDeterminants: &logs)
      for row in 0..<rows {
        var value = Double(logDeterminants.pointer[row]) - halfLogTwoPi * Double(dimension)
        for index in row * dimension..<(row + 1) * dimension {
          value -= 0.5 * Double(base.pointer[index]) * Double(base.pointer[index])
        }
        values.append(value)
      }
    }
    return values
  }
}
