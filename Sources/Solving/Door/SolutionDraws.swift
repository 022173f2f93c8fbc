import Inversion
import Probability
import Tensors

/// The draws of one solution as numbers, under the names that files give them: chains × draws × …, row-major.
public struct SolutionDraws: Sendable {
  public let chains: Int
  public let draws: Int
  /// K.
  public let latentDimension: Int
  /// The base variables, chains × draws × K.
  public let base: [Double]
  /// Coordinates that are neither base variables nor levels, chains × draws × their number: those of the
  /// residual's painted factors, or of values before they were clipped.
  public let auxiliary: [Double]
  public let auxiliaryCount: Int
  /// σ, when it is inferred.
  public let sigma: [Double]?
  /// α, when it is inferred.
  public let residualScale: [Double]?
  /// The exponent of the noise's power law, when it is inferred.
  public let slope: [Double]?
  /// ln p of the base variables and levels with the data, nats.
  public let logDensities: [Double]

  /// - Parameter latentDimension: K, the first of a position's coordinates.
  package init(
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
}
