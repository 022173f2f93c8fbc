import Foundation
import Inversion
import Tensors
import Training
import Workers

// Notation
//   x   picture, P elements    z = e(x)   m = g(z)    s_i  the residual's variance of element i

/// By what a picture is told from those of a model's kind. All in nats, larger for pictures that the model
/// takes for its own.
public enum PictureScore: String, Sendable, CaseIterable {
  /// ln p(z), the flow's density at the encoder's code.
  case flow
  /// Σ_i ln N(x_i; m_i, s_i), s the diagonal of Σ.
  case reconstruction
  /// Flow and reconstruction.
  case sum
  /// ln p(x), `MarginalLikelihood`.
  case marginal
}

/// The scores of a set of pictures.
package struct PictureScores {
  /// One for each picture.
  package let flow: [Double]
  package let reconstruction: [Double]
  /// Of the first pictures, as many as were asked for.
  package let marginal: [MarginalLikelihood.Estimate]

  var sum: [Double] { zip(flow, reconstruction).map { $0 + $1 } }

  /// A number that does not exist counts as −∞: a picture that the model knows nothing of.
  package subscript(score: PictureScore) -> [Double] {
    let values =
      switch score {
      case .flow: flow
      case .reconstruction: reconstruction
      case .sum: sum
      case .marginal: marginal.map(\.value)
      }
    return values.map { $0.isNaN ? -.infinity : $0 }
  }

  /// - Parameters:
  ///   - marginalCount: how many pictures, the first, get ln p(x).
  ///   - progress: is told how many of these are done; returns false to stop, which throws.
  package init(
    _ images: any ImageSource, model: PAEModel, marginalCount: Int, pool: WorkerPool,
    progress: (Int) -> Bool = { _ in true }
  ) throws {
    try self.init(
      images,
      measured: AutoencoderMeasurements(
        images, encoder: model.encoder, decoder: model.decoder, keepsResiduals: true, pool: pool),
      model: model, marginalCount: marginalCount, pool: pool, progress: progress)
  }

  /// - Parameter measured: what the model's autoencoder does to the pictures, with residuals.
  package init(
    _ images: any ImageSource, measured: AutoencoderMeasurements, model: PAEModel,
    marginalCount: Int, pool: WorkerPool, progress: (Int) -> Bool
  ) throws {
    flow = try model.flow.logDensity(of: measured.codes)
    reconstruction = Self.logDensities(
      measured.residuals, variances: model.residualVariances)
    let first = min(marginalCount, images.count)
    marginal =
      first == 0
      ? []
      : try MarginalLikelihood(model: model, pool: pool).estimates(
        ImageSubset(images, Array(0..<first)), codes: measured.codes, progress: progress)
  }

  /// Σ_i ln N(r_i; 0, s_i) of each row. A variance of 0 is taken as that of rounding to 8 bits.
  private static func logDensities(_ residuals: [Float], variances: [Float]) -> [Double] {
    let safe = variances.map { Double($0 > 0 ? $0 : MarginalLikelihood.rounding) }
    let constant = -0.5 * accurateSum(safe.map { log(2 * .pi * $0) })
    let precisions = safe.map { 1 / $0 }
    return stride(from: 0, to: residuals.count, by: safe.count).map { start in
      var squares = 0.0
      for (element, precision) in precisions.enumerated() {
        let residual = Double(residuals[start + element])
        squares += residual * residual * precision
      }
      return constant - 0.5 * squares
    }
  }
}
