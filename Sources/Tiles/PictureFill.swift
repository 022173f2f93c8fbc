import Tensors

/// A first guess for missing pixels: the average of what is seen, on the finest of the halved pictures that
/// has any there.
enum PictureFill {
  /// - Precondition: something of each channel is observed, or nothing of it and then it becomes ½.
  static func fill(_ picture: Tensor, observed: [Bool]) -> Tensor {
    let (channels, height, width) = (picture.shape[0], picture.shape[1], picture.shape[2])
    var result = picture
    for channel in 0..<channels {
      let start = channel * height * width
      let values = (start..<start + height * width).map { observed[$0] ? picture.values[$0] : 0 }
      let weights: [Float] = (start..<start + height * width).map { observed[$0] ? 1 : 0 }
      let filled = pulled(values, weights, height, width)
      for index in 0..<height * width { result.values[start + index] = filled[index] }
    }
    return result
  }

  /// Where a weight is 0, the value of the picture of half the size, filled likewise, bilinear.
  private static func pulled(
    _ values: [Float], _ weights: [Float], _ height: Int, _ width: Int
  ) -> [Float] {
    guard weights.contains(0) else { return values }
    guard height > 1 || width > 1 else { return [0.5] }
    let (rows, columns) = ((height + 1) / 2, (width + 1) / 2)
    var sums = [Float](repeating: 0, count: rows * columns)
    var counts = sums
    for row in 0..<height {
      for column in 0..<width where weights[row * width + column] > 0 {
        sums[row / 2 * columns + column / 2] += values[row * width + column]
        counts[row / 2 * columns + column / 2] += 1
      }
    }
    let coarse = pulled(
      zip(sums, counts).map { $1 > 0 ? $0 / $1 : 0 }, counts.map { $0 > 0 ? 1 : 0 }, rows, columns)
    func at(_ row: Int, _ column: Int) -> Float {
      coarse[min(max(row, 0), rows - 1) * columns + min(max(column, 0), columns - 1)]
    }
    var result = values
    for row in 0..<height {
      for column in 0..<width where weights[row * width + column] == 0 {
        let (y, x) = (row / 2, column / 2)
        let (dy, dx) = (row % 2 == 0 ? -1 : 1, column % 2 == 0 ? -1 : 1)
        result[row * width + column] =
          (9 * at(y, x) + 3 * at(y + dy, x) + 3 * at(y, x + dx) + at(y + dy, x + dx)) / 16
      }
    }
    return result
  }
}
