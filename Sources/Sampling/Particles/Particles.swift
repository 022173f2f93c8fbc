import Probability

/// The particles of one problem, its islands one after another, with the factors of their densities:
/// all that a weighting, a resampling and a move need.
struct Particles {
  let dimension: Int
  /// N × D, row-major.
  var positions: [Double]
  var factors: DensityFactors

  var count: Int { factors.logPriors.count }

  /// Positions whose factors are yet to be evaluated.
  init(positions: [[Double]]) {
    dimension = positions[0].count
    self.positions = Array(positions.joined())
    factors = DensityFactors(count: positions.count, dimension: dimension)
  }

  /// The position of particle `index`, D numbers.
  func position(_ index: Int) -> [Double] {
    Array(positions[index * dimension..<(index + 1) * dimension])
  }

  /// log prior + β · log likelihood of particle `index`, nats.
  func logDensity(_ index: Int, inverseTemperature: Double) -> Double {
    factors.logPriors[index] + inverseTemperature * factors.logLikelihoods[index]
  }

  /// Copies particle `source` of `other` to `index`.
  mutating func replace(_ index: Int, by other: Particles, _ source: Int) {
    for k in 0..<dimension {
      positions[index * dimension + k] = other.positions[source * dimension + k]
    }
    factors.replace(index, by: other.factors, source, dimension: dimension)
  }
}

extension DensityFactors {
  /// Copies row `source` of `other` to row `index`.
  mutating func replace(_ index: Int, by other: DensityFactors, _ source: Int, dimension: Int) {
    logPriors[index] = other.logPriors[source]
    logLikelihoods[index] = other.logLikelihoods[source]
    for k in 0..<dimension {
      let (to, from) = (index * dimension + k, source * dimension + k)
      priorGradients[to] = other.priorGradients[from]
      likelihoodGradients[to] = other.likelihoodGradients[from]
    }
  }
}
