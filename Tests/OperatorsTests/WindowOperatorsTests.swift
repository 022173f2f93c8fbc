import LawCheckers
import Maps
import Operators
import Randomness
import Tensors
import Testing

@Suite("crops and margins")
struct WindowOperatorsTests {
  // Fails when: the adjoint does not clear what lies outside the window; the last lane is skipped;
  // top and left are exchanged in one direction only.
  @Test("⟨Ax, y⟩ = ⟨x, Aᵀy⟩", arguments: [1, 3])
  func adjoint(_ channels: Int) throws {
    let key = RandomKey(seed: 25)
    for (height, width) in [(6, 8), (5, 7), (1, 9), (11, 1)] {
      let shape = Shape(channels, height, width)
      let crop = try CropOperator(
        shape: shape, top: height / 3, left: width / 2, height: (height + 1) / 2,
        width: (width + 1) / 2)
      #expect(try checkAdjoint(crop, key: key) < adjointBound)
      let padding = try PaddingOperator(shape: shape, top: 2, left: 0, bottom: 1, right: 3)
      #expect(try checkAdjoint(padding, key: key) < adjointBound)
    }
  }

  // Fails when: top and left are exchanged; the channels' stride is that of the window.
  @Test("a crop shows its window of every channel and lane")
  func crop() throws {
    let map = try CropOperator(shape: Shape(2, 3, 4), top: 1, left: 2, height: 2, width: 1)
    #expect(map.codomain == Shape(2, 2, 1))
    #expect(try image(map, (0..<48).map { Float($0) }) == [6, 10, 18, 22, 30, 34, 42, 46])
    let whole = try CropOperator(shape: Shape(1, 3, 4), top: 0, left: 0, height: 3, width: 4)
    #expect(try image(whole, (0..<12).map { Float($0) }) == (0..<12).map { Float($0) })
  }

  // Fails when: margins are exchanged; zeros are not written.
  @Test("margins are zeros on the side they are named for")
  func padding() throws {
    let map = try PaddingOperator(shape: Shape(2, 1, 2), top: 1, left: 2, bottom: 0, right: 1)
    #expect(map.codomain == Shape(2, 2, 5))
    #expect(
      try image(map, [1, 2, 3, 4])
        == [0, 0, 0, 0, 0, 0, 0, 1, 2, 0, 0, 0, 0, 0, 0, 0, 0, 3, 4, 0])
    let none = try PaddingOperator(shape: Shape(1, 1, 2), top: 0, left: 0, bottom: 0, right: 0)
    #expect(try image(none, [1, 2]) == [1, 2])
  }

  // Fails when: sums of the caller's numbers overflow before they are checked.
  @Test("windows that do not fit are refused")
  func refusals() {
    let shape = Shape(1, 3, 4)
    let bad = [
      (2, 0, 2, 1), (0, 3, 1, 2), (-1, 0, 1, 1), (0, -1, 1, 1), (0, 0, 0, 1), (0, 0, 1, 0),
      (.max, 0, 1, 1), (0, 0, .max, .max), (1, 1, .max, .max),
    ]
    for (top, left, height, width) in bad {
      #expect(
        refusal {
          _ = try CropOperator(shape: shape, top: top, left: left, height: height, width: width)
        }
          == "a window of \(height)×\(width) at row \(top), column \(left) does not lie in a "
          + "picture of 3×4; choose one that does")
    }
    #expect(
      refusal { _ = try PaddingOperator(shape: shape, top: 0, left: 0, bottom: -2, right: 0) }
        == "a margin of -2 pixels cannot be added; use a crop to take pixels away")
    #expect(
      refusal { _ = try PaddingOperator(shape: shape, top: .max, left: 1, bottom: 1, right: 0) }
        != nil)
    #expect(
      refusal {
        _ = try PaddingOperator(
          shape: shape, top: 1 << 30, left: 1 << 30, bottom: 1 << 30, right: 1 << 30)
      }
        == "too large to plan: a picture of 1×3×4 with margins of 1073741824, 1073741824, "
        + "1073741824, 1073741824 pixels")
  }
}
