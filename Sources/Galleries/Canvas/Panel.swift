import Foundation
import Tensors

/// One labelled picture of a sheet.
package struct Panel: Sendable {
  package enum Content: Sendable {
    /// Intensities, with the range shown from black to white.
    case picture(Tensor, range: ClosedRange<Float>)
    /// The same where `observed` ≥ ½, hatched elsewhere.
    case masked(Tensor, observed: Tensor, range: ClosedRange<Float>)
    /// Magnitudes in colours, with a colour bar from 0 to the largest.
    case heat(Tensor)
  }

  package var label: String
  package var content: Content

  package init(_ label: String, _ content: Content) {
    self.label = label
    self.content = content
  }

  private var tensor: Tensor {
    switch content {
    case .picture(let tensor, _), .masked(let tensor, _, _), .heat(let tensor): tensor
    }
  }

  /// The largest whole factor that keeps the longer side within `side` pixels, at least 1.
  func factor(side: Int) -> Int { max(1, side / max(tensor.shape[1], tensor.shape[2])) }

  /// Width and height of the enlarged picture alone.
  func pictureSize(side: Int) -> (width: Int, height: Int) {
    let factor = factor(side: side)
    return (tensor.shape[2] * factor, tensor.shape[1] * factor)
  }

  /// Width with the colour bar, if there is one.
  func width(side: Int) -> Int {
    let width = pictureSize(side: side).width
    if case .heat = content { return width + Self.barRoom }
    return width
  }

  /// Gap, bar, gap, and labels of five characters at twice the size.
  private static let barGap = 8, barWidth = 10, labelGap = 6
  private static let barRoom = barGap + barWidth + labelGap + 2 * (BitmapFont.advance * 5 - 1)

  /// Draws the picture with its upper left corner at (x, y).
  func draw(on canvas: inout Canvas, x: Int, y: Int, side: Int) {
    let factor = factor(side: side)
    var picture: Canvas
    switch content {
    case .picture(let tensor, let range):
      picture = Canvas(tensor, factor: factor, range: range)
    case .masked(let tensor, let observed, let range):
      picture = Canvas(tensor, factor: factor, range: range)
      picture.hatch(unobserved: observed, factor: factor)
    case .heat(let tensor):
      let largest = channelMagnitude(tensor).lazy.filter(\.isFinite).max() ?? 0
      let maximum = largest > 0 ? largest : 1
      picture = Canvas(heat: tensor, factor: factor, maximum: maximum)
      drawBar(
        on: &canvas, x: x + picture.width + Self.barGap, y: y, height: picture.height,
        maximum: maximum)
    }
    canvas.blit(picture, x: x, y: y)
    canvas.frame(x: x, y: y, width: picture.width, height: picture.height, .frame)
  }

  private func drawBar(on canvas: inout Canvas, x: Int, y: Int, height: Int, maximum: Float) {
    for row in 0..<height {
      let value = 1 - (Float(row) + 0.5) / Float(height)
      canvas.fill(
        x: x, y: y + row, width: Self.barWidth, height: 1, ColourMap.cubehelix.colour(value))
    }
    canvas.frame(x: x, y: y, width: Self.barWidth, height: height, .frame)
    let labelX = x + Self.barWidth + Self.labelGap
    let capital = 2 * BitmapFont.capHeight
    func label(_ text: String, _ top: Int) {
      canvas.write(text, x: labelX, y: top, scale: 2, .caption)
    }
    label(Self.short(maximum), y)
    if height >= 4 * capital { label(Self.short(maximum / 2), y + (height - capital) / 2) }
    if height >= 2 * capital + 4 { label("0", y + height - capital) }
  }

  /// A positive number in at most five characters: "0.123", "1.23", "12.3", "123", "1e-5".
  static func short(_ value: Float) -> String {
    switch value {
    case ..<0.000_95: String(format: "%.0e", value).replacingOccurrences(of: "e-0", with: "e-")
    case ..<0.999_5: String(format: "%.3f", value)
    case ..<9.995: String(format: "%.2f", value)
    case ..<99.95: String(format: "%.1f", value)
    case ..<9999.5: String(format: "%.0f", value)
    default: String(format: "%.0e", value).replacingOccurrences(of: "e+0", with: "e")
    }
  }
}
