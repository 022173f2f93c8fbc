import Maps
import Tensors

/// Where the tensors of one layer lie in the flow's flat parameter vector.
enum LayerSlots {
  case affine(mean: Int, logScale: Int)
  case luLinear(lower: Int, upper: Int, logDiagonal: Int, bias: Int)
  case permutation
  case conditioner([DenseSlots])
  case slicedSpline(SlicedSplineSlots)
}

/// One dense layer y = W x + b of a conditioner: its extents and offsets.
struct DenseSlots {
  let inputs: Int
  let outputs: Int
  let weight: Int
  let bias: Int
}

/// Extents and offsets of a `slicedSpline`.
struct SlicedSplineSlots {
  let directionCount: Int
  let bins: Int
  let directions: Int
  let knots: Int
  let values: Int
  let slopes: Int
}

/// The sizes and slots of a validated list of layers.
struct FlowLayout {
  let dimension: Int
  let layers: [FlowLayerDescription]
  let slots: [LayerSlots]
  let parameters: ParameterLayout

  /// - Throws: `FlowError.size` or `.layer`, before any memory is taken for the sizes asked for.
  init(layers: [FlowLayerDescription], dimension: Int) throws(FlowError) {
    guard 1...4096 ~= dimension, layers.count <= 256 else {
      throw .size(dimension: dimension, layers: layers.count)
    }
    var parameters = ParameterLayout()
    var slots: [LayerSlots] = []
    for (index, layer) in layers.enumerated() {
      if let why = layer.fault(dimension: dimension) { throw .layer(index: index, why) }
      slots.append(layer.addSlots(index: index, dimension: dimension, to: &parameters))
    }
    self.dimension = dimension
    self.layers = layers
    self.slots = slots
    self.parameters = parameters
  }
}

extension FlowLayerDescription {
  /// Why the layer cannot act on `dimension` coordinates; nil when it can.
  func fault(dimension: Int) -> String? {
    switch self {
    case .affine, .luLinear: return nil
    case .permutation(let order):
      return order.sorted() == Array(0..<dimension)
        ? nil : "the order is no permutation of 0 ..< \(dimension)"
    case .splineCoupling(let coupling):
      if !(2...64 ~= coupling.bins) { return "bins = \(coupling.bins), expected 2 ... 64" }
      if !(coupling.bound > 0 && coupling.bound <= 1000) {
        return "bound = \(coupling.bound), expected a number in (0, 1000]"
      }
      return Self.conditionerFault(coupling.hidden, dimension: dimension)
    case .slicedSpline(let sliced):
      if !(1...dimension ~= sliced.directions) {
        return "directions = \(sliced.directions), expected 1 ... \(dimension)"
      }
      return 2...64 ~= sliced.bins ? nil : "bins = \(sliced.bins), expected 2 ... 64"
    case .affineCoupling(let coupling):
      if !(coupling.maxLogScale > 0 && coupling.maxLogScale <= 20) {
        return "maxLogScale = \(coupling.maxLogScale), expected a number in (0, 20]"
      }
      return Self.conditionerFault(coupling.hidden, dimension: dimension)
    }
  }

  private static func conditionerFault(_ hidden: [Int], dimension: Int) -> String? {
    if dimension < 2 { return "a coupling needs at least two coordinates" }
    if hidden.count > 16 || !hidden.allSatisfy({ 1...8192 ~= $0 }) {
      return "hidden = \(hidden), expected at most 16 widths in 1 ... 8192"
    }
    return nil
  }

  /// Numbers a coupling needs for each transformed element; nil for other layers.
  var parametersPerElement: Int? {
    switch self {
    case .affine, .luLinear, .permutation, .slicedSpline: nil
    case .splineCoupling(let coupling): 3 * coupling.bins - 1
    case .affineCoupling: 2
    }
  }

  fileprivate func addSlots(
    index: Int, dimension: Int, to layout: inout ParameterLayout
  ) -> LayerSlots {
    func add(_ name: String, _ extents: Int...) -> Int {
      layout.add("flow.\(index).\(name)", Shape(extents)).offset
    }
    func conditioner(_ hidden: [Int], _ half: CouplingHalf) -> LayerSlots {
      let first = dimension / 2
      let transformed = half == .first ? first : dimension - first
      var widths = [dimension - transformed] + hidden
      widths.append(transformed * (parametersPerElement ?? 0))
      var dense: [DenseSlots] = []
      for (stage, (inputs, outputs)) in zip(widths, widths.dropFirst()).enumerated() {
        let weight = add("conditioner.\(stage).weight", outputs, inputs)
        let bias = add("conditioner.\(stage).bias", outputs)
        dense.append(DenseSlots(inputs: inputs, outputs: outputs, weight: weight, bias: bias))
      }
      return .conditioner(dense)
    }
    switch self {
    case .affine:
      let mean = add("mean", dimension)
      return .affine(mean: mean, logScale: add("logScale", dimension))
    case .luLinear:
      let lower = add("lower", dimension, dimension)
      let upper = add("upper", dimension, dimension)
      let logDiagonal = add("logDiagonal", dimension)
      return .luLinear(
        lower: lower, upper: upper, logDiagonal: logDiagonal, bias: add("bias", dimension))
    case .permutation: return .permutation
    case .slicedSpline(let sliced):
      let (count, bins) = (sliced.directions, sliced.bins)
      return .slicedSpline(
        SlicedSplineSlots(
          directionCount: count, bins: bins, directions: add("directions", count, dimension),
          knots: add("knots", count, bins + 1), values: add("values", count, bins + 1),
          slopes: add("slopes", count, bins + 1)))
    case .splineCoupling(let coupling): return conditioner(coupling.hidden, coupling.transforms)
    case .affineCoupling(let coupling): return conditioner(coupling.hidden, coupling.transforms)
    }
  }
}
