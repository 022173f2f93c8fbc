/// For each chain a histogram of the ranks of its draws among all draws: flat when chains agree.
///
/// Source: Vehtari, Gelman, Simpson, Carpenter and Bürkner 2021, section 4.2.
package struct RankPlot: Sendable {
  /// Chains × bins: counts.
  let counts: [[Int]]
  package let name: String

  static let bins = 20
  private static let mostChains = 64

  /// - Parameter values: chains × draws, chains of equal length; ties are ranked as they stand.
  package init(_ values: [[Double]], name: String) {
    self.name = name
    let draws = values.first?.count ?? 0
    let flat = Array(values.joined())
    let order = flat.indices.sorted { (flat[$0], $0) < (flat[$1], $1) }
    var counts = values.map { _ in [Int](repeating: 0, count: Self.bins) }
    for (rank, index) in order.enumerated() {
      counts[index / draws][rank * Self.bins / flat.count] += 1
    }
    self.counts = counts
  }

  package var svg: Markup {
    let shown = counts.prefix(Self.mostChains)
    let columns = 2
    let rows = (shown.count + columns - 1) / columns
    let (left, cell, rowHeight, barHeight) = (34.0, 270.0, 30.0, 24.0)
    let most = Double(max(shown.joined().max() ?? 1, 1))
    let expected = Double(counts.first?.reduce(0, +) ?? 0) / Double(Self.bins)
    var pieces: [Markup] = []
    for (chain, row) in shown.enumerated() {
      let x = left + Double(chain % columns) * (cell + 50)
      let bottom = Double(chain / columns) * rowHeight + barHeight + 2
      let width = cell / Double(Self.bins)
      for (bin, count) in row.enumerated() where count > 0 {
        let height = Double(count) / most * barHeight
        pieces.append(
          .tag(
            "rect",
            [
              "x": pixels(x + Double(bin) * width), "y": pixels(bottom - height),
              "width": pixels(width - 1), "height": pixels(height), "class": "first",
            ]))
      }
      let level = pixels(bottom - expected / most * barHeight)
      pieces.append(PlotFrame.line(pixels(x), level, pixels(x + cell), level, "limit"))
      pieces.append(
        PlotFrame.label("\(chain)", pixels(x - 6), pixels(bottom - 4), "end", "auto"))
    }
    return PlotFrame.svg(
      640, Double(rows) * rowHeight + 4, pieces,
      description: "ranks of \(name) in \(counts.count) chains")
  }
}
