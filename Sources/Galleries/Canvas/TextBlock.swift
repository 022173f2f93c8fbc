/// A title and lines of text fitted to a width: the title at the largest size that fits in one line,
/// the captions wrapped between words. Nothing is cut unless a single word is too long.
struct TextBlock {
  private let title: [String]
  private let titleScale: Int
  private let captions: [String]

  /// - Parameter width: in pixels.
  init(title: String, captions: [String], width: Int) {
    let scale = [3, 2].first { BitmapFont.width(of: title) * $0 <= width } ?? 2
    titleScale = scale
    self.title = title.isEmpty ? [] : Self.wrap(title, width: width / scale)
    self.captions = captions.flatMap { Self.wrap($0, width: width / 2) }
  }

  private var titleLine: Int { titleScale * BitmapFont.height + ContactSheet.textGap }
  private var captionLine: Int { 2 * BitmapFont.height + ContactSheet.textGap / 2 }

  /// Height in pixels with the gap below; 0 when there is no text.
  var height: Int {
    let lines = title.count * titleLine + captions.count * captionLine
    return lines == 0 ? 0 : lines + ContactSheet.rowGap
  }

  func draw(on canvas: inout Canvas, x: Int, y: Int) {
    var y = y
    for line in title {
      canvas.write(line, x: x, y: y, scale: titleScale, .title)
      y += titleLine
    }
    for line in captions {
      canvas.write(line, x: x, y: y, scale: 2, .caption)
      y += captionLine
    }
  }

  /// Lines no wider than `width` pixels at scale 1; a word that is wider is cut to pieces.
  static func wrap(_ text: String, width: Int) -> [String] {
    let most = max(1, (width + 1) / BitmapFont.advance)
    var lines: [String] = []
    for word in text.split(separator: " ") {
      if let last = lines.last, last.count + 1 + word.count <= most {
        lines[lines.count - 1] = last + " " + word
        continue
      }
      var rest = word
      while !rest.isEmpty {
        lines.append(String(rest.prefix(most)))
        rest = rest.dropFirst(most)
      }
    }
    return lines
  }

  /// Writes one line centred over `width` pixels, at twice the size if it fits, else at its own,
  /// else cut with two dots.
  static func centre(
    _ text: String, on canvas: inout Canvas, x: Int, y: Int, width: Int, _ colour: Colour
  ) {
    let scale = BitmapFont.width(of: text) * 2 <= width ? 2 : 1
    let shown = fitted(text, width: width / scale)
    let left = x + (width - BitmapFont.width(of: shown) * scale) / 2
    // Small text stands on the same baseline as large.
    let top = y + (2 - scale) * BitmapFont.capHeight
    canvas.write(shown, x: left, y: top, scale: scale, colour)
  }

  /// The text, or its beginning and "..", within `width` pixels at scale 1.
  static func fitted(_ text: String, width: Int) -> String {
    let most = (width + 1) / BitmapFont.advance
    guard text.count > most else { return text }
    return text.prefix(max(most - 2, 0)) + String(repeating: ".", count: min(2, max(most, 0)))
  }
}
