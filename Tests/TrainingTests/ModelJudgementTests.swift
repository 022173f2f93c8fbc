import Inversion
import Testing

@testable import Training

/// Meant to catch: the comparison with components left out.
@Suite struct ModelJudgementTests {
  private func record(_ error: Double, mean: Double, components: Double) -> TrainingRecord {
    var record = TrainingRecord(
      data: "d", pictures: 360, heldOut: 40, seed: 1, epochs: 1, flowEpochs: 1,
      version: "v", heldOutError: error, heldOutFlowLogLikelihood: 0,
      heldOutGaussianLogLikelihood: 0)
    record.comparison = .init(
      meanPicture: mean, principalComponents: components, probabilisticComponents: components)
    return record
  }

  @Test("better is no fault, worse than either is, and the advice fits")
  func judgement() {
    #expect(record(0.01, mean: 0.1, components: 0.01).fault == nil)
    let worse = record(0.02, mean: 0.1, components: 0.01)
    #expect(worse.fault?.contains("principal components") == true)
    #expect(worse.advice(latent: 40).contains("linear"))
    let useless = record(0.095, mean: 0.1, components: 0.095)
    #expect(useless.fault?.contains("mean picture") == true)
    #expect(useless.advice(latent: 40).contains("more pictures"))
    #expect(useless.advice(latent: 2).contains("--tile"))
    var untold = worse
    untold.comparison = nil
    #expect(untold.fault == nil)
  }
}
