import Foundation
import Galleries
import ImageFiles
import Inversion
import Numerics
import Tensors

/// A model at one look: draws of its prior, what it makes of test pictures, and the way between them.
package struct EvaluationSheet {
  private static let columns = 12, side = 84
  private static let drawRows = 3, pairs = 4

  let model: PAEModel
  let tests: ImageSet
  let training: ImageSet?
  /// Of the first draws their nearest training pictures; nil where none are known.
  let nearest: [Int]?
  let seed: UInt64

  package init(
    model: PAEModel, tests: ImageSet, training: ImageSet? = nil, nearest: [Int]? = nil, seed: UInt64
  ) {
    self.model = model
    self.tests = tests
    self.training = training
    self.nearest = nearest
    self.seed = seed
  }

  package func render() throws -> Tensor {
    var rows = try draws() + reconstructions()
    let first = min(Self.columns, tests.count)
    for pair in 0..<Self.pairs {
      let (a, b) = ((first + 2 * pair) % tests.count, (first + 2 * pair + 1) % tests.count)
      rows.append(try interpolation(a, b, heading: pair == 0 ? Self.betweenHeading : nil))
    }
    let sheet = ContactSheet(
      title: "model \(model.description.name)",
      captions: [
        "K = \(model.latentDimension), objective \(model.description.objective.rawValue); draws of "
          + "seed \(seed)"
      ], rows: rows)
    return sheet.render().tensor
  }

  private static let betweenHeading =
    "between two test pictures (left and right end): G(u) on the great circle between their u"

  private func draws() throws -> [ContactSheet.Row] {
    let pictures = try model.pictures(
      ofBase: SampleEvaluation.base(
        Self.drawRows * Self.columns, latent: model.latentDimension, seed: seed))
    var rows = stride(from: 0, to: pictures.count, by: Self.columns).map { start in
      row(
        start == 0 ? "draws of the prior" : nil,
        Array(pictures[start..<start + Self.columns]))
    }
    if let nearest, let training {
      rows.insert(
        row(
          "the training picture that is nearest to each of the draws above",
          nearest.prefix(Self.columns).map { training.tensor($0).values }), at: 1)
      rows[2].heading = "more draws"
    }
    return rows
  }

  private func reconstructions() throws -> [ContactSheet.Row] {
    let pictures = (0..<min(Self.columns, tests.count)).map { tests.tensor($0).values }
    return [
      row("test pictures", pictures),
      row("what the autoencoder makes of them", try model.reconstructions(of: pictures)),
    ]
  }

  private func interpolation(_ a: Int, _ b: Int, heading: String?) throws -> ContactSheet.Row {
    let ends = [tests.tensor(a).values, tests.tensor(b).values]
    let base = try ends.map { try model.baseVariables(of: $0) }
    let steps = Self.columns - 2
    let between = (0..<steps).map {
      Self.interpolated(base[0], base[1], at: Double($0) / Double(steps - 1))
    }
    return row(heading, [ends[0]] + (try model.pictures(ofBase: between)) + [ends[1]])
  }

  /// The point at t, 0 … 1, on the great circle from a to b (Shoemake 1985), which a straight line
  /// would leave towards 0, where draws of N(0, I) never are:
  /// (sin((1 − t)ω) a + sin(tω) b) / sin ω, ω the angle between them.
  static func interpolated(_ a: [Double], _ b: [Double], at t: Double) -> [Double] {
    let dot = zip(a, b).reduce(0) { $0 + $1.0 * $1.1 }
    let lengths = [a, b].map { $0.reduce(0) { $0 + $1 * $1 }.squareRoot() }
    let cosine = dot / max(lengths[0] * lengths[1], .leastNormalMagnitude)
    let angle = acos(min(max(cosine, -1), 1))
    let (first, second) =
      sin(angle) < 1e-6
      ? (1 - t, t) : (sin((1 - t) * angle) / sin(angle), sin(t * angle) / sin(angle))
    return zip(a, b).map { first * $0 + second * $1 }
  }

  private func row(_ heading: String?, _ pictures: [[Float]]) -> ContactSheet.Row {
    ContactSheet.Row(
      heading: heading,
      panels: pictures.map {
        Panel("", .picture(Tensor(shape: model.imageShape, values: $0), range: 0...1))
      }, side: Self.side)
  }
}
