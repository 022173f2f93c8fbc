import Foundation

/// Named numbers as horizontal bars, one or two each, with a line where the acceptable ones end.
package struct BarPlot: Sendable {
  package struct Row: Sendable {
    package let name: String
    /// One or two; what is not finite has a bar of full length.
    package let values: [Double]

    package init(_ name: String, _ values: [Double]) {
      self.name = name
      self.values = values
    }
  }

  package let rows: [Row]
  /// Where bars begin.
  package let origin: Double
  package let limit: Double
  package let decimals: Int
  package let title: String

  package init(_ title: String, rows: [Row], origin: Double, limit: Double, decimals: Int) {
    self.rows = rows
    self.origin = origin
    self.limit = limit
    self.decimals = decimals
    self.title = title
  }

  package var svg: Markup {
    let (left, right, rowHeight, top) = (96.0, 250.0, 22.0, 20.0)
    let finite = rows.flatMap(\.values).filter(\.isFinite)
    let axis = PlotAxis(
      of: [origin, limit + (limit - origin) * 0.1] + finite, start: left, end: right)
    var pieces: [Markup] = []
    for (index, row) in rows.enumerated() {
      let y = top + rowHeight * Double(index)
      pieces.append(PlotFrame.label(row.name, pixels(left - 8), pixels(y + 15), "end", "auto"))
      let thickness = 14 / Double(max(row.values.count, 1))
      for (number, value) in row.values.enumerated() {
        let end = value.isFinite ? axis.pixel(value) : axis.end
        pieces.append(
          .tag(
            "rect",
            [
              "x": pixels(left), "y": pixels(y + 4 + Double(number) * thickness),
              "width": pixels(max(end - left, 0)), "height": pixels(thickness - 1),
              "class": number == 0 ? "first" : "second",
            ]))
      }
      pieces.append(
        PlotFrame.label(
          row.values.map(shown).joined(separator: " / "), pixels(right + 8), pixels(y + 15),
          "start", "auto"))
    }
    let bottom = top + rowHeight * Double(rows.count)
    let at = pixels(axis.pixel(limit))
    pieces.append(PlotFrame.line(at, pixels(top - 2), at, pixels(bottom), "limit"))
    pieces.append(
      PlotFrame.label(shown(limit), at, pixels(top - 7), "middle", "auto"))
    return PlotFrame.svg(340, bottom + 4, pieces, description: title)
  }

  private func shown(_ value: Double) -> String {
    value.isFinite ? String(format: "%.\(decimals)f", value) : "none"
  }
}
