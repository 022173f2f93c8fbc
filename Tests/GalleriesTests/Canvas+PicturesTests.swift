import Tensors
import Testing

@testable import Galleries

@Suite("pictures on a canvas")
struct CanvasPicturesTests {
  // Seen to fail with rows and columns exchanged.
  @Test("each pixel becomes a square; intensities are clamped to the range")
  func enlargement() {
    let picture = Tensor(shape: Shape(1, 2, 3), values: [-1, 0, 0.5, 1, 2, .nan])
    let canvas = Canvas(picture, factor: 2)
    let levels: [[UInt8]] = [[0, 0, 128], [255, 255, 0]]
    #expect(canvas.width == 6 && canvas.height == 4)
    for y in 0..<4 {
      for x in 0..<6 {
        let level = levels[y / 2][x / 2]
        #expect(canvas[x, y] == Colour(level, level, level))
      }
    }
    #expect(Canvas(picture, factor: 1, range: -1...2)[1, 0] == Colour(85, 85, 85))
  }

  @Test("three channels are red, green, blue")
  func colours() {
    let picture = Tensor(shape: Shape(3, 1, 2), values: [1, 0, 0.2, 0.4, 0, 1])
    let canvas = Canvas(picture, factor: 1)
    #expect(canvas[0, 0] == Colour(255, 51, 0) && canvas[1, 0] == Colour(0, 102, 255))
  }

  @Test("heat shows the root mean square over the channels")
  func heat() {
    let values = Tensor(shape: Shape(3, 1, 2), values: [0, 1, 0, 2, 0, 2])
    #expect(channelMagnitude(values) == [0, Float(3).squareRoot()])
    let canvas = Canvas(heat: values, factor: 1, maximum: Float(3).squareRoot())
    #expect(canvas[0, 0] == Colour(0, 0, 0) && canvas[1, 0] == Colour(255, 255, 255))
  }

  // Seen to fail with observed and unobserved exchanged.
  @Test("exactly the unobserved pixels are hatched, NaN among them")
  func hatching() {
    var canvas = Canvas(Tensor(shape: Shape(1, 1, 4), repeating: 1), factor: 4)
    canvas.hatch(
      unobserved: Tensor(shape: Shape(1, 1, 4), values: [1, 0.5, 0.4, .nan]), factor: 4)
    for y in 0..<4 {
      for x in 0..<16 {
        let striped = canvas[x, y] == .hatch || canvas[x, y] == .hatchGround
        #expect(striped == (x >= 8), "\(x), \(y)")
      }
    }
    #expect(canvas[8, 0] == .hatch && canvas[11, 0] == .hatchGround)
  }
}
