import Tensors
import Testing

@testable import Galleries

@Suite("panels")
struct PanelTests {
  func panel(_ height: Int, _ width: Int) -> Panel {
    Panel("", .picture(Tensor(shape: Shape(1, height, width)), range: 0...1))
  }

  @Test("the factor is the largest whole one that fits, at least 1")
  func factors() {
    #expect(panel(28, 28).factor(side: 168) == 6)
    #expect(panel(28, 28).factor(side: 112) == 4)
    #expect(panel(64, 10).factor(side: 168) == 2)
    #expect(panel(256, 256).factor(side: 168) == 1)
    #expect(panel(64, 10).pictureSize(side: 168) == (20, 128))
  }

  @Test("numbers take at most five characters")
  func numbers() {
    let expected: [(Float, String)] = [
      (0.2024, "0.202"), (0.0451, "0.045"), (0.9996, "1.00"), (1.234, "1.23"), (12.34, "12.3"),
      (123.4, "123"), (0.000_02, "2e-5"), (54_321, "5e4"),
    ]
    for (value, text) in expected { #expect(Panel.short(value) == text) }
    for exponent in -8...8 {
      var value = Float(9.4999)
      for _ in 0..<abs(exponent) { value = exponent < 0 ? value / 10 : value * 10 }
      #expect(Panel.short(value).count <= 5)
    }
  }

  // Seen to fail with the bar drawn upside down.
  @Test("the colour bar is bright above and dark below, beside its picture")
  func bar() {
    let panel = Panel("", .heat(Tensor(shape: Shape(1, 10, 10), repeating: 0.3)))
    var canvas = Canvas(width: 250, height: 120)
    panel.draw(on: &canvas, x: 2, y: 2, side: 100)
    #expect(canvas[2, 2] == Colour(255, 255, 255))
    #expect(canvas[110, 2] == ColourMap.cubehelix.colour(0.995))
    #expect(canvas[110, 101] == ColourMap.cubehelix.colour(0.005))
    #expect(panel.width(side: 100) > 100)
  }

  @Test("a picture of zeros and NaN has a bar too")
  func degenerate() {
    var canvas = Canvas(width: 250, height: 120)
    let values = Tensor(shape: Shape(1, 1, 2), values: [0, .nan])
    Panel("", .heat(values)).draw(on: &canvas, x: 0, y: 0, side: 100)
    #expect(canvas[10, 10] == Colour(0, 0, 0) && canvas[60, 10] == Colour(0, 0, 0))
  }
}
