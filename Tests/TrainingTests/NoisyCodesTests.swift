import Randomness
import Tensors
import Testing

@testable import Training

@Suite struct NoisyCodesTests {
  /// n independent draws: the mean within 4 d/√n of h, the variance within 4 √(2/n) d² of d².
  /// Seen to fail: no noise; the deviation's square for the deviation.
  @Test("codes scatter about the encoder's by the fixed deviation, and the gradient passes through")
  func draws() throws {
    let lanes = 20_000
    let plan = try NoisyCodes(deviation: 0.3).makePlan(lanes: lanes, latent: 1, elements: 4)
    let outputs = FloatBuffer([Float](repeating: 1.5, count: lanes))
    let codes = FloatBuffer(lanes)
    plan.draw(outputs.pointer, into: codes.pointer, key: RandomKey(seed: 1))
    let count = Double(lanes)
    let mean = accurateSum(codes.array) / count
    let variance =
      accurateSum(codes.array.map { (Double($0) - mean) * (Double($0) - mean) }) / count
    #expect(abs(mean - 1.5) < 4 * 0.3 / count.squareRoot())
    #expect(abs(variance / 0.09 - 1) < 4 * (2 / count).squareRoot())
    let (given, found) = (FloatBuffer(codes.array), FloatBuffer(lanes))
    let step = CodingStep(
      outputs: outputs.pointer, codes: codes.pointer, codeCotangents: given.pointer, squares: 5,
      progress: 0)
    let cost = plan.pullBack(step, into: found.pointer)
    #expect(found.array == given.array)
    #expect(cost == CodingCost(loss: 5, divergence: nil, scale: 1))
  }
}
