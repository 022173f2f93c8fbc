/// A number along the draws of each chain, one line a chain.
package struct TracePlot: Sendable {
  /// Chains × draws.
  package let values: [[Double]]
  package let name: String

  /// Points of all lines together: more make the page heavy, not clearer.
  private static let mostPoints = 6000
  private static let mostChains = 64

  package init(_ values: [[Double]], name: String) {
    self.values = values
    self.name = name
  }

  /// Every so many draws are shown.
  var stride: Int {
    let total = shown.reduce(0) { $0 + $1.count }
    return max(1, (total + Self.mostPoints - 1) / Self.mostPoints)
  }

  private var shown: ArraySlice<[Double]> { values.prefix(Self.mostChains) }

  /// What is left out, in words; empty when nothing is.
  package var omission: String {
    var words: [String] = []
    if stride > 1 { words.append("one draw in \(stride) is shown") }
    if values.count > Self.mostChains {
      words.append("the first \(Self.mostChains) of \(values.count) chains are shown")
    }
    return words.joined(separator: ", ")
  }

  package var svg: Markup {
    let step = stride
    let draws = Double(max((values.first?.count ?? 1) - 1, 1))
    let frame = PlotFrame(
      width: 640, height: 240, xs: [0, draws], ys: shown.joined(), xName: "draw", yName: name)
    let lines = shown.enumerated().map { chain, trace in
      let points = Swift.stride(from: 0, to: trace.count, by: step).filter { trace[$0].isFinite }
        .map { "\(pixels(frame.x.pixel(Double($0)))),\(pixels(frame.y.pixel(trace[$0])))" }
      // The hue tells neighbours apart; a chain that stands apart is seen in any colour.
      let hue = chain * 360 / max(shown.count, 1)
      return Markup.tag(
        "polyline",
        [
          "points": points.joined(separator: " "), "class": "trace",
          "style": "stroke: hsl(\(hue) 60% 50%)",
        ])
    }
    return frame.svg(lines, description: "\(name) along the draws of \(values.count) chains")
  }
}
