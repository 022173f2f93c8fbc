import Networks
import Numerics
import Randomness
import Tensors
import Testing

@Suite struct NetworkOutputsTests {
  /// Single precision sums in another blocking: 1e-6.
  /// Seen to fail: the last rows kept; the bias of the last outputs kept.
  @Test("fewer outputs are the first ones of all")
  func prefix() throws {
    let layers: [LayerDescription] = [
      .linear(inputs: 5, outputs: 7), .silu, .linear(inputs: 7, outputs: 6),
    ]
    let fresh = try Network(domain: Shape(5), layers: layers, key: RandomKey(seed: 1))
    var stream = RandomKey(seed: 2).stream()
    let whole = try Network(
      domain: Shape(5), layers: layers,
      parameters: fresh.parameters.map { $0 + Float(0.1 * stream.normal()) })
    let part = try #require(whole.keepingOutputs(2))
    #expect(part.codomain == Shape(2))
    let x = stream.normals(5).map { Float($0) }
    func outputs(_ network: Network) throws -> [Float] {
      var values = [Float](repeating: 0, count: network.codomain.count)
      var span = values.mutableSpan
      try network.makePlan(lanes: 1).apply(x.span, into: &span)
      return values
    }
    for (found, expected) in zip(try outputs(part), try outputs(whole)) {
      #expect(abs(found - expected) < 1e-6)
    }
    #expect(whole.keepingOutputs(6)?.parameters == whole.parameters)
    #expect(whole.keepingOutputs(7) == nil && whole.keepingOutputs(0) == nil)
    let other = try Network(
      domain: Shape(5), layers: layers + [.silu], key: RandomKey(seed: 1))
    #expect(other.keepingOutputs(2) == nil)
  }

  /// Fails when: the parameters kept are those of the end.
  @Test("without its last layer a network gives what entered it")
  func withoutLastLayer() throws {
    let layers: [LayerDescription] = [
      .linear(inputs: 5, outputs: 7), .silu, .linear(inputs: 7, outputs: 6),
    ]
    let whole = try Network(domain: Shape(5), layers: layers, key: RandomKey(seed: 3))
    let part = try #require(whole.droppingLastLayer())
    #expect(part.layers == Array(layers.prefix(2)) && part.codomain == Shape(7))
    #expect(part.parameters == Array(whole.parameters.prefix(42)))
    #expect(part.droppingLastLayer()?.droppingLastLayer() == nil)
  }
}
