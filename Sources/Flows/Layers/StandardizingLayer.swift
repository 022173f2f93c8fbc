import Foundation

/// y = (x − mean)·e^logScale, ℓ = Σ logScale. The statistics are not trained: the vjp leaves their
/// gradient alone.
final class StandardizingLayer: NormalizingLayer {
  private let dimension: Int
  private let columns: Int
  private let mean: Int
  private let logScale: Int

  /// `mean`, `logScale`: offsets in the flat vector.
  init(dimension: Int, columns: Int, mean: Int, logScale: Int) {
    self.dimension = dimension
    self.columns = columns
    self.mean = mean
    self.logScale = logScale
  }

  func normalize(
    _ x: UnsafePointer<Float>, into y: UnsafeMutablePointer<Float>,
    logDeterminants: UnsafeMutablePointer<Float>, parameters: UnsafePointer<Float>,
    masks: DropoutMasks?
  ) {
    var total: Float = 0
    for feature in 0..<dimension {
      let center = parameters[mean + feature]
      let scale = exp(parameters[logScale + feature])
      total += parameters[logScale + feature]
      let row = feature * columns
      for column in row..<row + columns { y[column] = (x[column] - center) * scale }
    }
    for column in 0..<columns { logDeterminants[column] += total }
  }

  func normalizeVJP(
    _ cotangent: UnsafeMutablePointer<Float>, _ dLogDeterminants: UnsafePointer<Float>,
    at x: UnsafePointer<Float>, parameters: UnsafePointer<Float>,
    gradient: UnsafeMutablePointer<Float>?
  ) {
    for feature in 0..<dimension {
      let scale = exp(parameters[logScale + feature])
      let row = feature * columns
      for column in row..<row + columns { cotangent[column] *= scale }
    }
  }
}
