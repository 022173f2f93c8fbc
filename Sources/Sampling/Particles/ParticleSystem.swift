import Foundation
import Numerics
import Probability
import Randomness

/// The particles of one problem on their way down the temperatures: weighted, resampled, then moved
/// until they have forgotten where they stood. Touched only by the thread that runs the batch.
final class ParticleSystem {
  private(set) var particles: Particles
  private(set) var levels: [TemperatureLevel] = []
  private(set) var isDone = false
  let blocks: [ParticleBlock]

  private let problem: ParticleProblem
  private let options: SequentialMonteCarloOptions
  private var logEvidences: [Double]
  /// Number of the prior draw that each particle descends from.
  private var founders: [Int]
  /// Folds of the particles, in order: what one fold's metric is learned from never holds it.
  private let folds: [Range<Int>]
  private var metrics: [any Metric]
  private var stepSize: Double
  /// The move that `planMove` has planned.
  private var steps = 0
  private var moveIndex = 0
  /// Positions after resampling, N × D, and the variance of each coordinate there, within folds.
  private var origin: [Double] = []
  private var variances: [Double] = []
  /// Each coordinate's mean square distance from the origin after the latest move, in units of twice its
  /// variance: 1 − correlation.
  private var decorrelation: [Double] = []

  private var islandSize: Int { problem.islands[0].count }
  private var inverseTemperature: Double { levels.last?.inverseTemperature ?? 0 }

  init(
    _ problem: ParticleProblem, density: any TemperedLogDensity,
    options: SequentialMonteCarloOptions, rows: Int
  ) throws {
    self.problem = problem
    self.options = options
    particles = Particles(positions: Array(problem.islands.joined()))
    let count = particles.count
    blocks = try stride(from: 0, to: count, by: rows).map {
      try ParticleBlock(
        density: density, problem: problem.index, particles: $0..<min($0 + rows, count), rows: rows)
    }
    logEvidences = problem.islands.map { _ in 0 }
    founders = Array(0..<count)
    let size = problem.islands.count == 1 ? (count + 1) / 2 : problem.islands[0].count
    folds = stride(from: 0, to: count, by: size).map { $0..<min($0 + size, count) }
    metrics = folds.map { _ in DiagonalMetric(dimension: density.dimension) }
    // The scaling of the optimal step on a unit Gaussian (Neal 2011, section 4.4).
    stepSize = pow(Double(density.dimension), -0.25)
  }

  /// Takes over the factors of the prior draws; names an island that no draw of which fits the data.
  func beginLadder() -> Int? {
    for block in blocks { block.store(into: &particles) }
    let misfit = islands.firstIndex { $0.allSatisfy { $0 == -.infinity } }
    if misfit == nil { descend() }
    return misfit
  }

  /// The next move, one call for each block; the calls may be made from several threads.
  func planMove() -> @Sendable (ParticleBlock) -> Void {
    let key = problem.key.child("move").child(moveIndex)
    var stream = key.child("length").stream()
    let factor = 1 + options.jitter * (2 * stream.uniform() - 1)
    let planned = (options.trajectoryLength * factor / stepSize).rounded()
    steps = Int(min(max(planned, 1), Double(options.maximumSteps)))
    let size = folds[0].count
    let leapfrogs = metrics.map { Leapfrog(stepSize: stepSize, metric: $0) }
    return { [particles, steps, inverseTemperature] block in
      block.move(
        particles, inverseTemperature: inverseTemperature, steps: steps,
        key: key.child("particle")
      ) { leapfrogs[$0 / size] }
    }
  }

  /// Takes over what the blocks have moved, and goes on to the next temperature when that is enough.
  /// Returns the number of gradients that the move took.
  func concludeMove() -> Int {
    for block in blocks { block.store(into: &particles) }
    let count = Double(particles.count)
    let acceptance = blocks.reduce(0) { $0 + $1.acceptanceSum } / count
    moveIndex += 1
    let isEnough = hasDecorrelated()
    let last = levels.count - 1
    levels[last].acceptance +=
      (acceptance - levels[last].acceptance) / Double(levels[last].moves + 1)
    levels[last].moves += 1
    levels[last].steps += steps
    levels[last].stepSize = stepSize
    levels[last].correlation = decorrelation.reduce(0) { max($0, abs(1 - $1)) }
    // A gain of 2 takes a step that accepts nothing down by a factor five, one that accepts all up by
    // one and a half; near the target it is close to a Newton step, d acceptance/d log ε ≈ −0.4.
    stepSize *= exp(2 * (acceptance - options.targetAcceptance))
    let gradients = steps * particles.count
    guard isEnough || levels[last].moves == options.maximumMoves else { return gradients }
    if inverseTemperature == 1 { isDone = true } else { descend() }
    return gradients
  }

