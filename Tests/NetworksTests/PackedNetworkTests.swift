import Networks
import Numerics
import Tensors
import Testing

@Suite struct PackedNetworkTests {
  @Test("packing and unpacking gives the same network", arguments: LayerCase.all)
  func roundTrip(_ test: LayerCase) throws {
    let network = try test.network()
    let packed = PackedNetwork(training: network)
    #expect(try packed.network(weights: packed.weights.array).parameters == network.parameters)
  }

  /// Seen to fail: kernel rows and columns exchanged; `a` and `b` exchanged.
  @Test("kernels lie as [a, kernel, kernel, b], channels last")
  func layout() throws {
    let layers: [LayerDescription] = [
      .conv(inputs: 2, outputs: 3, kernel: 2, stride: 1, padding: 0)
    ]
    let network = try Network(
      domain: Shape(2, 2, 2), layers: layers, parameters: (0..<27).map { Float($0) })
    let packed = PackedNetwork(training: network).weights.array
    for (a, b, i, j) in [(0, 0, 0, 1), (0, 1, 1, 0), (2, 1, 0, 1), (1, 0, 1, 1)] {
      #expect(packed[((a * 2 + i) * 2 + j) * 2 + b] == Float(((a * 2 + b) * 2 + i) * 2 + j))
    }
    #expect(Array(packed.suffix(3)) == [24, 25, 26])
  }
}
