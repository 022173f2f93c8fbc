import Foundation
import ImageFiles
import Inversion
import Probability
import Tensors

/// The draws of one solution under the names that files give them, chains × draws × …, row-major.
struct SolutionDraws {
  let chains: Int
  let draws: Int
  /// K.
  let latentDimension: Int
  /// The base variables, chains × draws × K.
  let base: [Double]
  /// Coordinates that are neither base variables nor levels, chains × draws × their number: those of the
  /// residual's painted factors, or of values before they were clipped.
  let auxiliary: [Double]
  let auxiliaryCount: Int
  /// σ, when it is inferred.
  let sigma: [Double]?
  /// α, when it is inferred.
  let residualScale: [Double]?
  /// The exponent of the noise's power law, when it is inferred.
  let slope: [Double]?
  /// ln p of the base variables and levels with the data, nats.
  let logDensities: [Double]

  /// - Parameter latentDimension: K, the first of a position's coordinates.
  init(
    _ draws: DrawSet, posterior: ImagePosterior, problem: Int, latentDimension: Int,
    slope: [Double]? = nil
  ) {
    self.slope = slope
    chains = draws.chains
    self.draws = draws.draws
    self.latentDimension = latentDimension
    auxiliaryCount = posterior.latentDimension - latentDimension
    logDensities = draws.logDensities
    var (base, auxiliary): ([Double], [Double]) = ([], [])
    var (sigmas, scales): ([Double], [Double]) = ([], [])
    base.reserveCapacity(draws.chains * draws.draws * latentDimension)
    for chain in 0..<draws.chains {
      for draw in 0..<draws.draws {
        let position = draws.position(chain: chain, draw: draw)
        base += position.prefix(latentDimension)
        auxiliary += position.dropFirst(latentDimension).prefix(auxiliaryCount)
        let levels = posterior.levels(of: position, problem: problem)
        sigmas.append(levels.sigma)
        scales.append(levels.residualScale)
      }
    }
    self.base = base
    self.auxiliary = auxiliary
    sigma = posterior.noiseLevel.isInferred ? sigmas : nil
    residualScale = posterior.residualScale == nil ? nil : scales
  }

  /// Those with a meaning of their own, for `posterior.safetensors`.
  var tensors: [Safetensors.NamedTensor] {
    let shape = Shape(chains, draws)
    let named: [(String, Shape, [Double]?)] = [
      ("u", Shape(chains, draws, latentDimension), base), ("log_density", shape, logDensities),
      ("sigma", shape, sigma), ("residual_scale", shape, residualScale),
      ("slope", shape, slope),
    ]
    return named.compactMap { name, shape, values in
      values.map { .init(name: name, shape: shape, values: .float64($0)) }
    }
  }
}
