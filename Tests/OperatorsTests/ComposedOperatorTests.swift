import LawCheckers
import Maps
import Operators
import Randomness
import Tensors
import Testing

@Suite("compositions of operators")
struct ComposedOperatorTests {
  /// Every kind, on 3×6×7.
  private func operators() throws -> [any LinearOperator] {
    let gains = (0..<24).map { 1 - Float($0) / 50 }
    return [
      IdentityOperator(shape: Shape(3, 6, 7)),
      try ConvolutionOperator(
        shape: Shape(3, 6, 7), kernel: crookedKernel(3, 2), border: .reflecting),
      try CropOperator(shape: Shape(3, 6, 7), top: 1, left: 0, height: 4, width: 6),
      try GainOperator(shape: Shape(3, 4, 6), gains: gains + gains + gains),
      try PaddingOperator(shape: Shape(3, 4, 6), top: 0, left: 1, bottom: 2, right: 1),
      try DownsamplingOperator(shape: Shape(3, 6, 8), factor: 2),
      try FourierSamplingOperator(
        shape: Shape(3, 3, 4), sampled: (0..<12).map { $0 % 3 != 1 }),
    ]
  }

  // Fails when: the order is reversed; a step is left out; the shape check is left out.
  @Test("a composed operator is its operators one after another, as the light travels")
  func composed() throws {
    let list = try operators()
    let map = try ComposedOperator(list)
    #expect(map.domain == Shape(3, 6, 7) && map.codomain == list.last!.codomain)
    #expect(map.operators.count == list.count)
    var x = randomValues(2 * 3 * 6 * 7, seed: 35)
    let y = try image(map, x)
    for step in list { x = try image(step, x) }
    #expect(y == x)
    #expect(try checkAdjoint(map, key: RandomKey(seed: 37)) < adjointBound)
    #expect(throws: PlanError.shapesDiffer(expected: Shape(3, 6, 7), found: Shape(3, 4, 6))) {
      try ComposedOperator([list[2], list[1]])
    }
  }
}
