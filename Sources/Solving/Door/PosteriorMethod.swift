import Problems

/// How a posterior is explored. Draws are counted for all chains together where there are no chains.
public enum PosteriorMethod: Sendable, Equatable {
  /// The most probable picture alone.
  case map
  /// The No-U-Turn sampler: `draws` kept of each chain.
  case nuts(chains: Int = 16, draws: Int = 500, warmup: Int = 300)
  /// Hamiltonian Monte Carlo of jittered fixed length.
  case hmc(chains: Int = 16, draws: Int = 500, warmup: Int = 300)
  /// Hamiltonian Monte Carlo whose chains tune the length of their trajectories together.
  case chees(chains: Int = 16, draws: Int = 500, warmup: Int = 300)
  /// Exact draws of the Gaussian that touches the posterior at its heaviest mode.
  case laplace(draws: Int = 8000)
  /// Weighted draws of a mixture of such Gaussians; the No-U-Turn sampler where the weights fail.
  case mixture(draws: Int = 8000)
  /// Draws of the prior carried to the posterior by tempering.
  case smc(draws: Int = 8000)

  /// Draws that are independent are dealt to so many chains, whose agreement is shown.
  private static let dealtChains = 16

  /// Writes itself into the options of a run.
  func set(_ options: inout SolveOptions) {
    func independent(_ method: SolveOptions.Method, _ draws: Int) {
      options.method = method
      options.chains = min(Self.dealtChains, max(draws, 1))
      options.draws = (draws + options.chains - 1) / options.chains
    }
    func chained(_ method: SolveOptions.Method, _ chains: Int, _ draws: Int, _ warmup: Int) {
      options.method = method
      (options.chains, options.draws, options.warmup) = (chains, draws, warmup)
    }
    switch self {
    case .map: options.method = .map
    case .nuts(let chains, let draws, let warmup): chained(.nuts, chains, draws, warmup)
    case .hmc(let chains, let draws, let warmup): chained(.hmc, chains, draws, warmup)
    case .chees(let chains, let draws, let warmup): chained(.chees, chains, draws, warmup)
    case .laplace(let draws): independent(.laplace, draws)
    case .mixture(let draws): independent(.mixture, draws)
    case .smc(let draws): independent(.smc, draws)
    }
  }
}
