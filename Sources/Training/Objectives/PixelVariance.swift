import Foundation

/// s², the variance of an element of a picture about what the decoder paints.
package enum PixelVariance: Sendable, Equatable {
  /// The maximum of the likelihood for the pictures at hand: their mean squared error (Rybkin, Daniilidis
  /// and Levine, ICML 2021, "optimal σ"). The gradient with s² at its optimum is that with s²
  /// fixed, since the derivative in s² is zero there.
  case learned
  /// s² of a given s, intensity.
  case given(deviation: Double)

  /// No variance below that of rounding to 8 bits.
  static let floor = 1.0 / (255 * 255 * 12)

  /// s², and −ln N(x; y, s²I) = R/2s² + ½P ln 2πs², mean over pictures, in nats.
  /// - Parameters:
  ///   - squares: R, mean over pictures. - elements: P.
  func distortion(squares: Double, elements: Int) -> (variance: Double, nats: Double) {
    let variance =
      switch self {
      case .learned: max(squares / Double(elements), Self.floor)
      case .given(let deviation): deviation * deviation
      }
    let nats = 0.5 * (squares / variance + Double(elements) * log(2 * Double.pi * variance))
    return (variance, nats)
  }
}
