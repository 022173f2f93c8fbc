import Foundation
import Randomness
import Tensors
import Testing

@testable import Judging
@testable import Numerics

@Suite struct PictureFidelityTests {
  private func noise(_ shape: Shape, seed: UInt64, deviation: Double = 0.2) -> Tensor {
    var stream = RandomKey(seed: seed).stream()
    return Tensor(
      shape: shape, values: stream.normals(shape.count).map { Float(0.5 + deviation * $0) })
  }

  // Fails when: the logarithm's factor, its sign or the mean over pixels is wrong.
  @Test("PSNR is 10 log₁₀(1/MSE)")
  func peakSignalToNoise() {
    let truth = Tensor(shape: Shape(1, 2, 2), values: [0, 0.5, 1, 0.25])
    var picture = truth
    #expect(PictureFidelity.peakSignalToNoise(picture, truth: truth) == .infinity)
    picture.values[1] += 0.125
    // MSE = 2⁻⁶/4 = 2⁻⁸.
    #expect(abs(PictureFidelity.peakSignalToNoise(picture, truth: truth) - 80 * log10(2)) < 1e-12)
    picture.values = truth.values.map { $0 + 0.0625 }
    #expect(abs(PictureFidelity.peakSignalToNoise(picture, truth: truth) - 80 * log10(2)) < 1e-12)
  }

  /// Every window by itself, two-dimensional, moments about the window's means.
  private func naiveSimilarity(_ a: Tensor, _ b: Tensor) -> Double {
    let (channels, height, width) = (a.shape[0], a.shape[1], a.shape[2])
    var total = 0.0
    for channel in 0..<channels {
      for row in 0..<height {
        for column in 0..<width {
          var window: [(weight: Double, x: Double, y: Double)] = []
          for i in max(0, row - 5)...min(height - 1, row + 5) {
            for j in max(0, column - 5)...min(width - 1, column + 5) {
              let squared = Double((i - row) * (i - row) + (j - column) * (j - column))
              let index = (channel * height + i) * width + j
              window.append((exp(-squared / 4.5), Double(a.values[index]), Double(b.values[index])))
            }
          }
          let norm = window.reduce(0) { $0 + $1.weight }
          let x = window.reduce(0) { $0 + $1.weight * $1.x } / norm
          let y = window.reduce(0) { $0 + $1.weight * $1.y } / norm
          let xx = window.reduce(0) { $0 + $1.weight * ($1.x - x) * ($1.x - x) } / norm
          let yy = window.reduce(0) { $0 + $1.weight * ($1.y - y) * ($1.y - y) } / norm
          let xy = window.reduce(0) { $0 + $1.weight * ($1.x - x) * ($1.y - y) } / norm
          total +=
            (2 * x * y + 0.0001) * (2 * xy + 0.0009)
            / ((x * x + y * y + 0.0001) * (xx + yy + 0.0009))
        }
      }
    }
    return total / Double(a.count)
  }

  // Fails when: rows and columns are exchanged in a pass, the border is not renormalized, the window
  // or a constant differs, a channel is skipped.
  @Test(
    "SSIM is that of a naive sum over windows",
    arguments: [
      Shape(1, 8, 8), Shape(1, 17, 12), Shape(3, 6, 14), Shape(1, 1, 5), Shape(1, 28, 28),
    ])
  func structuralSimilarity(_ shape: Shape) {
    let truth = noise(shape, seed: 2)
    let other = noise(shape, seed: 3, deviation: 0.1)
    let picture = Tensor(
      shape: shape, values: zip(truth.values, other.values).map { 0.7 * $0 + 0.3 * $1 })
    let found = PictureFidelity.structuralSimilarity(picture, truth: truth)
    #expect(abs(found - naiveSimilarity(picture, truth)) < 1e-10)
    #expect(found < 0.999)
    #expect(PictureFidelity.structuralSimilarity(truth, truth: truth) == 1)
    #expect(
      abs(PictureFidelity.structuralSimilarity(truth, truth: picture) - found) < 1e-12,
      "it is symmetric")
  }

  // A truth exchangeable with n draws falls at each of n + 1 ranks alike: from the order statistics
  // ⌊0.05 n⌋ + 1 to ⌈0.95 n⌉, (⌈0.95 n⌉ − ⌊0.05 n⌋ − 1)/(n + 1). Fails when: the interval is 5 % to
  // 100 %, is open at an end, or is of other draws' pixels.
  @Test("coverage90 of draws from the truth's own distribution", arguments: [20, 100, 400])
  func coverage(_ count: Int) {
    let shape = Shape(1, 100, 100)
    var stream = RandomKey(seed: 5).stream()
    // Each pixel has a distribution of its own.
    let centers = stream.normals(shape.count)
    func draw() -> Tensor {
      Tensor(shape: shape, values: centers.map { Float(5 * $0 + (1 + abs($0)) * stream.normal()) })
    }
    let truth = draw()
    let draws = (0..<count).map { _ in draw() }
    let n = Double(count)
    let exact = ((0.95 * n).rounded(.up) - (0.05 * n).rounded(.down) - 1) / (n + 1)
    let error = (exact * (1 - exact) / Double(shape.count)).squareRoot()
    #expect(abs(PictureFidelity.coverage90(draws, truth: truth) - exact) < 4 * error)
    let far = Tensor(shape: shape, values: truth.values.map { $0 + 1000 })
    #expect(PictureFidelity.coverage90(draws, truth: far) == 0)
    #expect(PictureFidelity.coverage90(Array(repeating: truth, count: 20), truth: truth) == 1)
  }
}
