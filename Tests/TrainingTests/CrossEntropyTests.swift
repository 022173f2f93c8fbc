import Foundation
import Testing

@testable import Training

@Suite struct CrossEntropyTests {
  private static let outputs: [Float] = [0.5, -1, 2, 0, 0.25, -3]

  private func loss(_ outputs: [Float], _ labels: [UInt8]) -> Double {
    outputs.withUnsafeBufferPointer { y in
      var sum = 0.0
      for (lane, label) in labels.enumerated() {
        let own = y.baseAddress! + 3 * lane
        sum += CrossEntropy.value(own, label: Int(label), classes: 3).loss
      }
      return sum
    }
  }

  @Test("equal outputs cost the logarithm of the number of classes; large ones do not overflow")
  func values() {
    #expect(abs(loss([4, 4, 4], [1]) - log(3)) < 1e-12)
    #expect(abs(loss([1e4, 0, -1e4], [1]) - 1e4) < 1e-6)
    #expect(loss([1e4, 0, -1e4], [0]) == 0)
    let y: [Float] = [1, 3, 3]
    #expect(
      y.withUnsafeBufferPointer {
        CrossEntropy.value($0.baseAddress!, label: 0, classes: 3).best
      } == 1)
  }

  /// Fails when: the label's 1 is not subtracted, or the mean over lanes is a sum.
  @Test("the gradient is that of the mean over lanes, by central differences")
  func gradient() {
    let labels: [UInt8] = [2, 0]
    var gradient = Self.outputs
    let sum = gradient.withUnsafeMutableBufferPointer {
      CrossEntropy.pullBack($0.baseAddress!, labels: labels, classes: 3)
    }
    #expect(abs(sum - loss(Self.outputs, labels)) < 1e-9)
    for index in Self.outputs.indices {
      var (above, below) = (Self.outputs, Self.outputs)
      above[index] += 1 / 64
      below[index] -= 1 / 64
      let slope = (loss(above, labels) - loss(below, labels)) * 32 / 2
      // The third derivative is below 0.2: h²/6 of it.
      #expect(abs(Double(gradient[index]) - slope) < 1e-5, "\(index)")
    }
  }
}
