import Tensors

/// One look at a posterior: data, mean, standard deviation, MAP and truth, and below them draws.
public struct PosteriorGallery: Sendable {
  /// First line, large.
  public var title: String
  /// Lines below it; long ones are wrapped.
  public var captions: [String]
  /// What was measured, C×H×W of any size; nil when it is no picture (Fourier samples).
  public var data: Tensor?
  /// 1×H×W or C×H×W like the data: below ½ = not observed, drawn hatched.
  public var observed: Tensor?
  /// Posterior mean, standard deviation and most probable picture, C×H×W; nil where not computed.
  public var mean: Tensor?, standardDeviation: Tensor?
  public var map: Tensor?
  /// The picture before the damage, when known.
  public var truth: Tensor?
  /// Posterior draws; the first 16 are shown.
  public var draws: [Tensor]
  /// The intensities shown as black and white.
  public var range: ClosedRange<Float>

  public init(
    title: String, captions: [String] = [], data: Tensor?, observed: Tensor? = nil, mean: Tensor?,
    standardDeviation: Tensor?, map: Tensor?, truth: Tensor? = nil, draws: [Tensor],
    range: ClosedRange<Float> = 0...1
  ) {
    self.title = title
    self.captions = captions
    self.data = data
    self.observed = observed
    self.mean = mean
    self.standardDeviation = standardDeviation
    self.map = map
    self.truth = truth
    self.draws = draws
    self.range = range
  }

  /// Longest sides in pixels that small pictures are enlarged to: the summaries, the draws.
  private static let summarySide = 168, drawSide = 112
  private static let shownDraws = 16

  /// The gallery as 3×H×W intensities in 0…1.
  public func render() -> Tensor {
    let summary = ContactSheet.Row(panels: summaryPanels, side: Self.summarySide)
    return ContactSheet(title: title, captions: captions, rows: [summary] + drawRows).render()
      .tensor
  }

  private var summaryPanels: [Panel] {
    var panels: [Panel] = []
    if let data {
      let content: Panel.Content =
        if let observed { .masked(data, observed: observed, range: range) } else {
          .picture(data, range: range)
        }
      panels.append(Panel("data", content))
    }
    if let mean { panels.append(Panel("mean", .picture(mean, range: range))) }
    if let map { panels.append(Panel("MAP", .picture(map, range: range))) }
    if let truth { panels.append(Panel("truth", .picture(truth, range: range))) }
    // The colour bar stands at the right edge of the row.
    if let standardDeviation { panels.append(Panel("std dev", .heat(standardDeviation))) }
    return panels
  }

  /// Eight draws a row, four when they are too large for that.
  private var drawRows: [ContactSheet.Row] {
    let shown = draws.prefix(Self.shownDraws)
    guard let width = shown.first?.shape[2] else { return [] }
    let columns = width <= Self.summarySide ? 8 : 4
    return stride(from: 0, to: shown.count, by: columns).map { start in
      let row = shown[start..<min(start + columns, shown.count)]
      return ContactSheet.Row(
        heading: start == 0 ? "draws from the posterior" : nil,
        panels: row.map { Panel("", .picture($0, range: range)) }, side: Self.drawSide)
    }
  }
}
