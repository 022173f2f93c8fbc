import Foundation
import Numerics

/// The law of a tile of C×t×t intensities: x = m ⊗ 1 + Bᵀz + e, with the C channel means m apart (flat, or
/// ruled by the same prior on the picture of the means), the codes z ~ a mixture, and
/// e ~ N(0, ε²) in the directions that neither means nor codes span.
///
/// A probabilistic autoencoder with a linear decoder Bᵀ (orthonormal principal components) and a mixture
/// for its code density: given Gaussian noise the posterior of a tile is a mixture in closed form.
public struct TilePrior: Sendable {
  public let name: String
  /// C: 1 for grey, 3 for RGB.
  public let channels: Int
  /// t.
  public let side: Int
  /// B, K×D with D = C·t·t (channels first, then rows): orthonormal rows that sum to zero in each channel.
  public let basis: [Float]
  /// ε², intensity²; 0 where K = D − C and nothing is left to rule.
  public let residualVariance: Double
  public let density: GaussianMixtureDensity

  /// K.
  public var latent: Int { density.dimension }
  /// D.
  public var tileCount: Int { channels * side * side }
  /// Whether codes and means span the tile.
  public var isComplete: Bool { latent == tileCount - channels }

  /// - Throws: `parts` when the sizes do not fit, the rows of B are not orthonormal or do not sum to
  ///   zero in each channel (to 1e-3), or ε² is negative, or zero where directions are left.
  public init(
    name: String, channels: Int, side: Int, basis: [Float], residualVariance: Double,
    density: GaussianMixtureDensity
  ) throws(TileError) {
    let area = side * side
    let (count, latent) = (channels * area, density.dimension)
    guard [1, 3].contains(channels), (2...32).contains(side), latent <= count - channels,
      basis.count == latent * count
    else {
      throw .parts(
        "\(latent) codes and \(basis.count) basis numbers for \(channels)×\(side)×\(side)")
    }
    guard residualVariance.isFinite, latent == count - channels || residualVariance > 0,
      residualVariance >= 0
    else { throw .parts("the residual variance \(residualVariance) makes no sense") }
    var gram = [Float](repeating: 0, count: latent * latent)
    multiply(
      .plain, .transposed, m: latent, n: latent, k: count, basis, lda: count, basis, ldb: count,
      into: &gram, ldc: latent)
    for row in 0..<latent {
      for column in 0..<latent
      where !(abs(gram[row * latent + column] - (row == column ? 1 : 0)) < 1e-3) {
        throw .parts("rows \(row) and \(column) of the basis are not orthonormal")
      }
      for channel in 0..<channels {
        let start = row * count + channel * area
        guard abs(basis[start..<start + area].reduce(0, +)) < 1e-3 else {
          throw .parts("row \(row) of the basis does not sum to zero in channel \(channel)")
        }
      }
    }
    self.name = name
    self.channels = channels
    self.side = side
    self.basis = basis
    self.residualVariance = residualVariance
    self.density = density
  }

  /// The same tiles with another mixture of codes.
  func replacing(_ density: GaussianMixtureDensity) throws(TileError) -> TilePrior {
    try TilePrior(
      name: name, channels: channels, side: side, basis: basis,
      residualVariance: residualVariance, density: density)
  }
}
