import Foundation
import Tensors

/// A point-spread function from a file: scaled to sum to one, with its centre in the middle.
struct KernelFile {
  /// Odd sides, sum one.
  let kernel: Tensor

  /// A centroid farther than this from the centre, in pixels along either axis, is told.
  private static let largestOffset = 0.25

  /// - Throws: `PipelineError.data` for a file without a centre, or whose numbers sum to nothing.
  init(path: String, center: ForwardStep.Center?, warn: (Warning) -> Void) throws {
    let file = try PixelArray.readGrid(path)
    let (rows, columns) = (file.shape[0], file.shape[1])
    let sum = accurateSum(file.values)
    let size = accurateSum(file.values.map(abs))
    guard abs(sum) > 1e-6 * size else {
      throw PipelineError.data(
        "the point-spread function \(path) sums to \(sum): it must pass some light to be scaled to one"
      )
    }
    guard center != nil || (rows % 2 == 1 && columns % 2 == 1) else {
      throw PipelineError.data(
        "the point-spread function \(path) is \(rows)x\(columns): an even side has no middle element; "
          + "state the centre, e.g. center: [\(rows / 2), \(columns / 2)] (row and column, from 0), or "
          + "give it odd sides")
    }
    let center = center ?? .init(row: rows / 2, column: columns / 2)
    guard (0..<rows).contains(center.row), (0..<columns).contains(center.column) else {
      throw PipelineError.data(
        "the centre of the point-spread function \(path), [\(center.row), \(center.column)], lies outside "
          + "its \(rows)x\(columns) elements")
    }
    let negative = file.values.count { Double($0) / sum < 0 }
    if negative > 0 {
      warn(
        Warning(
          "\(path): \(negative) of \(file.count) weights of the point-spread function are negative")
      )
    }
    var (row, column) = (0.0, 0.0)
    for (index, value) in file.values.enumerated() {
      let weight = Double(value) / sum
      row += weight * Double(index / columns - center.row)
      column += weight * Double(index % columns - center.column)
    }
    if max(abs(row), abs(column)) > Self.largestOffset {
      warn(
        Warning(
          String(
            format:
              "%@: the light of the point-spread function lies %.2f rows and %.2f columns off its "
              + "centre [%d, %d]: the picture is taken as shifted by as much; center: [row, column] "
              + "says otherwise", path, row, column, center.row, center.column)))
    }
    // The smallest odd sides around the centre that hold all elements.
    let reach = (
      row: max(center.row, rows - 1 - center.row),
      column: max(center.column, columns - 1 - center.column)
    )
    let width = 2 * reach.column + 1
    var kernel = Tensor(shape: Shape(2 * reach.row + 1, width))
    for (index, value) in file.values.enumerated() {
      let y = index / columns - center.row + reach.row
      let x = index % columns - center.column + reach.column
      kernel.values[y * width + x] = Float(Double(value) / sum)
    }
    self.kernel = kernel
  }
}
