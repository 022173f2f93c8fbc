import Foundation
import Judging

/// Calibration as pictures: scalable, no script, readable on light and dark pages.
enum CalibrationPlots {
  private static let side = 320.0
  private static let margin = 48.0

  /// F̂(r) − r of every quantity's ranks against the band: inside the grey when right.
  static func ranks(_ summary: SamplerSummary) -> String {
    let total = Double(summary.count)
    let band = summary.band
    let reach =
      1.25
      * (zip(band.upper, band.points).map { Double($0) / total - $1 } + [
        zip(band.lower, band.points).map { $1 - Double($0) / total }.max() ?? 0.05
      ]).max()!
    func place(_ x: Double, _ y: Double) -> String {
      let clipped = min(max(y / reach, -1.2), 1.2)
      return point(x, 0.5 + 0.4 * clipped)
    }
    let upper = zip(band.points, band.upper).map { place($0, Double($1) / total - $0) }
    let lower = zip(band.points, band.lower).map { place($0, Double($1) / total - $0) }
    var body =
      "<polygon points=\"\((upper + lower.reversed()).joined(separator: " "))\" "
      + "fill=\"#8884\"/>"
    body += line([place(0, 0), place(1, 0)], "#888")
    for quantity in summary.quantities {
      let counts = band.counts(quantity.ranks)
      let path = zip(band.points, counts).map { place($0, Double($1) / total - $0) }
      body += line(
        [place(0, 0)] + path + [place(1, 0)], quantity.isOK ? "#3b7dd8" : "#d83b3b")
    }
    return page(
      body, title: "ranks of \(summary.quantities.count) quantities, \(summary.count) simulations",
      x: "rank", y: String(format: "share below it less uniform (band ± %.3f)", reach / 1.25))
  }

  /// What central intervals hold against what they claim.
  static func coverage(_ summary: ModelSummary) -> String {
    var body = line([point(0, 0), point(1, 1)], "#888")
    for (coverage, colour, name, row) in [
      (summary.observed, "#3b7dd8", "observed", 0.92),
      (summary.missing, "#d8843b", "missing", 0.86),
    ] {
      guard let coverage else { continue }
      body += line(coverage.map { point($0.mass, $0.share) }, colour)
      for entry in coverage {
        body += line(
          [
            point(entry.mass, entry.share - 2 * entry.error),
            point(entry.mass, entry.share + 2 * entry.error),
          ], colour)
        let place = point(entry.mass, entry.share).split(separator: ",")
        body += "<circle cx=\"\(place[0])\" cy=\"\(place[1])\" r=\"3\" fill=\"\(colour)\"/>"
      }
      let place = point(0.05, row).split(separator: ",")
      body += "<text x=\"\(place[0])\" y=\"\(place[1])\" fill=\"\(colour)\">\(name) pixels</text>"
    }
    return page(
      body, title: "\(summary.count) held-out pictures", x: "mass of the interval",
      y: "share of pixels inside (± 2 errors)")
  }

  private static func point(_ x: Double, _ y: Double) -> String {
    String(format: "%.1f,%.1f", margin + side * x, margin + side * (1 - y))
  }

  private static func line(_ points: [String], _ colour: String) -> String {
    "<polyline points=\"\(points.joined(separator: " "))\" fill=\"none\" stroke=\"\(colour)\"/>"
  }

  private static func page(_ body: String, title: String, x: String, y: String) -> String {
    let full = side + 2 * margin
    let frame =
      "<rect x=\"\(margin)\" y=\"\(margin)\" width=\"\(side)\" height=\"\(side)\" fill=\"none\" "
      + "stroke=\"#888\"/>"
    func text(_ words: String, _ px: Double, _ py: Double, _ more: String = "") -> String {
      "<text x=\"\(px)\" y=\"\(py)\" text-anchor=\"middle\" fill=\"#888\"\(more)>\(words)</text>"
    }
    return
      "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 \(full) \(full)\" "
      + "width=\"\(full)\" height=\"\(full)\" font-family=\"sans-serif\" font-size=\"12\">" + frame
      + body + text(title, full / 2, margin - 16) + text(x, full / 2, full - 14)
      + text(y, 18, full / 2, " transform=\"rotate(-90 18 \(full / 2))\"") + "</svg>\n"
  }
}
