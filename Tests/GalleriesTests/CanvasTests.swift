import Tensors
import Testing

@testable import Galleries

@Suite("canvas")
struct CanvasTests {
  let red = Colour(255, 0, 0)

  /// The canvas as text, "#" where it is red.
  func art(_ canvas: Canvas) -> [String] {
    (0..<canvas.height).map { y in
      String((0..<canvas.width).map { canvas[$0, y] == red ? "#" : "." })
    }
  }

  // Seen to fail with the width taken for the height in `fill`.
  @Test("rectangles, frames and lines land on their pixels")
  func shapes() {
    var canvas = Canvas(width: 6, height: 4)
    canvas.fill(x: 1, y: 2, width: 3, height: 1, red)
    #expect(art(canvas) == ["......", "......", ".###..", "......"])
    canvas = Canvas(width: 6, height: 4)
    canvas.frame(x: 1, y: 1, width: 3, height: 2, red)
    #expect(art(canvas) == ["#####.", "#...#.", "#...#.", "#####."])
    canvas = Canvas(width: 6, height: 4)
    canvas.line(from: (5, 0), to: (0, 3), red)
    #expect(art(canvas) == [".....#", "...##.", ".##...", "#....."])
  }

  @Test("what lies outside is clipped")
  func clipping() {
    var canvas = Canvas(width: 3, height: 2)
    canvas.fill(x: -5, y: -5, width: 6, height: 6, red)
    canvas.line(from: (-3, 5), to: (9, 5), red)
    canvas.write("W", x: 2, y: 1, red)
    #expect(art(canvas) == ["#..", "..#"])
  }

  @Test("text is the font, enlarged by its scale")
  func text() {
    var canvas = Canvas(width: 24, height: 20)
    canvas.write("-T", x: 0, y: 0, scale: 2, red)
    let rows = art(canvas)
    #expect(rows[0] == "............" + "##########..")
    #expect(rows[6] == "..######...." + "....##......")
    #expect(rows[7] == rows[6] && rows[14] == String(repeating: ".", count: 24))
  }

  @Test("the tensor has channels first and 255 ↔ 1")
  func tensor() {
    var canvas = Canvas(width: 2, height: 1, colour: Colour(0, 51, 255))
    canvas[1, 0] = red
    #expect(canvas.tensor == Tensor(shape: Shape(3, 1, 2), values: [0, 1, 0.2, 0, 1, 0]))
  }
}
