import Tensors

/// Pictures in rows and columns, with optional labels: samples of a prior, or comparisons (rows =
/// pictures, columns = truth, data, mean, …).
public struct PictureGrid: Sendable {
  public var title: String
  /// Lines below the title; long ones are wrapped.
  public var captions: [String]
  /// Row by row, C×H×W each; rows may be of different length.
  public var rows: [[Tensor]]
  /// Left of the rows, and above the columns; empty for none.
  public var rowLabels: [String], columnLabels: [String]
  /// The intensities shown as black and white.
  public var range: ClosedRange<Float>

  /// - Precondition: there are no labels, or one a row and one a column.
  public init(
    title: String = "", captions: [String] = [], rows: [[Tensor]], rowLabels: [String] = [],
    columnLabels: [String] = [], range: ClosedRange<Float> = 0...1
  ) {
    precondition(rowLabels.isEmpty || rowLabels.count == rows.count)
    precondition(
      columnLabels.isEmpty || columnLabels.count == rows.map(\.count).max() ?? 0)
    self.title = title
    self.captions = captions
    self.rows = rows
    self.rowLabels = rowLabels
    self.columnLabels = columnLabels
    self.range = range
  }

  /// `pictures` in rows of `columns`; nil: as square as it can be.
  public init(
    title: String = "", captions: [String] = [], pictures: [Tensor], columns: Int? = nil,
    range: ClosedRange<Float> = 0...1
  ) {
    let columns = max(1, columns ?? Int(Double(pictures.count).squareRoot().rounded(.up)))
    let rows = stride(from: 0, to: pictures.count, by: columns).map {
      Array(pictures[$0..<min($0 + columns, pictures.count)])
    }
    self.init(title: title, captions: captions, rows: rows, range: range)
  }

  /// Longest side in pixels that small pictures are enlarged to, and the gap between them.
  private static let side = 112, gap = 8

  /// The grid as 3×H×W intensities in 0…1.
  public func render() -> Tensor {
    let panels = rows.map { $0.map { Panel("", .picture($0, range: range)) } }
    let sizes = panels.joined().map { $0.pictureSize(side: Self.side) }
    let cell = (
      width: sizes.map(\.width).max() ?? 1, height: sizes.map(\.height).max() ?? 1
    )
    let columns = rows.map(\.count).max() ?? 0
    let labelWidth = 2 * (rowLabels.map(BitmapFont.width).max() ?? 0)
    let left = labelWidth == 0 ? 0 : labelWidth + 2 * Self.gap
    let top = columnLabels.isEmpty ? 0 : 2 * BitmapFont.height + ContactSheet.labelGap
    let inner = max(
      left + columns * (cell.width + Self.gap) - Self.gap, ContactSheet.minimumWidth)
    let text = TextBlock(title: title, captions: captions, width: inner)
    let margin = ContactSheet.margin
    let height = text.height + top + max(rows.count * (cell.height + Self.gap) - Self.gap, 0)
    var canvas = Canvas(width: inner + 2 * margin, height: height + 2 * margin)
    text.draw(on: &canvas, x: margin, y: margin)
    let originX = margin + left, originY = margin + text.height + top
    for (column, label) in columnLabels.enumerated() {
      TextBlock.centre(
        label, on: &canvas, x: originX + column * (cell.width + Self.gap), y: originY - top,
        width: cell.width, .label)
    }
    for (row, panels) in panels.enumerated() {
      let y = originY + row * (cell.height + Self.gap)
      if !rowLabels.isEmpty {
        let label = rowLabels[row]
        canvas.write(
          label, x: margin + labelWidth - 2 * BitmapFont.width(of: label),
          y: y + cell.height / 2 - BitmapFont.capHeight, scale: 2, .label)
      }
      for (column, panel) in panels.enumerated() {
        let size = panel.pictureSize(side: Self.side)
        panel.draw(
          on: &canvas,
          x: originX + column * (cell.width + Self.gap) + (cell.width - size.width) / 2,
          y: y + (cell.height - size.height) / 2, side: Self.side)
      }
    }
    return canvas.tensor
  }
}
