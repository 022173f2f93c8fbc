/// An SVG with two axes, ticks and names, for the plots of the report.
///
/// Colours come from the page's style by class: `axis`, `grid`, `first`, `second`, `limit`.
struct PlotFrame {
  let width: Double
  let height: Double
  let x: PlotAxis
  let y: PlotAxis
  let xName: String
  let yName: String

  static let margins = (left: 64.0, right: 12.0, top: 10.0, bottom: 40.0)

  /// - Parameters:
  ///   - xs, ys: what the axes are to hold.
  init(
    width: Double, height: Double, xs: some Sequence<Double>, ys: some Sequence<Double>,
    xName: String, yName: String
  ) {
    (self.width, self.height) = (width, height)
    (self.xName, self.yName) = (xName, yName)
    x = PlotAxis(of: xs, start: Self.margins.left, end: width - Self.margins.right)
    y = PlotAxis(of: ys, start: height - Self.margins.bottom, end: Self.margins.top)
  }

  /// The plot; `description` is for those who cannot see it.
  func svg(_ content: [Markup], description: String) -> Markup {
    let (left, bottom) = (pixels(x.start), pixels(y.start))
    var pieces: [Markup] = []
    for tick in y.ticks(4) {
      let at = pixels(y.pixel(tick.value))
      pieces.append(Self.line(left, at, pixels(x.end), at, "grid"))
      pieces.append(Self.label(tick.label, pixels(x.start - 6), at, "end", "middle"))
    }
    pieces += content
    pieces.append(Self.line(left, bottom, pixels(x.end), bottom, "axis"))
    for tick in x.ticks(6) {
      let at = pixels(x.pixel(tick.value))
      pieces.append(Self.line(at, bottom, at, pixels(y.start + 4), "axis"))
      pieces.append(Self.label(tick.label, at, pixels(y.start + 17), "middle", "auto"))
    }
    pieces.append(
      Self.label(
        xName, pixels((x.start + x.end) / 2), pixels(height - 6), "middle", "auto"))
    let middle = pixels((y.start + y.end) / 2)
    pieces.append(
      .tag(
        "text",
        [
          "transform": "translate(13,\(middle)) rotate(-90)", "text-anchor": "middle",
        ], text: yName))
    return Self.svg(width, height, pieces, description: description)
  }

  static func svg(
    _ width: Double, _ height: Double, _ content: [Markup], description: String
  ) -> Markup {
    .tag(
      "svg",
      [
        "viewBox": "0 0 \(pixels(width)) \(pixels(height))", "role": "img",
        "aria-label": description, "width": pixels(width), "height": pixels(height),
      ], content)
  }

  static func line(_ x1: String, _ y1: String, _ x2: String, _ y2: String, _ kind: String)
    -> Markup
  {
    .tag("line", ["x1": x1, "y1": y1, "x2": x2, "y2": y2, "class": kind])
  }

  static func label(
    _ text: String, _ x: String, _ y: String, _ anchor: String, _ baseline: String
  ) -> Markup {
    .tag(
      "text", ["x": x, "y": y, "text-anchor": anchor, "dominant-baseline": baseline], text: text)
  }
}
