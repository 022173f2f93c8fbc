import Foundation
import Inversion
import Maps
import Randomness
import Solving

// Notation
//   m    painted picture of a draw, x = m + ε the draw      v_i  variance of ε_i
//   m'   g(e(x)), what encoder and decoder make of x         σ    noise level
//
//   t = ln Σ_i (m_i − m'_i)²/(v_i + σ² + s²),  s half a grey level

/// How differently the encoder reads draws than the posterior does, against draws of the prior.
///
/// The encoder learned where the codes of pictures of the model's kind lie. The posterior finds a code for
/// any picture, but of a picture of another kind the encoder finds another one, that paints it worse. A draw of
/// the posterior of a picture that the prior made is a draw of the prior, so single t are distributed as
/// those of the prior's own draws; their mean over draws scatters less.
package struct EncoderReading {
  /// (m_i − m'_i)² and v_i of draws of the prior, P each.
  private let reference: [(squares: [Float], variances: [Float])]
  private let model: PAEModel
  private let law: ResidualPrior

  /// Draws of the prior: a percentile of 80 has an error of 2.
  static let referenceCount = 400
  /// Elements of them kept at most, 128 MB.
  private static let largestReference = 1 << 24
  /// Draws of the posterior that t is averaged over.
  package static let drawsUsed = 64
  /// s².
  private static let guardVariance = 0.25 / (255 * 255)

  /// The draws are the same in every run: what is typical of a model does not depend on a seed.
  /// - Parameters:
  ///   - law: of ε.
  ///   - scale: the prior of α; nil for α = 1.
  package init(model: PAEModel, law: ResidualPrior, scale: ResidualScale?) throws(PlanError) {
    self.model = model
    self.law = law
    let count = max(20, min(Self.referenceCount, Self.largestReference / model.imageShape.count))
    var stream = RandomKey(seed: 1).child("encoder reading").stream()
    let base = (0..<count).map { _ in stream.normals(model.latentDimension) }
    let drawn = try model.pictures(ofBase: base).map { painted in
      let alpha = scale.map { exp($0.mean + $0.deviation * stream.normal()) } ?? 1
      let residual = law.draw(painted, scale: alpha, stream: &stream)
      return DrawnPicture(
        painted: painted, values: zip(painted, residual).map { $0 + $1 }, residualScale: alpha)
    }
    reference = try Self.differences(drawn, model, law)
  }

  /// Per cent of prior draws whose t is below the mean of these draws' t. Half a draw is added to either
  /// side, so that it is neither 0 nor 100.
  /// - Parameter sigma: σ.
  package func percentile(of drawn: [DrawnPicture], sigma: Double) throws(PlanError) -> Double {
    let own = try Self.differences(drawn, model, law).map { Self.distance($0, sigma: sigma) }
    let mean = own.reduce(0, +) / Double(own.count)
    let below = reference.count { Self.distance($0, sigma: sigma) < mean }
    return 100 * (Double(below) + 0.5) / (Double(reference.count) + 1)
  }

  private static func differences(
    _ drawn: [DrawnPicture], _ model: PAEModel, _ law: ResidualPrior
  ) throws(PlanError) -> [(squares: [Float], variances: [Float])] {
    zip(drawn, try model.reconstructions(of: drawn.map(\.values))).map { draw, read in
      (
        zip(draw.painted, read).map { ($0 - $1) * ($0 - $1) },
        law.variances(draw.painted, scale: draw.residualScale).map { Float($0) }
      )
    }
  }

  /// t.
  private static func distance(
    _ picture: (squares: [Float], variances: [Float]), sigma: Double
  ) -> Double {
    let variance = sigma * sigma + guardVariance
    let sum = zip(picture.squares, picture.variances).reduce(0.0) {
      $0 + Double($1.0) / (Double($1.1) + variance)
    }
    return log(max(sum, .leastNormalMagnitude))
  }
}
