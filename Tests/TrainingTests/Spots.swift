import Foundation
import Randomness
import Tensors
import Training

/// 8×8 pictures of one bright spot each, at a place and of a size drawn for its index.
struct Spots: ImageSource {
  var roundingVariance: Float { 0 }
  var sources: [Int]? { nil }
  let shape = Shape(1, 8, 8)
  let count: Int

  func copy(_ index: Int, into target: UnsafeMutablePointer<Float>) {
    var stream = RandomKey(seed: 100).child(index).stream()
    let (row, column) = (1 + 5 * stream.uniform(), 1 + 5 * stream.uniform())
    let width = 1 + stream.uniform()
    for y in 0..<8 {
      for x in 0..<8 {
        let squares = pow(Double(y) - row, 2) + pow(Double(x) - column, 2)
        target[y * 8 + x] = Float(exp(-squares / (2 * width * width)))
      }
    }
  }
}
