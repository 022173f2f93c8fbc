import Numerics

/// The geometry of a strided convolution between a large and a small image, channels last. A `conv`
/// goes from large to small, a `convTranspose` from small to large; both use the same columns.
///
/// Columns: one row for each small pixel, kernel × kernel × channels of the large image's patch
/// under it, zero outside the image.
struct ConvolutionGeometry {
  let largeHeight: Int
  let largeWidth: Int
  let largeChannels: Int
  let smallHeight: Int
  let smallWidth: Int
  let kernel: Int
  let stride: Int
  let padding: Int

  var smallPixels: Int { smallHeight * smallWidth }
  var largeCount: Int { largeHeight * largeWidth * largeChannels }
  /// Length of one row of columns.
  var patch: Int { kernel * kernel * largeChannels }

  /// Items whose columns, at most `budget` numbers, are worked on together.
  func group(lanes: Int, budget: Int) -> Int {
    min(max(1, budget / max(1, smallPixels * patch)), max(1, lanes))
  }

  /// columns ← patches of `large` (one item).
  func gather(_ large: UnsafePointer<Float>, into columns: UnsafeMutablePointer<Float>) {
    forEachRun { imageOffset, columnOffset, before, count, after in
      let target = columns + columnOffset
      for index in 0..<before { target[index] = 0 }
      if count > 0 { (target + before).update(from: large + imageOffset, count: count) }
      for index in 0..<after { target[before &+ count &+ index] = 0 }
    }
  }

  /// large ← sum of the columns over the patches that hold each pixel (one item): the adjoint.
  func scatter(_ columns: UnsafePointer<Float>, into large: UnsafeMutablePointer<Float>) {
    large.update(repeating: 0, count: largeCount)
    forEachRun { imageOffset, columnOffset, before, count, _ in
      guard count > 0 else { return }
      let source = columns + (columnOffset &+ before)
      let target = large + imageOffset
      var index = 0
      while index &+ 16 <= count {
        store(load(target + index) + load(source + index), target + index)
        index &+= 16
      }
      while index < count {
        target[index] += source[index]
        index &+= 1
      }
    }
  }

  /// Calls `body` for each (small pixel, kernel row): the run of the patch's row inside the image
  /// starts at `imageOffset`, `before` floats into the columns' run, `count` floats long; `after`
  /// floats of the columns' run lie beyond the image.
  @inline(__always)
  private func forEachRun(
    _ body: (
      _ imageOffset: Int, _ columnOffset: Int, _ before: Int, _ count: Int, _ after: Int
    ) -> Void
  ) {
    let run = kernel &* largeChannels
    var columnOffset = 0
    for row in 0..<smallHeight {
      for column in 0..<smallWidth {
        let left = column &* stride &- padding
        let start = max(left, 0)
        let end = min(left &+ kernel, largeWidth)
        let before = min(start &- left, kernel) &* largeChannels
        let count = max(end &- start, 0) &* largeChannels
        for kernelRow in 0..<kernel {
          let y = row &* stride &- padding &+ kernelRow
          if y >= 0 && y < largeHeight {
            body(
              (y &* largeWidth &+ start) &* largeChannels, columnOffset, before, count,
              run &- before &- count)
          } else {
            body(0, columnOffset, run, 0, 0)
          }
          columnOffset &+= run
        }
      }
    }
  }
}
