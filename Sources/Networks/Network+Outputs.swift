extension Network {
  /// The same network without its last outputs: the first `count` rows of the `linear` layer that it
  /// ends with. Nil when it ends with another layer or has fewer outputs.
  package func keepingOutputs(_ count: Int) -> Network? {
    guard case .linear(let inputs, let outputs)? = layers.last, (1...outputs).contains(count) else {
      return nil
    }
    guard count < outputs else { return self }
    let bias = parameters.count - outputs
    let weight = bias - inputs * outputs
    // A part of a network is one.
    return try? Network(
      domain: domain, layers: layers.dropLast() + [.linear(inputs: inputs, outputs: count)],
      parameters: Array(parameters[..<(weight + inputs * count)] + parameters[bias..<bias + count]))
  }

  /// The same network without its last layer, and that layer's input as output; nil for a network of
  /// one layer or none.
  package func droppingLastLayer() -> Network? {
    guard layers.count > 1 else { return nil }
    let kept = Array(layers.dropLast())
    // A part of a network is one.
    return try? Network(
      domain: domain, layers: kept,
      parameters: Array(parameters.prefix(Network.layout(kept).count)))
  }
}
