import Inversion
import Likelihoods
import Numerics
import Randomness
import Sampling
import Training
import Workers

// Notation
//   x    a picture, P intensities        z   code, K       g, f   decoder and flow
//   v_i  variance of element i           α   size of the residual in this picture
//   q    the proposal                    w_s importance weights p(z_s, α_s, x)/q(z_s, α_s)
//
//   p(x) = ∫ p(z) p(α) Π_i N(x_i; g(z)_i, v_i) dz dα,   ln p(z) = ln N(f(z); 0, I) + ln|det ∂f/∂z|

/// ln p(x) of pictures without added noise under a model of any objective, by importance sampling.
///
/// The law of an element is the one by which the solvers explain pixels with independent noise, at a noise
/// of zero:
///
///     v_i = α²h(m_i) + ρ    of a file that has h; its own ρ, ln α ~ N(0, deviation²)
///     v_i = α²s_i + ρ       of others; s_i the diagonal of Σ, ρ = 1/(12·255²),
///                           ln α ~ N(mean, deviation²) as the file has it, α = 1 where it has none
///
/// so that ρ, the variance of rounding to 8 bits, keeps any file's law proper. Rounding of the picture itself is
/// not added: ρ is that. A density over intensities; the ln probability of a picture in whole grey levels is
/// about P ln 255 less, the same for all models.
///
/// From the encoder's code the climb goes to a maximum of the integrand in (z, ln α); `MarginalSearch` says how
/// it is integrated. What lies in modes that the search never meets is missed, and ln p(x) too small by that.
package struct MarginalLikelihood {
  /// Of one picture.
  package struct Estimate: Sendable, Equatable {
    /// ln p(x), nats; −∞ where the search began at density zero.
    let value: Double
    /// Its standard error, nats; to be relied on up to k̂ = 0.7.
    package let error: Double
    /// k̂.
    package let shape: Double

    package init(value: Double, error: Double, shape: Double) {
      self.value = value
      self.error = error
      self.shape = shape
    }
  }

  let model: PAEModel
  let pool: WorkerPool
  /// Importance samples of a picture, S.
  var draws = Self.usualDraws

  package static let usualDraws = 512
  /// ρ of files without h: rounding to 8 bits.
  static let rounding: Float = 1 / (255 * 255 * 12)
  /// Pictures that climb together.
  static let blockSize = 128

  /// A picture's draws are its own: its number depends neither on a seed nor on the other pictures.
  /// - Parameters:
  ///   - codes: e(x), n × K.
  ///   - progress: is told how many pictures are done; returns false to stop, which throws.
  func estimates(
    _ images: any ImageSource, codes: [Float], progress: (Int) -> Bool
  ) throws -> [Estimate] {
    var result: [Estimate] = []
    for first in stride(from: 0, to: images.count, by: Self.blockSize) {
      guard progress(first) else { throw SamplingError.cancelled }
      let places = first..<min(first + Self.blockSize, images.count)
      let latent = model.latentDimension
      result += try estimates(
        places.map { pixels(images, $0) },
        codes: places.map { codes[$0 * latent..<($0 + 1) * latent].map { Double($0) } })
    }
    return result
  }

  private func pixels(_ images: any ImageSource, _ index: Int) -> [Float] {
    [Float](unsafeUninitializedCapacity: images.shape.count) { buffer, count in
      images.copy(index, into: buffer.baseAddress!)
      count = images.shape.count
    }
  }

  /// The same for equal pictures.
  private func key(of picture: [Float]) -> RandomKey {
    // FNV-1a over whole words.
    let hash = picture.reduce(0xCBF2_9CE4_8422_2325 as UInt64) {
      ($0 ^ UInt64($1.bitPattern)) &* 0x0000_0100_0000_01B3
    }
    return RandomKey(seed: 1).child("marginal likelihood").child(Int(truncatingIfNeeded: hash))
  }

  /// One block.
  private func estimates(_ pictures: [[Float]], codes: [[Double]]) throws -> [Estimate] {
    let posterior = posterior(of: pictures)
    let level = posterior.residualScale.map { [$0.mean] } ?? []
    let search = MarginalSearch(
      posterior: posterior, keys: pictures.map(key), draws: draws, pool: pool)
    return try search.run(starts: codes.map { $0 + level }).map { run in
      run.map {
        .init(value: $0.logEvidence, error: $0.logEvidenceError, shape: $0.smoothing.shape)
      }
        ?? .init(value: -.infinity, error: 0, shape: .infinity)
    }
  }

  /// p(x | z, α) p(z) p(α) of each picture, with the notation's v.
  func posterior(of pictures: [[Float]]) -> ImagePosterior {
    let count = model.imageShape.count
    let intensity = model.intensityResidual
    let rest: Float = intensity == nil ? Self.rounding : 0
    let factors =
      intensity == nil ? model.residualVariances : [Float](repeating: 1, count: count)
    return ImagePosterior(
      generator: model.decoder, flow: model.flow,
      problems: pictures.map {
        PixelData(
          values: $0, kinds: [PixelKind](repeating: .measured, count: count),
          extraVariances: [Float](repeating: rest, count: count), residualVariances: factors,
          intensityVariance: intensity?.variance)
      },
      noiseLevel: .known([Double](repeating: 0, count: pictures.count)),
      residualScale: intensity?.scale ?? model.residualScale, pictureShape: model.imageShape)
  }
}
