import Maps
import Tensors

/// Elements of the covariance of the independent and the stationary parts: N_ij = v_i δ_ij + Σ over
/// the grids of K_ij times the autocovariance at the offset of the two cells. K_ij is what their channels
/// have in common: 1 within a channel and 0 between channels, unless a matrix is given.
struct CovarianceElements: Sendable {
  private struct Grid: Sendable {
    let height: Int32
    let width: Int32
    /// H×W.
    let lags: [Double]
    /// Channel, row and column of each datum.
    let places: [SIMD4<Int32>]
    /// K, C×C row-major; empty for the identity.
    var channelCovariance: [Double] = []
    var channels: Int32 = 0

    /// Calls `body` with `lags`, `places` and `channelCovariance`.
    @inline(__always)
    func withElements(
      _ body: (
        UnsafeBufferPointer<Double>, UnsafeBufferPointer<SIMD4<Int32>>, UnsafeBufferPointer<Double>
      ) -> Void
    ) {
      lags.withUnsafeBufferPointer { lags in
        places.withUnsafeBufferPointer { places in
          channelCovariance.withUnsafeBufferPointer { body(lags, places, $0) }
        }
      }
    }
  }

  private let variances: [Double]
  private let grids: [Grid]

  /// - Parameter variances: of the independent part, one for each datum.
  init(variances: [Double], grids: [MaskedSpectrum]) throws(PlanError) {
    self.variances = variances
    var found: [Grid] = []
    for grid in grids {
      let (height, width) = (grid.spectrum.height, grid.spectrum.width)
      found.append(
        Grid(
          height: Int32(height), width: Int32(width), lags: try grid.spectrum.autocovariance(),
          places: Self.places(grid.cells, height, width)))
    }
    self.grids = found
  }

  /// Those of a noise at level 1, at the chosen elements (row-major indices) of data of a shape.
  /// - Precondition: the noise is for data of this shape.
  init(_ noise: NoiseShape, at elements: [Int], of shape: Shape) throws(PlanError) {
    guard !noise.isWhite else {
      (variances, grids) = ([Double](repeating: 1, count: elements.count), [])
      return
    }
    var (height, width) = (shape[1], shape[2])
    let places = Self.places(elements, height, width)
    // White noise is stationary: correlated with itself alone.
    var lags = [1] + [Double](repeating: 0, count: height * width - 1)
    if case .stationary(let spectrum) = noise.spatial {
      (height, width) = (spectrum.height, spectrum.width)
      lags = try spectrum.autocovariance()
    }
    variances = [Double](repeating: 0, count: elements.count)
    grids = [
      Grid(
        height: Int32(height), width: Int32(width), lags: lags, places: places,
        channelCovariance: noise.channelCovariance ?? [], channels: Int32(shape[0]))
    ]
  }

  /// Channel, row and column of row-major indices into channels of height×width cells.
  private static func places(_ cells: [Int], _ height: Int, _ width: Int) -> [SIMD4<Int32>] {
    cells.map { cell in
      let line = cell / width
      return SIMD4(Int32(line / height), Int32(line % height), Int32(cell % width), 0)
    }
  }

  /// The n×n covariance of all data, row-major: its lower triangle, zeros above.
  var matrix: [Double] {
    let count = variances.count
    var matrix = [Double](repeating: 0, count: count * count)
    let data = (0..<Int32(count)).map { $0 }
    data.withUnsafeBufferPointer { data in
      matrix.withUnsafeMutableBufferPointer { matrix in
        if let first = matrix.baseAddress { fill(data, into: first) }
      }
    }
    return matrix
  }

  /// The n×n covariance of the chosen data, its lower triangle row-major (the upper one column-major):
  /// element (i, j), i ≥ j, at i·n + j. What lies above the diagonal is not written.
  func fill(_ data: UnsafeBufferPointer<Int32>, into matrix: UnsafeMutablePointer<Double>) {
    let count = data.count
    for row in 0..<count {
      for column in 0..<row { matrix[row * count + column] = 0 }
      matrix[row * count + row] = variances[Int(data[row])]
    }
    for grid in grids {
      grid.withElements { lags, places, factors in
        for row in 0..<count {
          let a = places[Int(data[row])]
          for column in 0...row {
            let b = places[Int(data[column])]
            let offset = a &- b
            if factors.isEmpty && offset.x != 0 { continue }
            let y = offset.y < 0 ? offset.y &+ grid.height : offset.y
            let x = offset.z < 0 ? offset.z &+ grid.width : offset.z
            var value = lags[Int(y &* grid.width &+ x)]
            if !factors.isEmpty { value *= factors[Int(a.x &* grid.channels &+ b.x)] }
            matrix[row &* count &+ column] += value
          }
        }
      }
    }
  }
}
