import Foundation
import Numerics
import Probability
import Randomness

/// A fixed group of neighbouring particles of one problem with one evaluator: the unit of work of the
/// pool. Every block has the same number of rows, the last one filled up with idle ones, so results
/// have the same bits for any number of threads.
final class ParticleBlock: @unchecked Sendable {
  // One thread at a time: the runner's between moves, one worker's during one.
  let particles: Range<Int>
  /// Metropolis acceptance probabilities of the latest move, summed.
  private(set) var acceptanceSum = 0.0

  private let dimension: Int
  private let evaluator: any FactorEvaluator
  /// Rows × D; idle rows stay at zero, an ordinary position for any density of this project.
  private var positions: [Double]
  private var factors: DensityFactors
  private var points: [PhasePoint]
  private var startEnergies: [Double]
  private var uniforms: [Double]
  private var isAccepted: [Bool]

  init(density: any TemperedLogDensity, problem: Int, particles: Range<Int>, rows: Int) throws {
    self.particles = particles
    dimension = density.dimension
    evaluator = try density.makeFactorEvaluator(problems: Array(repeating: problem, count: rows))
    positions = [Double](repeating: 0, count: rows * dimension)
    factors = DensityFactors(count: rows, dimension: dimension)
    points = particles.map { [dimension] _ in PhasePoint(dimension: dimension) }
    startEnergies = [Double](repeating: 0, count: particles.count)
    uniforms = startEnergies
    isAccepted = particles.map { _ in false }
  }

  /// Evaluates the particles where they are; `store` then hands in all of them.
  func evaluate(_ all: Particles) {
    for (row, index) in particles.enumerated() {
      for k in 0..<dimension {
        positions[row * dimension + k] = all.positions[index * dimension + k]
      }
      isAccepted[row] = true
    }
    evaluateRows()
  }

  /// One Hamiltonian transition of every particle, all of `steps` leapfrog steps: density
  /// prior + β · likelihood. `store` hands in those that moved. A path may cross a place without
  /// density, where its gradient is zero: still a reversible map that keeps volume; it is rejected where
  /// it ends in one.
  /// - Parameter leapfrog: the integrator of a particle, by its number.
  func move(
    _ all: Particles, inverseTemperature: Double, steps: Int, key: RandomKey,
    leapfrog: (Int) -> Leapfrog
  ) {
    let leapfrogs = particles.map(leapfrog)
    for (row, index) in particles.enumerated() {
      begin(row, all, index, inverseTemperature, leapfrogs[row], key.child(index))
    }
    for _ in 0..<steps {
      for (row, point) in points.enumerated() {
        leapfrogs[row].beginStep(point, forward: true)
        for k in 0..<dimension { positions[row * dimension + k] = point.state.position[k] }
      }
      evaluateRows()
      for (row, point) in points.enumerated() {
        set(point.state, factors, row, inverseTemperature)
        leapfrogs[row].endStep(point, forward: true)
      }
    }
    acceptanceSum = 0
    for (row, point) in points.enumerated() {
      let acceptance = min(1, exp(startEnergies[row] - point.energy))
      acceptanceSum += acceptance
      isAccepted[row] = uniforms[row] < acceptance
    }
  }

  /// Copies the particles that moved in the latest `move` or `evaluate` to where they belong.
  func store(into all: inout Particles) {
    for (row, index) in particles.enumerated() where isAccepted[row] {
      for k in 0..<dimension {
        all.positions[index * dimension + k] = positions[row * dimension + k]
      }
      all.factors.replace(index, by: factors, row, dimension: dimension)
    }
  }

  private func evaluateRows() {
    let positions = positions
    evaluator.evaluate(positions.span, into: &factors)
  }

  private func begin(
    _ row: Int, _ all: Particles, _ index: Int, _ inverseTemperature: Double, _ leapfrog: Leapfrog,
    _ key: RandomKey
  ) {
    var stream = key.stream()
    let point = points[row]
    for k in 0..<dimension { point.state.position[k] = all.positions[index * dimension + k] }
    set(point.state, all.factors, index, inverseTemperature)
    leapfrog.refresh(point, from: &stream)
    startEnergies[row] = point.energy
    uniforms[row] = stream.uniform()
  }

  /// Value and gradient of prior + β · likelihood from row `index` of `factors`.
  private func set(
    _ state: ChainState, _ factors: DensityFactors, _ index: Int, _ inverseTemperature: Double
  ) {
    state.logDensity = factors.logPriors[index] + inverseTemperature * factors.logLikelihoods[index]
    for k in 0..<dimension {
      let i = index * dimension + k
      state.gradient[k] =
        factors.priorGradients[i] + inverseTemperature * factors.likelihoodGradients[i]
    }
  }
}
