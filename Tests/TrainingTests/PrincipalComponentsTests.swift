import Inversion
import Numerics
import Randomness
import Tensors
import Testing
import Workers

@testable import Training

/// Meant to catch: a vector divided by √λ and not √(nλ); the rest divided by P and not P − K; the trial's
/// scores of pictures about zero and not about the mean.
@Suite struct PrincipalComponentsTests {
  private func rows(_ images: any ImageSource) -> [Float] {
    var values = [Float](repeating: 0, count: images.count * images.shape.count)
    values.withUnsafeMutableBufferPointer { values in
      for index in 0..<images.count {
        images.copy(index, into: values.baseAddress! + index * images.shape.count)
      }
    }
    return values
  }

  /// Fewer pictures than elements go by inner products, more by the covariance. With each picture twice the
  /// moments are the same and the other way is taken.
  @Test("both ways give the same components, up to sign")
  func ways() {
    let few = ImageSubset(Spots(count: 40), Array(0..<40))
    let twice = ImageSubset(Spots(count: 40), (0..<80).map { $0 % 40 })
    let (a, b) = (PrincipalComponents(few, count: 6), PrincipalComponents(twice, count: 6))
    #expect(abs(a.trace - b.trace) < 1e-12 * b.trace)
    for component in 0..<6 {
      #expect(abs(a.values[component] - b.values[component]) < 1e-12 * b.trace)
      let place = component * 64..<(component + 1) * 64
      let product = zip(a.vectors[place], b.vectors[place]).reduce(0) { $0 + $1.0 * $1.1 }
      // Off by rounding over the gap of the eigenvalues, of which the smallest here is 1e-3 of the trace.
      #expect(abs(abs(product) - 1) < 1e-9)
    }
  }

  @Test("the trial's numbers are those of ProbabilisticPCA and of the networks, for every K")
  func trial() throws {
    let training = ImageSubset(Spots(count: 300), Array(0..<200))
    let heldOut = ImageSubset(Spots(count: 300), Array(200..<300))
    let components = PrincipalComponents(training, count: 9)
    let trial = components.trial(on: heldOut)
    for latent in [1, 3, 9] {
      let reference = try ProbabilisticPCA(images: training, latent: latent)
      let values = reference.logMarginal(of: rows(heldOut))
      let mean = values.reduce(0, +) / 100
      #expect(abs(trial.logLikelihood(latent) - mean) < 1e-9 * abs(mean))
      let pool = WorkerPool(threads: 1)
      let own = try components.networks(image: training.shape, latent: latent)
      let theirs = try reference.networks(image: training.shape)
      let measured = try AutoencoderMeasurements(
        heldOut, encoder: own.encoder, decoder: own.decoder, pool: pool)
      // Single precision: 1e-7 of pictures of size one, squared errors of about 1e-2.
      #expect(abs(measured.meanSquaredError - trial.error(latent)) < 1e-5 * trial.error(latent))
      let probabilistic = try AutoencoderMeasurements(
        heldOut, encoder: theirs.encoder, decoder: theirs.decoder, pool: pool)
      #expect(
        abs(probabilistic.meanSquaredError - trial.probabilisticError(latent))
          < 1e-5 * trial.error(latent))
    }
    #expect(trial.error(9) < trial.error(3) && trial.error(3) < trial.meanPictureError)
  }

  @Test("codes of the pictures have mean 0 and covariance I")
  func codes() throws {
    let training = Spots(count: 200)
    let networks = try PrincipalComponents(training, count: 4)
      .networks(image: training.shape, latent: 4)
    let codes = try AutoencoderMeasurements(
      training, encoder: networks.encoder, decoder: networks.decoder, pool: WorkerPool(threads: 1)
    ).codes
    for row in 0..<4 {
      #expect(abs((0..<200).reduce(0) { $0 + codes[$1 * 4 + row] }) / 200 < 1e-4)
      for column in 0...row {
        let moment = (0..<200).reduce(Float(0)) {
          $0 + codes[$1 * 4 + row] * codes[$1 * 4 + column]
        }
        #expect(abs(moment / 200 - (row == column ? 1 : 0)) < 1e-4)
      }
    }
  }

  @Test("pictures that vary in two directions have two components")
  func degenerate() {
    let pictures = ImageSubset(Spots(count: 3), [0, 1, 2, 0, 1, 2])
    #expect(PrincipalComponents(pictures, count: 5).count == 2)
  }
}
