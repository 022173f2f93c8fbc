import Foundation

/// Numbers → colours, λ in 0…1, clamped; NaN is taken as 0.
package enum ColourMap: Sendable {
  /// Black to white.
  case grey
  /// Green's cubehelix: brightness rises steadily with λ while the hue turns, so that it reads
  /// rightly in colour, in grey, and to most colour-blind eyes.
  ///
  /// Source: D. A. Green (2011), Bull. Astr. Soc. India 39, 289, equation 2, with start s = 0.5,
  /// rotations r = −1.5, hue h = 1.2, γ = 1: φ = 2π(s/3 + rλ), a = h λ(1−λ)/2,
  /// (R, G, B) = λ + a · [[−0.14861, 1.78277], [−0.29227, −0.90649], [1.97294, 0]] (cos φ, sin φ).
  case cubehelix

  package func colour(_ value: Float) -> Colour {
    let lambda = value.isNaN ? 0 : Double(min(max(value, 0), 1))
    func byte(_ x: Double) -> UInt8 { UInt8((min(max(x, 0), 1) * 255).rounded()) }
    switch self {
    case .grey: return Colour(byte(lambda), byte(lambda), byte(lambda))
    case .cubehelix:
      let phi = 2 * Double.pi * (0.5 / 3 - 1.5 * lambda)
      let amplitude = 1.2 * lambda * (1 - lambda) / 2
      return Colour(
        byte(lambda + amplitude * (-0.14861 * cos(phi) + 1.78277 * sin(phi))),
        byte(lambda + amplitude * (-0.29227 * cos(phi) - 0.90649 * sin(phi))),
        byte(lambda + amplitude * (1.97294 * cos(phi))))
    }
  }
}
