import Diagnostics
import Foundation
import Inversion
import Maps
import Numerics
import Probability
import Problems
import Randomness
import Solving
import Tensors

// Notation, one simulation: u ~ N(0, I), ln α ~ its prior, ε ~ N(0, α²Σ), x = G(u) + ε, y = A x + n.
// The truth of every quantity is then one more draw of its posterior.

/// Where the truth stands among the draws of one simulation, as numbers in (0, 1) that are uniform when
/// the sampler is right.
package struct SamplerRecord: Codable, Sendable {
  /// u_1 … u_K, ln p(y | u), and one observed and one missing element of the picture (NaN-free: a
  /// missing element only where there is one).
  let ranks: [Double]
  /// The u_k of posteriors made wrong on purpose: 20 % too narrow, 20 % too wide, and shifted by a
  /// fifth of a standard deviation.
  let narrow: [Double]
  let wide: [Double]
  let shifted: [Double]
  let tarp: Double
  let divergences: Int
}

/// Is the sampler right: truths from the prior, data from the model, ranks of the truth.
///
/// Source: Talts et al. 2018 (simulation-based calibration); Lemos et al. 2023 (TARP). The TARP
/// reference is the encoder's guess from the data moved by a fixed vector of length ½√K, so it depends on the data and lies
/// to one side of the posterior.
package struct SamplerCalibration {
  let problem: CalibrationProblem
  /// Elements of the picture whose ranks are taken: observed, missing.
  let elements: [(name: String, index: Int)]
  package let names: [String]

  package init(_ problem: CalibrationProblem) {
    self.problem = problem
    let shape = problem.forward.pictureShape
    let centre = shape.count / 2 + (shape.rank == 3 ? shape[2] / 2 : 0)
    // The elements nearest to the middle of the picture, in row-major order.
    let order = (0..<shape.count).sorted { abs($0 - centre) < abs($1 - centre) }
    var elements: [(name: String, index: Int)] = []
    let flags = problem.forward.isIdentity ? problem.observed : nil
    if let seen = order.first(where: { flags?[$0] ?? true }) {
      elements.append(("observed element \(seen)", seen))
    }
    if let hidden = order.first(where: { !(flags?[$0] ?? true) }) {
      elements.append(("missing element \(hidden)", hidden))
    }
    self.elements = elements
    names =
      (0..<problem.solver.model.latentDimension).map { "u_\($0 + 1)" } + ["ln p(y|u)"]
      + elements.map(\.name)
  }

  private struct Truth {
    let base: [Double]
    let logScale: Double
    let picture: [Float]
  }

  /// The records of simulations `range`.
  package func records(
    _ range: Range<Int>, key: RandomKey, progress: (SolveProgress) -> Bool
  ) throws -> [SamplerRecord] {
    let truths = try range.map { try simulate(key: key.child("truth").child($0)) }
    let pictures = try range.map {
      try problem.damaged(
        truths[$0 - range.lowerBound].picture, key: key.child("noise").child($0))
    }
    let batch = try problem.solve(
      pictures, key: key.child("solve").child(range.lowerBound), progress: progress)
    let posterior = batch.measurement.posterior(of: problem.solver.model, inCodes: false)
    return try problem.solver.pool.map(pictures.count) { index in
      try record(
        truths[index], pictures[index], batch, posterior, index,
        key: key.child("ranks").child(range.lowerBound + index))
    }
  }

  private func simulate(key: RandomKey) throws -> Truth {
    let model = problem.solver.model
    let intensity = try problem.solver.intensityResidual(
      noise: problem.noise, forward: problem.forward)
    let law =
      intensity.map { ResidualPrior.intensity($0.variance) }
      ?? .covariance(problem.solver.residual)
    let scale =
      intensity?.scale
      ?? (problem.solver.options.isResidualScaleInferred ? model.residualScale : nil)
    var stream = key.stream()
    let base = stream.normals(model.latentDimension)
    let painted = try model.pictures(ofBase: [base])[0]
    let logScale = scale.map { $0.mean + $0.deviation * stream.normals(1)[0] } ?? 0
    let residual = law.draw(painted, scale: exp(logScale), stream: &stream)
    return Truth(
      base: base, logScale: logScale, picture: zip(painted, residual).map { $0 + $1 })
  }

  private func record(
    _ truth: Truth, _ picture: DamagedPicture, _ batch: CalibrationProblem.Batch,
    _ posterior: ImagePosterior, _ index: Int, key: RandomKey
  ) throws -> SamplerRecord {
    let run = batch.run.problems[index]
    let base = try batch.posterior.baseDraws(run.draws)
    let draws = thinned(base)
    let latent = problem.solver.model.latentDimension
    var stream = key.child("ties").stream()
    func rank(_ truth: Double, _ draws: [Double]) -> Double {
      let tie = stream.uniform()
      let rank = calibrationRank(of: truth, among: draws, tieBreaker: tie)
      return (Double(rank) + tie) / Double(draws.count + 1)
    }
    var ranks: [Double] = []
    var (narrow, wide, shifted): ([Double], [Double], [Double]) = ([], [], [])
    for k in 0..<latent {
      let values = draws.map { $0[k] }
      let mean = values.reduce(0, +) / Double(values.count)
      let deviation =
        (values.reduce(0) { $0 + ($1 - mean) * ($1 - mean) } / Double(values.count - 1))
        .squareRoot()
      ranks.append(rank(truth.base[k], values))
      narrow.append(rank(truth.base[k], values.map { mean + 0.8 * ($0 - mean) }))
      wide.append(rank(truth.base[k], values.map { mean + 1.2 * ($0 - mean) }))
      shifted.append(rank(truth.base[k], values.map { $0 + 0.2 * deviation }))
    }
    let likelihoods = try logLikelihoods(
      [truth.base + (posterior.logScaleIndex == nil ? [] : [truth.logScale])] + draws, posterior,
      index)
    ranks.append(rank(likelihoods[0], Array(likelihoods.dropFirst())))
    let drawn = try PosteriorPictures.drawn(
      CalibrateOptions.rankedDraws, posterior: batch.posterior, problem: index, draws: run.draws,
      residual: batch.measurement.residuals[index], key: key.child("pictures"))
    for element in elements {
      ranks.append(
        rank(
          Double(truth.picture[element.index]), drawn.map { Double($0.values[element.index]) }))
    }
    return SamplerRecord(
      ranks: ranks, narrow: narrow, wide: wide, shifted: shifted,
      tarp: tarpRank(
        truth: truth.base, draws: draws.map { Array($0.prefix(latent)) },
        reference: try reference(picture), tieBreaker: stream.uniform()),
      divergences: run.divergences)
  }

  /// Draws spread evenly over every chain.
  private func thinned(_ draws: DrawSet) -> [[Double]] {
    let total = draws.chains * draws.draws
    return (0..<CalibrateOptions.rankedDraws).map { number in
      let index = (2 * number + 1) * total / (2 * CalibrateOptions.rankedDraws)
      return Array(draws.position(chain: index / draws.draws, draw: index % draws.draws))
    }
  }

  /// ln p(y | u, α) up to a constant of the data: the joint density without the priors.
  private func logLikelihoods(
    _ positions: [[Double]], _ posterior: ImagePosterior, _ index: Int
  ) throws -> [Double] {
    let evaluator = try posterior.makeEvaluator(
      problems: [Int](repeating: index, count: positions.count))
    let flat = positions.flatMap { $0 }
    var values = [Double](repeating: 0, count: positions.count)
    var gradients = flat
    var valueSpan = values.mutableSpan
    var gradientSpan = gradients.mutableSpan
    evaluator.evaluate(flat.span, values: &valueSpan, gradients: &gradientSpan)
    return zip(positions, values).map { position, value in
      var value = value
      for u in position.prefix(posterior.latentDimension) { value += 0.5 * u * u }
      if let scale = posterior.residualScale, let last = position.last {
        let deviation = (last - scale.mean) / scale.deviation
        value += 0.5 * deviation * deviation
      }
      return value
    }
  }

  private func reference(_ picture: DamagedPicture) throws -> [Double] {
    let model = problem.solver.model
    let image = picture.suggestion.picture.map { min(max($0, 0), 1) }
    let base =
      try model.suggestion(for: image) ?? [Double](repeating: 0, count: model.latentDimension)
    return base.map { min(max($0, -4), 4) + 0.5 }
  }
}
