import Tensors

/// The channel means of all tiles of a picture, at every place: C×(H − t + 1)×(W − t + 1), with the
/// variances of what they are known to.
final class TileMeans {
  let channels: Int
  let height: Int
  let width: Int
  let values: FloatBuffer
  let variances: FloatBuffer

  var planes: Planes {
    Planes(values, channels: channels, height: height, width: width)
  }

  /// The means as the picture has them, each with `variance`; running sums in double precision.
  init(_ picture: Planes, side: Int, variance: Float) {
    channels = picture.channels
    height = picture.height - side + 1
    width = picture.width - side + 1
    values = FloatBuffer(channels * height * width)
    variances = FloatBuffer(channels * height * width)
    variances.pointer.update(repeating: variance, count: variances.count)
    let scale = 1 / Double(side * side)
    var columns = [Double](repeating: 0, count: picture.width)
    for channel in 0..<channels {
      let plane = picture.values + channel * picture.area
      for column in 0..<picture.width { columns[column] = 0 }
      for row in 0..<picture.height {
        let line = plane + row * picture.width
        for column in 0..<picture.width { columns[column] += Double(line[column]) }
        guard row >= side - 1 else { continue }
        if row >= side {
          let old = plane + (row - side) * picture.width
          for column in 0..<picture.width { columns[column] -= Double(old[column]) }
        }
        let output = values.pointer + (channel * height + row - side + 1) * width
        var sum = 0.0
        for column in 0..<side - 1 { sum += columns[column] }
        for column in 0..<width {
          sum += columns[column + side - 1]
          output[column] = Float(sum * scale)
          sum -= columns[column]
        }
      }
    }
  }

  /// The means of the tiles of one mosaic, a smaller picture: those at rows ≡ `row` and columns ≡ `column`
  /// modulo `side`.
  func mosaic(row: Int, column: Int, side: Int) -> (extents: (Int, Int), values: FloatBuffer) {
    let (rows, columns) = Self.extents(height, width, row, column, side)
    let output = FloatBuffer(channels * rows * columns)
    var place = 0
    for channel in 0..<channels {
      for y in 0..<rows {
        let line = values.pointer + (channel * height + row + y * side) * width + column
        for x in 0..<columns {
          output.pointer[place] = line[x * side]
          place += 1
        }
      }
    }
    return ((rows, columns), output)
  }

  /// Puts what became of a mosaic back in its places.
  func replace(row: Int, column: Int, side: Int, with estimate: TileEstimate) {
    let (rows, columns) = Self.extents(height, width, row, column, side)
    var place = 0
    for channel in 0..<channels {
      for y in 0..<rows {
        let start = (channel * height + row + y * side) * width + column
        for x in 0..<columns {
          values.pointer[start + x * side] = estimate.mean.pointer[place]
          variances.pointer[start + x * side] = estimate.variance.pointer[place]
          place += 1
        }
      }
    }
  }

  static func extents(
    _ height: Int, _ width: Int, _ row: Int, _ column: Int, _ side: Int
  ) -> (Int, Int) {
    ((height - row + side - 1) / side, (width - column + side - 1) / side)
  }
}

/// A picture's estimate and the variance that goes with it, both C×H×W.
final class TileEstimate {
  let mean: FloatBuffer
  let variance: FloatBuffer

  init(count: Int) {
    mean = FloatBuffer(count)
    variance = FloatBuffer(count)
  }
}
