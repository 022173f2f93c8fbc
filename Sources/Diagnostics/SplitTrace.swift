import Numerics

/// The trace of one scalar quantity, every chain cut into its first and last half: what R̂ and the
/// effective sample sizes look at. An odd middle draw is left out.
///
/// Source: Vehtari, Gelman, Simpson, Carpenter and Bürkner, "Rank-normalization, folding, and
/// localization: an improved R̂ for assessing convergence of MCMC", 2021, section 3.
struct SplitTrace {
  /// Half chains.
  let chains: Int
  /// Draws in each.
  let draws: Int
  /// chains × draws, row-major.
  var values: [Double]

  init(chains: Int, draws: Int, values: [Double]) {
    self.chains = chains
    self.draws = draws
    self.values = values
  }

  /// - Precondition: chains of equal length.
  init(splitting trace: [[Double]]) {
    let half = trace[0].count / 2
    self.init(
      chains: 2 * trace.count, draws: half,
      values: trace.flatMap { Array($0.prefix(half) + $0.suffix(half)) })
  }

  func with(_ values: [Double]) -> SplitTrace {
    SplitTrace(chains: chains, draws: draws, values: values)
  }

  /// Summed from the first value, so that a chain that does not move has no spread about its mean.
  func mean(ofChain chain: Int) -> Double {
    let first = values[chain * draws]
    var sum = 0.0
    for value in values[chain * draws..<(chain + 1) * draws] { sum += value - first }
    return first + sum / Double(draws)
  }

  var chainMeans: [Double] { (0..<chains).map(mean(ofChain:)) }

  /// R̂ = √(((n − 1) W + B)/(n W)), B/n the variance of the chains' means, W their mean variance
  /// (eqs. 1–4 of the source). NaN where nothing moves, infinite where chains
  /// stand still apart from one another.
  var classicalRHat: Double {
    let means = chainMeans
    var within = 0.0
    for chain in 0..<chains {
      var sum = 0.0
      for value in values[chain * draws..<(chain + 1) * draws] {
        sum += (value - means[chain]) * (value - means[chain])
      }
      within += sum / Double(draws - 1) / Double(chains)
    }
    let n = Double(draws)
    let between = n * variance(means)
    return ((between / within + n - 1) / n).squareRoot()
  }
}

/// The unbiased variance.
func variance(_ values: [Double]) -> Double {
  let mean = values.reduce(0, +) / Double(values.count)
  return values.reduce(0) { $0 + ($1 - mean) * ($1 - mean) } / Double(values.count - 1)
}
