import Maps

/// A validated list of layers and the places of their tensors.
struct FlowLayout {
  let dimension: Int
  let layers: [FlowLayerDescription]
  let placed: [any PlacedFlowLayer]
  let parameters: ParameterLayout

  /// - Throws: `FlowError.size` or `.layer`, before any memory is taken for the sizes asked for.
  init(layers: [FlowLayerDescription], dimension: Int) throws(FlowError) {
    guard 1...4096 ~= dimension, layers.count <= 256 else {
      throw .size(dimension: dimension, layers: layers.count)
    }
    var parameters = ParameterLayout()
    var placed: [any PlacedFlowLayer] = []
    for (index, layer) in layers.enumerated() {
      if let why = layer.kind.fault(dimension: dimension) { throw .layer(index: index, why) }
      var places = TensorPlaces(index: index, dimension: dimension, layout: parameters)
      placed.append(layer.kind.placed(&places))
      parameters = places.layout
    }
    self.dimension = dimension
    self.layers = layers
    self.placed = placed
    self.parameters = parameters
  }
}
