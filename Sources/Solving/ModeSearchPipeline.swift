import Foundation
import Inversion
import Maps
import Numerics
import Probability
import Problems
import Randomness
import Sampling
import Tensors
import Workers

/// The modes of one problem, heaviest first.
package struct ModeSet {
  package struct Entry {
    package let mode: Mode
    /// Gaussian approximation of the posterior there: inverse Gauss–Newton precision.
    let metric: DenseMetric
    /// Share of the Laplace masses: ∝ exp(log density) √det covariance.
    package let weight: Double
  }

  /// Never empty.
  package let entries: [Entry]
  /// Whether the best optimum met a convergence test.
  package let isConverged: Bool

  /// The mode of the highest density: the MAP.
  package let best: Mode

  /// - Parameter best: of the highest density among all found; nil for among `entries`.
  init(entries: [Entry], isConverged: Bool, best: Mode? = nil) {
    self.entries = entries
    self.isConverged = isConverged
    self.best = best ?? entries.max { $0.mode.logDensity < $1.mode.logDensity }!.mode
  }

  /// The best mode as a set of one draw.
  package var bestDraw: DrawSet {
    DrawSet(
      chains: 1, draws: 1, dimension: best.position.count, positions: best.position,
      logDensities: [best.logDensity])
  }

  /// Where the modes are, heaviest first.
  var positions: [[Double]] { entries.map(\.mode.position) }

  /// Metric of the heaviest mode.
  package var metric: DenseMetric { entries[0].metric }

  /// Starts of chains: each mode gets its share of the chains (largest remainders), and its chains
  /// start from its Gaussian approximation, so that they begin apart from one another.
  package func chainStarts(count: Int, key: RandomKey) -> [[Double]] {
    let shares = largestRemainders(entries.map(\.weight), total: count)
    var starts: [[Double]] = []
    for (entry, share) in zip(entries, shares) {
      for _ in 0..<share {
        var stream = key.child(starts.count).stream()
        starts.append(entry.metric.draw(around: entry.mode.position, from: &stream))
      }
    }
    return starts
  }
}

