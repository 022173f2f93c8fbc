import PAEInversion
import Problems

/// A Fashion-MNIST test picture with a hole and white noise that is known and not clipped.
struct PreconditioningProblem {
  /// Number among the test pictures.
  let picture: Int
  /// Standard deviation of the noise, intensity.
  let sigma: Double
  let hole: CorruptOptions.Hole

  /// The problem of the part `posterior` first; the others take test pictures in order.
  static let ten = [
    PreconditioningProblem(
      picture: 3055, sigma: FixedProblem.sigma, hole: .rectangle(rows: 8...16, columns: 9...21)),
    PreconditioningProblem(
      picture: 0, sigma: 0.3, hole: .rectangle(rows: 8...16, columns: 9...21)),
    PreconditioningProblem(picture: 1, sigma: 0.05, hole: .none),
    PreconditioningProblem(picture: 2, sigma: 0.1, hole: .none),
    PreconditioningProblem(picture: 3, sigma: 0.3, hole: .none),
    PreconditioningProblem(picture: 4, sigma: 0.5, hole: .none),
    PreconditioningProblem(
      picture: 5, sigma: 0.05, hole: .rectangle(rows: 0...27, columns: 0...13)),
    PreconditioningProblem(
      picture: 6, sigma: 0.3, hole: .rectangle(rows: 0...27, columns: 0...13)),
    PreconditioningProblem(picture: 7, sigma: 0.05, hole: .random(fraction: 0.9)),
    PreconditioningProblem(picture: 8, sigma: 0.1, hole: .random(fraction: 0.9)),
  ]

  /// Picture, σ and what is missing.
  var name: String { "\(picture), σ \(sigma), \(missing)" }

  var missing: String {
    switch hole {
    case .none: "whole"
    case .rectangle(let rows, let columns):
      "without \(rows.lowerBound)-\(rows.upperBound) × \(columns.lowerBound)-\(columns.upperBound)"
    case .random(let fraction): "without \(Int((100 * fraction).rounded())) %"
    case .mask(let path): "without \(path)"
    }
  }

  /// Makes the damaged picture, a 16-bit PNG, and its mask in a new folder; noise and random holes of
  /// seed 1.
  /// - Throws: `PipelineError.missing` without Fashion-MNIST.
  func damage(in folder: String) throws -> SolveTask {
    var options = CorruptOptions()
    options.noise.sigma = .value(sigma)
    options.hole = hole
    options.isWide = true
    try CorruptPipeline.run(image: "fashion-mnist:\(picture)", output: folder, options: options)
    return SolveTask(
      image: folder + "/data.png", output: folder,
      mask: hole == .none ? nil : folder + "/mask.png")
  }
}
