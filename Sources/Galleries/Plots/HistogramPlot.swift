/// Two histograms over one another: densities, each of area 1.
package struct HistogramPlot: Sendable {
  package struct Series: Sendable {
    package let name: String
    package let values: [Double]

    package init(_ name: String, _ values: [Double]) {
      self.name = name
      self.values = values.filter(\.isFinite)
    }
  }

  package let first: Series
  package let second: Series
  /// Of the axis.
  package let name: String

  static let bins = 40

  package init(_ first: Series, _ second: Series, name: String) {
    self.first = first
    self.second = second
    self.name = name
  }

  /// Share of the values in each bin of `axis` over the bin's width.
  static func densities(_ values: [Double], _ axis: PlotAxis) -> [Double] {
    var counts = [Double](repeating: 0, count: bins)
    let width = (axis.high - axis.low) / Double(bins)
    for value in values {
      counts[min(max(Int((value - axis.low) / width), 0), bins - 1)] += 1
    }
    return counts.map { $0 / (Double(max(values.count, 1)) * width) }
  }

  package var svg: Markup {
    let values = first.values + second.values
    let axis = PlotAxis(of: values, start: 0, end: 1)
    let shapes = [first, second].map { Self.densities($0.values, axis) }
    let frame = PlotFrame(
      width: 640, height: 220, xs: [axis.low, axis.high],
      ys: [0, max(shapes.joined().max() ?? 0, .leastNormalMagnitude)], xName: name,
      yName: "density")
    var pieces: [Markup] = []
    for (kind, shape) in zip(["first", "second"], shapes) {
      var points = ["\(pixels(frame.x.start)),\(pixels(frame.y.start))"]
      for (bin, density) in shape.enumerated() {
        let level = pixels(frame.y.pixel(density))
        for edge in [bin, bin + 1] {
          let x =
            frame.x.start
            + Double(edge) / Double(Self.bins) * (frame.x.end - frame.x.start)
          points.append("\(pixels(x)),\(level)")
        }
      }
      points.append("\(pixels(frame.x.end)),\(pixels(frame.y.start))")
      pieces.append(
        .tag("polygon", ["points": points.joined(separator: " "), "class": "area \(kind)"]))
    }
    for (index, series) in [first, second].enumerated() {
      let y = 18.0 + 18 * Double(index)
      pieces.append(
        .tag(
          "rect",
          [
            "x": "480.0", "y": pixels(y - 9), "width": "14.0", "height": "10.0",
            "class": "area " + ["first", "second"][index],
          ]))
      pieces.append(PlotFrame.label(series.name, "500.0", pixels(y), "start", "auto"))
    }
    return frame.svg(
      pieces, description: "histograms of \(first.name) and \(second.name)")
  }
}
