import Probability
import Randomness
import Testing

@testable import Inversion

@Suite struct ImagePosteriorFactorsTests {
  private func posterior(_ inferred: Bool, scaledCount: Int?) throws -> ImagePosterior {
    let model = try tinyModel(isSmooth: true)
    let damages: [TinyDamage] = [.measured, .maskedAndCensored]
    return ImagePosterior(
      generator: model.generator, logVolume: 0.7,
      problems: try damages.map { try model.data($0, seed: 52) },
      noiseLevel: inferred ? .inferred(estimates: [0.2, 0.25]) : .known([0.2, 0.25]),
      residualScale: scaledCount.map { _ in ResidualScale(mean: 0.1, deviation: 0.5) },
      scaledCount: scaledCount ?? 0)
  }

  // The values are those at β = 0 and β = 1, where sums are of the same numbers in another order: 1e-12
  // of the largest. Fails when: the log volume, the scale of a factor's coordinate, the slope in ln σ or
  // ln α is lost; a place without density keeps a gradient.
  @Test(
    "prior and likelihood are the tempered densities' ends", arguments: [false, true],
    [nil, 0, 2] as [Int?])
  func ends(_ inferred: Bool, _ scaledCount: Int?) throws {
    let posterior = try posterior(inferred, scaledCount: scaledCount)
    let lanes = [1, 0, 1]
    let d = posterior.dimension
    var stream = RandomKey(seed: 91).child("positions").stream()
    var positions = lanes.map { _ in stream.normals(d).map { 0.5 * $0 } }
    positions[2][0] = .nan
    let flat = Array(positions.joined())
    var factors = DensityFactors(count: 3, dimension: d)
    try posterior.makeFactorEvaluator(problems: lanes).evaluate(flat.span, into: &factors)
    let prior = try evaluate(posterior.tempered(0), problems: lanes, positions)
    let whole = try evaluate(posterior, problems: lanes, positions)
    for lane in 0..<2 {
      #expect(factors.logPriors[lane] == prior.values[lane])
      let likelihood = whole.values[lane] - prior.values[lane]
      #expect(abs(factors.logLikelihoods[lane] - likelihood) < 1e-12 * abs(whole.values[lane]))
      for k in 0..<d {
        let slope = whole.gradients[lane][k] - prior.gradients[lane][k]
        let scale = max(1, abs(whole.gradients[lane][k]), abs(prior.gradients[lane][k]))
        #expect(factors.priorGradients[lane * d + k] == prior.gradients[lane][k])
        #expect(abs(factors.likelihoodGradients[lane * d + k] - slope) < 1e-12 * scale)
      }
    }
    #expect(factors.logPriors[2] == -.infinity && factors.logLikelihoods[2] == -.infinity)
    #expect(factors.likelihoodGradients[(2 * d)...].allSatisfy { $0 == 0 })
    #expect(factors.priorGradients[(2 * d)...].allSatisfy { $0 == 0 })
  }
}
