import Foundation
import ImageFiles
import Tensors

/// A picture of the report with the words below it, as PNG inside the page.
package struct ReportFigure: Sendable {
  let panel: Panel
  let note: String
  /// Longest side on the screen that small pictures are enlarged to.
  let side: Int

  /// - Parameters:
  ///   - note: stands behind the panel's label.
  package init(_ panel: Panel, note: String = "", side: Int = 140) {
    self.panel = panel
    self.note = note
    self.side = side
  }

  /// - Throws: `ImageFileError` when a picture cannot be encoded.
  func markup() throws(ImageFileError) -> Markup {
    let (image, width) = try picture()
    var content = [image]
    if case .heat(let tensor) = panel.content { content += try scale(tensor, width: width) }
    if !panel.label.isEmpty || !note.isEmpty {
      content.append(
        .tag(
          "figcaption", [:],
          [.tag("b", text: panel.label), .text(note.isEmpty ? "" : " " + note)]))
    }
    return .tag("figure", [:], content)
  }

  /// The picture alone, and how wide it is on the screen.
  /// - Throws: `ImageFileError` when it cannot be encoded.
  func picture() throws(ImageFileError) -> (image: Markup, width: Int) {
    let size = panel.pictureSize(side: side)
    let image = try Self.image(
      canvas, alternative: [panel.label, note].filter { !$0.isEmpty }.joined(separator: ", "),
      width: size.width, height: size.height)
    return (image, size.width)
  }

  /// The picture, its pixels as they are; enlarged only where stripes go through it.
  private var canvas: Canvas {
    switch panel.content {
    case .picture(let tensor, let range): return Canvas(tensor, factor: 1, range: range)
    case .masked(let tensor, let observed, let range):
      let factor = panel.factor(side: side)
      var canvas = Canvas(tensor, factor: factor, range: range)
      canvas.hatch(unobserved: observed, factor: factor)
      return canvas
    case .heat(let tensor):
      return Canvas(heat: tensor, factor: 1, maximum: Self.maximum(tensor))
    }
  }

  private static func maximum(_ tensor: Tensor) -> Float {
    let largest = channelMagnitude(tensor).lazy.filter(\.isFinite).max() ?? 0
    return largest > 0 ? largest : 1
  }

  /// The colours from 0 to the largest.
  private func scale(_ tensor: Tensor, width: Int) throws(ImageFileError) -> [Markup] {
    var bar = Canvas(width: 64, height: 1)
    for x in 0..<64 { bar[x, 0] = ColourMap.cubehelix.colour((Float(x) + 0.5) / 64) }
    return [
      try Self.image(bar, alternative: "colour scale", width: width, height: 10),
      .tag(
        "div", ["class": "scale", "style": "width: \(width)px"],
        [
          .tag("span", text: "0"), .tag("span", text: Panel.short(Self.maximum(tensor))),
        ]),
    ]
  }

  private static func image(
    _ canvas: Canvas, alternative: String, width: Int, height: Int
  ) throws(ImageFileError) -> Markup {
    let png = Data(try Picture(tensor: canvas.tensor).encoded()).base64EncodedString()
    return .tag(
      "img",
      [
        "alt": alternative, "width": String(width), "height": String(height),
        "src": "data:image/png;base64," + png,
      ])
  }
}
