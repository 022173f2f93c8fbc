import Numerics
import Tensors
import Training

/// The pictures of another source turned over.
struct FlippedImages: ImageSource {
  enum Direction: String, CaseIterable {
    /// Upside down: the first row becomes the last.
    case vertical = "flip-vertical"
    /// Left for right: the first column becomes the last.
    case horizontal = "flip-horizontal"
  }

  let base: any ImageSource
  let direction: Direction

  var shape: Shape { base.shape }
  var count: Int { base.count }
  var roundingVariance: Float { base.roundingVariance }
  var sources: [Int]? { base.sources }

  func copy(_ index: Int, into target: UnsafeMutablePointer<Float>) {
    base.copy(index, into: target)
    let (height, width) = (shape[1], shape[2])
    let picture = UnsafeMutableBufferPointer(start: target, count: shape.count)
    for start in stride(from: 0, to: shape.count, by: height * width) {
      for row in 0..<height {
        for column in 0..<width {
          let (otherRow, otherColumn) =
            direction == .vertical ? (height - 1 - row, column) : (row, width - 1 - column)
          let (place, other) = (
            start + row * width + column, start + otherRow * width + otherColumn
          )
          if place < other { picture.swapAt(place, other) }
        }
      }
    }
  }
}
