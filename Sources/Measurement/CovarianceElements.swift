import Maps

/// Elements of the covariance of the independent and the stationary parts: N_ij = v_i δ_ij + Σ over
/// the grids of the autocovariance at the offset of the two cells, 0 between channels.
struct CovarianceElements: Sendable {
  private struct Grid: Sendable {
    let height: Int32
    let width: Int32
    /// H×W.
    let lags: [Double]
    /// Channel, row and column of each datum.
    let places: [SIMD4<Int32>]
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
          places: grid.cells.map { cell in
            let row = cell / width
            return SIMD4(
              Int32(row / height), Int32(row % height), Int32(cell % width), 0)
          }))
    }
    self.grids = found
  }

  /// The n×n covariance of the chosen data, its upper triangle column-major (the lower one row-major):
  /// element (i, j), i ≤ j, at j·n + i. What lies below the diagonal is not written.
  func fill(_ data: UnsafeBufferPointer<Int32>, into matrix: UnsafeMutablePointer<Double>) {
    let count = data.count
    for column in 0..<count {
      for row in 0..<column { matrix[column * count + row] = 0 }
      matrix[column * count + column] = variances[Int(data[column])]
    }
    for grid in grids {
      grid.lags.withUnsafeBufferPointer { lags in
        grid.places.withUnsafeBufferPointer { places in
          for column in 0..<count {
            let a = places[Int(data[column])]
            for row in 0...column {
              let offset = a &- places[Int(data[row])]
              if offset.x != 0 { continue }
              let y = offset.y < 0 ? offset.y &+ grid.height : offset.y
              let x = offset.z < 0 ? offset.z &+ grid.width : offset.z
              matrix[column &* count &+ row] += lags[Int(y &* grid.width &+ x)]
            }
          }
        }
      }
    }
  }
}