  /// How far down, in thousandths of β^¼; 1000 when done.
  var perMille: Int { Int(1000 * pow(inverseTemperature, 0.25)) }

  var run: ParticleRun {
    var sizes = [Int](repeating: 0, count: particles.count)
    for founder in founders { sizes[founder] += 1 }
    let count = Double(particles.count)
    return ParticleRun(
      draws: DrawSet(
        chains: problem.islands.count, draws: islandSize, dimension: particles.dimension,
        positions: particles.positions,
        logDensities: (0..<particles.count).map {
          particles.logDensity($0, inverseTemperature: 1)
        }),
      islandLogEvidences: logEvidences, levels: levels,
      ancestralSampleSize: count * count / Double(sizes.reduce(0) { $0 + $1 * $1 }))
  }

  private var islands: [ArraySlice<Double>] {
    problem.islands.indices.map {
      particles.factors.logLikelihoods[$0 * islandSize..<($0 + 1) * islandSize]
    }
  }

  /// Weights the particles for the next temperature, resamples each island, adapts the metric.
  private func descend() {
    let next = nextInverseTemperature(
      after: inverseTemperature, islands: islands, fraction: options.effectiveFraction)
    let weights = islands.map {
      ImportanceWeights(logLikelihoods: $0, step: next - inverseTemperature)
    }
    let key = problem.key.child("resampling").child(levels.count)
    let old = particles
    let oldFounders = founders
    for (island, weights) in weights.enumerated() {
      logEvidences[island] += weights.logMean
      var stream = key.child(island).stream()
      let ancestors = systematicAncestors(weights: weights.weights, uniform: stream.uniform())
      let first = island * islandSize
      for (offset, ancestor) in ancestors.enumerated() {
        particles.replace(first + offset, by: old, first + ancestor)
        founders[first + offset] = oldFounders[first + ancestor]
      }
    }
    levels.append(
      TemperatureLevel(
        inverseTemperature: next,
        effectiveSampleSize: weights.reduce(0) { $0 + $1.effectiveSampleSize }))
    adaptMetrics()
    origin = particles.positions
    decorrelation = [Double](repeating: 0, count: particles.dimension)
  }

  /// Each fold gets the covariance of the resampled particles of the others.
  ///
  /// Were it learned from the particles that it moves, each of them would steer its own kernel, by D/N of
  /// the whole, and the target would not quite be left as it is: in 40 dimensions with 1,024 particles
  /// log Z came out 2 nats too low, 33 temperatures together. Folds that lie in different places are
  /// pooled within; modes within a fold widen the metric along the line that joins them. That costs
  /// small steps, never the target.
  private func adaptMetrics() {
    let moments = folds.map { fold in
      var moments = RunningMoments(dimension: particles.dimension, shape: .full)
      for index in fold { moments.add(particles.position(index)) }
      return moments
    }
    variances = (0..<particles.dimension).map { k in
      moments.reduce(0) { $0 + $1.scatterDiagonal(k) } / Double(particles.count - folds.count)
    }
    for fold in folds.indices {
      var others = moments
      others.remove(at: fold)
      let pooled = RunningMoments.pooled(others)
      if let adapted = metric(from: pooled) ?? metric(from: pooled.diagonal) {
        metrics[fold] = adapted
      }
    }
  }

  /// Whether every coordinate's correlation with the origin is within the bound, or changes no more:
  /// between modes that no move joins it never falls.
  private func hasDecorrelated() -> Bool {
    let dimension = particles.dimension
    var sums = [Double](repeating: 0, count: dimension)
    for (index, value) in particles.positions.enumerated() {
      let shift = value - origin[index]
      sums[index % dimension] += shift * shift
    }
    var isEnough = true
    for k in 0..<dimension {
      let value = sums[k] / (2 * variances[k] * Double(particles.count))
      // A diffusing coordinate's square distance still grows by a fifth in its sixth move.
      let changes = abs(value - decorrelation[k]) >= 0.2 * decorrelation[k]
      if abs(1 - value) > options.correlationBound && changes { isEnough = false }
      decorrelation[k] = value
    }
    return isEnough
  }
}
