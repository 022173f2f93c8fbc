import Tensors
import Testing

@Suite struct ShapeTests {
  /// Seen to fail: a sum in place of the product.
  @Test("count is the product of the extents")
  func count() {
    #expect(Shape(3, 4, 5).count == 60)
    #expect(Shape([7]).count == 7)
    #expect(Shape(3, 0, 5).count == 0)
    #expect(Shape([]).count == 1)
  }

  @Test("the largest countable shape is accepted")
  func largest() {
    #expect(Shape(1, .max).count == .max)
    #expect(Shape(1 << 31, 1 << 31).count == 1 << 62)
    #expect(Shape(0, .max, .max).count == 0)
  }

  @Test("extents keep their order")
  func extents() {
    let shape = Shape(3, 4, 5)
    #expect(shape.rank == 3)
    #expect([shape[0], shape[1], shape[2]] == [3, 4, 5])
    #expect(shape.description == "3×4×5")
    #expect(Shape([]).description.isEmpty)
  }

  @Test("shapes are equal by extents, not by count")
  func equality() {
    #expect(Shape(2, 6) == Shape([2, 6]))
    #expect(Shape(2, 6) != Shape(6, 2))
    #expect(Shape(12) != Shape(1, 12))
    #expect(Set([Shape(2, 6), Shape([2, 6]), Shape(6, 2)]).count == 2)
  }
}
