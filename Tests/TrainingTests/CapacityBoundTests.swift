import Randomness
import Tensors
import Testing

@testable import Training

@Suite struct CapacityBoundTests {
  /// Seen to fail: C at its end from the first step; C rising over the whole training.
  @Test("C rises linearly over the first half, and the loss has β |KL − C| in it")
  func capacity() throws {
    let bound = CapacityBound(beta: 7, capacity: 4, deviation: 0.5)
    #expect([0, 0.125, 0.25, 0.5, 0.75, 1].map { bound.capacity(at: $0) } == [0, 1, 2, 4, 4, 4])
    let plan = try bound.makePlan(lanes: 1, latent: 1, elements: 10)
    let same = EvidenceBound(variance: .given(deviation: 0.5))
    let reference = try same.makePlan(lanes: 1, latent: 1, elements: 10)
    // KL = ½ m² = 2 where v = 0.
    let outputs = FloatBuffer([2, 0])
    let codes = FloatBuffer(1)
    let codeCotangents = FloatBuffer(1)
    let cotangents = FloatBuffer(2)
    func cost(_ plan: any CodingPlan, _ progress: Double) -> CodingCost {
      plan.draw(outputs.pointer, into: codes.pointer, key: RandomKey(seed: 1))
      let step = CodingStep(
        outputs: outputs.pointer, codes: codes.pointer, codeCotangents: codeCotangents.pointer,
        squares: 1, progress: progress)
      return plan.pullBack(step, into: cotangents.pointer)
    }
    let plain = cost(reference, 0)
    #expect(plain.divergence == 2)
    let excesses: [(progress: Double, excess: Double)] = [
      (0, 2), (0.125, 1), (0.25, 0), (0.375, 1), (1, 2),
    ]
    for (progress, excess) in excesses {
      let found = cost(plan, progress)
      let expected = plain.loss - 2 + 7 * excess
      #expect(found.divergence == 2 && found.scale == 0.5)
      #expect(abs(found.loss - expected) < 1e-12)
    }
  }
}