/// Climbs from many starts at once and describes what was found.
package struct ModeSearchPipeline {
  /// Prior draws a problem starts from, beside the encoder's guess.
  static let priorStarts = 15
  /// Starts chosen for their density, and the prior draws that they are the best of: where much of a
  /// picture is missing a few random starts can all miss the heaviest mode.
  static let probableStarts = 16
  static let candidates = 512
  /// Maxima nearer than this many posterior standard deviations are one mode.
  static let mergeDistance = 1.0
  /// Modes kept at most.
  static let largestCount = 8

  let model: any Prior
  let posterior: ImagePosterior
  let pool: WorkerPool

  package init(model: any Prior, posterior: ImagePosterior, pool: WorkerPool) {
    self.model = model
    self.posterior = posterior
    self.pool = pool
  }

  /// Where the climbs of each picture, problem i of the posterior, begin: what the prior suggests for the data, the encoder's guess
  /// (missing pixels filled with the prior's mean picture), prior draws, and the most probable of many
  /// more; each with ln σ at its estimate when σ is inferred. `candidates` gradients a picture.
  package func starts(
    for pictures: [DamagedPicture], key: RandomKey
  ) throws -> [[[Double]]] {
    let latent = model.latentDimension
    var starts: [[[Double]]] = []
    var drawn: [[[Double]]] = []
    for (index, picture) in pictures.enumerated() {
      let own = key.child(index)
      var stream = own.stream()
      var base: [[Double]] = [try suggestion(picture, key: own.child("fill"))]
      for _ in 0..<Self.priorStarts { base.append(stream.normals(latent)) }
      starts.append(try positions(base, picture))
      drawn.append(
        try positions((0..<Self.candidates).map { _ in stream.normals(latent) }, picture))
    }
    let best = try mostProbable(drawn)
    return zip(starts, best).map { $0 + $1 }
  }

  /// Of each problem's positions those of highest log density, best first.
  private func mostProbable(_ candidates: [[[Double]]]) throws -> [[[Double]]] {
    var densities = candidates.map { [Double](repeating: -.infinity, count: $0.count) }
    let sets = candidates.enumerated().map {
      PointSet(problem: $0, positions: Array($1.joined()))
    }
    try evaluate(posterior, at: sets, pool: pool) { densities[$0][$1] = $2.logDensity }
    return zip(candidates, densities).map { candidates, densities in
      let order = candidates.indices.sorted {
        densities[$0] == densities[$1] ? $0 < $1 : densities[$0] > densities[$1]
      }
      return order.prefix(Self.probableStarts).map { candidates[$0] }
    }
  }

  /// Positions of base variables, the other coordinates where the search begins.
  private func positions(
    _ base: [[Double]], _ picture: DamagedPicture
  ) throws -> [[Double]] {
    let latent = model.latentDimension
    var starts = base
    if posterior.flow != nil { starts = try model.codes(ofBase: starts) }
    // Coefficients of painted factors start at their prior mean, values before clipping half a standard
    // deviation of the noise beyond the end.
    let isLogarithmic = posterior.logarithmicCount > 0
    let rest = [Double](
      repeating: isLogarithmic ? log(max(picture.sigma, 1e-3) / 2) : 0,
      count: posterior.latentDimension - latent)
    starts = starts.map { $0 + rest }
    let levels =
      (posterior.noiseLevel.isInferred ? [log(picture.sigma)] : [])
      + (posterior.residualScale.map { [$0.mean] } ?? [])
    return starts.map { $0 + levels }
  }

  package func run(
    starts: [[[Double]]], progress: @escaping (Sampling.Progress) -> Bool
  ) throws -> (sets: [ModeSet], gradients: Int) {
    let optima = try maximize(posterior, starts: starts, pool: pool, progress: progress)
    let gaussNewton = try GaussNewtonMetric(posterior)
    let sets = try optima.enumerated().map { problem, optima in
      try describe(optima, problem: problem, gaussNewton)
    }
    return (sets, optima.joined().reduce(0) { $0 + $1.evaluations })
  }

  private func describe(
    _ optima: [Optimum], problem: Int, _ gaussNewton: GaussNewtonMetric
  ) throws -> ModeSet {
    func metric(_ position: [Double]) throws -> DenseMetric {
      let precision = gaussNewton.precision(at: position, problem: problem)
      guard let metric = DenseMetric(precision: precision, dimension: posterior.dimension) else {
        throw PipelineError.internal("the curvature at a mode is not positive definite")
      }
      return metric
    }
    guard let best = optima.filter(\.logDensity.isFinite).max(by: { $0.logDensity < $1.logDensity })
    else {
      throw PipelineError.data(
        "the posterior density is not finite anywhere the search began; check --sigma and the data")
    }
    let modes = distinctModes(
      optima, distance: Self.mergeDistance, metric: try metric(best.position)
    ).prefix(Self.largestCount)
    let described = try modes.map { mode in (mode, try metric(mode.position)) }
    let masses = described.map { $0.logDensity + $1.halfLogDeterminant }
    let largest = masses.max() ?? 0
    let total = masses.reduce(0) { $0 + exp($1 - largest) }
    let entries = zip(described, masses).map {
      ModeSet.Entry(mode: $0.0, metric: $0.1, weight: exp($1 - largest) / total)
    }
    return ModeSet(
      entries: entries.sorted { $0.weight > $1.weight }, isConverged: best.isConverged)
  }

  /// What the prior suggests for the picture that the data suggest; u = 0 where it suggests nothing.
  private func suggestion(_ picture: DamagedPicture, key: RandomKey) throws -> [Double] {
    var image = picture.suggestion.picture.map { min(max($0, 0), 1) }
    let isKnown = picture.suggestion.isKnown
    if isKnown.contains(false) {
      let fill = try priorMean(key: key)
      for index in image.indices where !isKnown[index] { image[index] = fill[index] }
    }
    guard let base = try model.suggestion(for: image) else {
      return [Double](repeating: 0, count: model.latentDimension)
    }
    // Noise takes the encoder off its training pictures: keep the guess where the prior has mass.
    let length = base.reduce(0) { $0 + $1 * $1 }.squareRoot()
    let bound = Double(base.count).squareRoot()
    return base.map { $0 * (length > bound ? bound / length : 1) }
  }

  /// Mean of 32 prior pictures.
  private func priorMean(key: RandomKey) throws -> [Float] {
    let lanes = 32
    var stream = key.stream()
    let base = stream.normals(lanes * model.latentDimension).map { Float($0) }
    let pixels = model.imageShape.count
    var images = [Float](repeating: 0, count: lanes * pixels)
    var span = images.mutableSpan
    try model.generator.makePlan(lanes: lanes).apply(base.span, into: &span)
    return (0..<pixels).map { pixel in
      (0..<lanes).reduce(Float(0)) { $0 + images[$1 * pixels + pixel] } / Float(lanes)
    }
  }
}

extension DenseMetric {
  /// ½ ln det of the covariance.
  var halfLogDeterminant: Double {
    (0..<dimension).reduce(0) { $0 + log(choleskyFactor[$1 * (dimension + 1)]) }
  }

  /// center + L ξ, ξ ~ N(0, I).
  func draw(around center: [Double], from stream: inout RandomStream) -> [Double] {
    let normals = stream.normals(dimension)
    return (0..<dimension).map { row in
      (0...row).reduce(center[row]) { $0 + choleskyFactor[row * dimension + $1] * normals[$1] }
    }
  }
}
