import LawCheckers
import Maps
import Operators
import Randomness
import Tensors
import Testing

private let key = RandomKey(seed: 20)

@Suite struct OperatorTests {
  // Fails when: the last lane is skipped; the mask's zero fill is lost.
  @Test func identityAndMaskHaveTheirAdjoints() throws {
    let observed = (0..<30).map { $0 % 3 != 1 }
    #expect(
      try checkAdjoint(IdentityOperator(shape: Shape(2, 3, 5)), key: key) < adjointBound)
    #expect(
      try checkAdjoint(MaskOperator(shape: Shape(2, 3, 5), observed: observed), key: key)
        < adjointBound)
  }

  @Test func vjpOfALinearMapIsItsDifference() throws {
    let blur = try ConvolutionOperator(shape: Shape(1, 6, 5), kernel: crookedKernel(3, 2))
    let mask = MaskOperator(shape: Shape(1, 6, 5), observed: (0..<30).map { $0 % 4 != 2 })
    let report = try checkVectorJacobianProduct(
      try ComposedMap([blur, mask]), step: 0.5, key: key.child("vjp"))
    #expect(report.extrapolatedError < 3e-6)
  }

  @Test func theCheckerSeesTheSlopeAndAWrongVjp() throws {
    let right = try checkVectorJacobianProduct(Cube(factor: 3), step: 0.25, key: key.child("cube"))
    #expect(abs(right.slope - 2) < 0.05)
    #expect(right.extrapolatedError < 1e-5)
    let wrong = try checkVectorJacobianProduct(
      Cube(factor: 2.9), step: 0.25, key: key.child("cube"))
    #expect(wrong.extrapolatedError > 1e-3)
  }

  @Test func maskKeepsTheObservedInOrder() throws {
    let mask = MaskOperator(
      shape: Shape(1, 2, 3), observed: [true, false, true, true, false, false])
    #expect(mask.codomain == Shape(3))
    #expect(try image(mask, [0, 1, 2, 3, 4, 5, 10, 11, 12, 13, 14, 15]) == [0, 2, 3, 10, 12, 13])
    let none = MaskOperator(shape: Shape(1, 1, 2), observed: [false, false])
    #expect(try image(none, [1, 2]).isEmpty)
  }
}

/// y = x³, with a vjp of `factor` x² dy.
private struct Cube: DifferentiableMap {
  let factor: Float
  var domain: Shape { Shape(4) }
  var codomain: Shape { Shape(4) }
  func makePlan(lanes: Int) throws(PlanError) -> any MapPlan {
    CubePlan(factor: factor, count: lanes * 4)
  }
}

private final class CubePlan: MapPlan {
  let factor: Float
  var x: [Float]
  init(factor: Float, count: Int) {
    self.factor = factor
    x = [Float](repeating: 0, count: count)
  }
  func apply(_ x: Span<Float>, into y: inout MutableSpan<Float>) {
    for index in x.indices {
      self.x[index] = x[index]
      y[index] = x[index] * x[index] * x[index]
    }
  }
  func vjp(_ dy: Span<Float>, into dx: inout MutableSpan<Float>) {
    for index in dy.indices { dx[index] = factor * x[index] * x[index] * dy[index] }
  }
}
