/// Rows of labelled panels under a title and lines of text: the look that all galleries share.
package struct ContactSheet: Sendable {
  /// Panels side by side; all of one row are enlarged to the same longest side, about `side` pixels.
  package struct Row: Sendable {
    /// Stands above the row at its left edge.
    package var heading: String?
    package var panels: [Panel]
    package var side: Int

    package init(heading: String? = nil, panels: [Panel], side: Int) {
      self.heading = heading
      self.panels = panels
      self.side = side
    }
  }

  static let margin = 28, panelGap = 16, rowGap = 18, labelGap = 8, textGap = 8
  /// Additional room above a row with a heading.
  static let headingGap = 8
  /// No sheet is narrower, so that text has room.
  static let minimumWidth = 320

  package var title: String
  package var captions: [String]
  package var rows: [Row]

  package init(title: String, captions: [String], rows: [Row]) {
    self.title = title
    self.captions = captions
    self.rows = rows
  }

  package func render() -> Canvas {
    let inner = max(rows.map(width).max() ?? 0, Self.minimumWidth)
    let text = TextBlock(title: title, captions: captions, width: inner)
    let heights = rows.map(height)
    let total = text.height + heights.reduce(0, +) + Self.rowGap * max(rows.count - 1, 0)
    var canvas = Canvas(width: inner + 2 * Self.margin, height: total + 2 * Self.margin)
    text.draw(on: &canvas, x: Self.margin, y: Self.margin)
    var y = Self.margin + text.height
    for (row, height) in zip(rows, heights) {
      draw(row, on: &canvas, y: y, inner: inner)
      y += height + Self.rowGap
    }
    return canvas
  }

  private func width(_ row: Row) -> Int {
    row.panels.map { $0.width(side: row.side) }.reduce(0, +)
      + Self.panelGap * max(row.panels.count - 1, 0)
  }

  private func height(_ row: Row) -> Int {
    headingHeight(row) + labelHeight(row)
      + (row.panels.map { $0.pictureSize(side: row.side).height }.max() ?? 0)
  }

  private func headingHeight(_ row: Row) -> Int {
    row.heading == nil ? 0 : Self.headingGap + 2 * BitmapFont.height + Self.textGap
  }

  private func labelHeight(_ row: Row) -> Int {
    row.panels.allSatisfy(\.label.isEmpty) ? 0 : 2 * BitmapFont.height + Self.labelGap
  }

  /// Panels are spread over the width of the sheet unless that would tear them apart.
  private func draw(_ row: Row, on canvas: inout Canvas, y: Int, inner: Int) {
    if let heading = row.heading {
      canvas.write(heading, x: Self.margin, y: y + Self.headingGap, scale: 2, .caption)
    }
    let slack = inner - width(row)
    let gaps = max(row.panels.count - 1, 1)
    let spread = slack <= gaps * Self.panelGap ? slack : 0
    let pictureY = y + headingHeight(row) + labelHeight(row)
    var x = Self.margin
    for (index, panel) in row.panels.enumerated() {
      // Rounding is shared out, so that the last panel ends at the right margin.
      let left = x + (row.panels.count > 1 ? spread * index / gaps : 0)
      let width = panel.pictureSize(side: row.side).width
      TextBlock.centre(
        panel.label, on: &canvas, x: left, y: pictureY - labelHeight(row), width: width, .label)
      panel.draw(on: &canvas, x: left, y: pictureY, side: row.side)
      x += panel.width(side: row.side) + Self.panelGap
    }
  }
}
