import LawCheckers
import Networks
import Tensors
import Testing

/// Values and gradients are checked with those of all layers in `NetworkPlanTests`.
@Suite struct BatchNormStageTests {
  /// Seen to fail: the biased variance; the running averages in place of the batch's.
  @Test("the running averages' gradients are the batch's mean and unbiased variance")
  func statistics() throws {
    let test = LayerCase(Shape(3, 2, 5), .batchNorm(channels: 3), .silu)
    let packed = PackedNetwork(training: try test.network())
    let lanes = 7
    let plan = try NetworkPlan(network: packed, lanes: lanes, mode: .training)
    let x = test.inputs(lanes: lanes)
    let y = values(plan, x, count: x.count)
    let gradients = FloatBuffer(packed.layout.count)
    plan.vjp(random(y.count, seed: 1).span, gradients: gradients, dx: nil)
    for channel in 0..<3 {
      let own = x.indices.filter { $0 / 10 % 3 == channel }.map { Double(x[$0]) }
      let mean = own.reduce(0, +) / Double(own.count)
      let variance =
        own.reduce(0) { $0 + ($1 - mean) * ($1 - mean) } / Double(own.count - 1)
      #expect(abs(Double(gradients.array[6 + channel]) - mean) < 1e-6)
      #expect(abs(Double(gradients.array[9 + channel]) - variance) < 1e-6 * variance * 10)
    }
  }

  @Test("a shifted batch's variance does not cancel")
  func shifted() throws {
    let test = LayerCase(Shape(2), .batchNorm(channels: 2))
    let packed = PackedNetwork(
      training: try Network(
        domain: Shape(2), layers: test.layers, parameters: [1, 1, 0, 0, 0, 0, 1, 1]))
    let plan = try NetworkPlan(network: packed, lanes: 4, mode: .training)
    // 4096 ± 1/4: E x² − (E x)² would be lost in the rounding of 2²⁴.
    let y = values(
      plan, [4096.25, 1, 4095.75, 2, 4096.25, 3, 4095.75, 4], count: 8)
    for (index, sign) in zip([0, 2, 4, 6], [Float(1), -1, 1, -1]) {
      #expect(abs(y[index] - sign) < 2e-4)
    }
  }

  @Test("in inference the running averages are used, and receive no gradient")
  func inference() throws {
    let test = LayerCase(Shape(3, 2, 5), .batchNorm(channels: 3))
    let network = try test.network()
    let packed = PackedNetwork(training: network)
    let plan = try NetworkPlan(network: packed, lanes: 2, mode: .inference)
    let x = test.inputs(lanes: 2)
    let y = values(plan, x, count: x.count)
    #expect(deviation(y, try ReferenceNetwork(network)(x.map(Double.init))) < 1e-6)
    let gradients = FloatBuffer(packed.layout.count)
    plan.vjp(random(y.count, seed: 1).span, gradients: gradients, dx: nil)
    #expect(gradients.array[6...].allSatisfy { $0 == 0 })
  }
}
