import LawCheckers
import Testing

@testable import Tiles

@Suite struct GaussianMixtureDensityTests {
  /// Seen to fail: the factor not transposed in a draw; the mean's sign in the gradient.
  @Test("a mixture keeps the laws of a code density")
  func laws() throws {
    let density = try SmallPrior.make(components: 3, spread: 0.8, shift: 0.5).density
    try checkCodeDensity(density, at: [0.1, 0.2, -0.3, 0.7, -0.4, 0.5])
  }

  @Test("what is no mixture is refused")
  func refusals() {
    let good: [Float] = [1, 0.2, 1]
    for (weights, means, covariances) in [
      ([], [], []), ([1.0], [0, 0, 0], good), ([1], [0, 0], [1, 2, 1]), ([0], [0, 0], good),
      ([1], [.nan, 0], good), ([-1], [0, 0], good),
    ] as [([Double], [Float], [Float])] {
      #expect(throws: TileError.self) {
        try GaussianMixtureDensity(
          dimension: 2, weights: weights, means: means, covariances: covariances)
      }
    }
  }
}
