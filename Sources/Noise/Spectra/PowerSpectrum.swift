import Foundation
import Maps
import Operators

/// The power spectrum P_k of stationary noise on a periodic H×W grid: the covariance of two pixels
/// depends on their offset alone, cov(x, x + d) = (1/HW) Σ_k P_k cos(2π k·d). White noise of variance
/// σ² has P_k = σ² at every k; the variance of a pixel is the mean of P.
public struct PowerSpectrum: Sendable, Equatable {
  public let height: Int
  public let width: Int
  /// P in intensity², H×W, row-major in the order of the Fourier transform: bin (i, j) has the
  /// frequencies i/H and j/W cycles per pixel, those above one half being negative ones.
  public let values: [Double]

  /// - Throws: `unusable` naming the first bin that is zero, negative, NaN or infinite, or whose value
  ///   differs from that of its opposite frequency (which no real noise can have; relative 1e-6).
  /// - Precondition: H·W values.
  public init(height: Int, width: Int, values: [Double]) throws(PlanError) {
    _ = try fourierExtents(height: height, width: width)
    precondition(values.count == height * width, "one value for each of \(height)×\(width) bins")
    if let index = values.firstIndex(where: { !($0 > 0 && $0.isFinite) }) {
      throw .unusable(
        "bin \(index) of the noise spectrum is \(values[index]); every bin must be positive and "
          + "finite, else the noise has no density")
    }
    for index in values.indices {
      let (row, column) = (index / width, index % width)
      let opposite = (height - row) % height * width + (width - column) % width
      guard abs(values[index] - values[opposite]) <= 1e-6 * values[index] else {
        throw .unusable(
          "bin \(index) of the noise spectrum is \(values[index]) but its opposite frequency, bin "
            + "\(opposite), is \(values[opposite]); the noise would not be real")
      }
    }
    self.height = height
    self.width = width
    self.values = values
  }

  /// The law P(k_y, k_x) at the frequencies of the grid, cycles per pixel from −½ to ½.
  /// - Throws: as the other constructor; `tooLarge` when the grid is.
  public init(
    _ law: (_ ky: Double, _ kx: Double) -> Double, height: Int, width: Int
  ) throws(PlanError) {
    _ = try fourierExtents(height: height, width: width)
    // One half is minus one half as well: there both are tried, and the mean is even again.
    func frequencies(_ index: Int, _ extent: Int) -> [Double] {
      if 2 * index == extent { return [0.5, -0.5] }
      return [Double(2 * index > extent ? index - extent : index) / Double(extent)]
    }
    var values: [Double] = []
    for row in 0..<height {
      let vertical = frequencies(row, height)
      for column in 0..<width {
        let horizontal = frequencies(column, width)
        var sum = 0.0
        for ky in vertical { for kx in horizontal { sum += law(ky, kx) } }
        values.append(sum / Double(vertical.count * horizontal.count))
      }
    }
    try self.init(height: height, width: width, values: values)
  }

  /// P(k) ∝ (k² + knee²)^(−exponent/2), k in cycles per pixel, scaled so that the variance of a pixel
  /// is σ². With knee = 0 the zero frequency takes the value of the lowest other one.
  /// - Throws: `unusable` when a bin comes out zero or infinite, or σ is not positive.
  public static func power(
    exponent: Double, knee: Double = 0, sigma: Double, height: Int, width: Int
  ) throws(PlanError) -> PowerSpectrum {
    _ = try fourierExtents(height: height, width: width)
    var values = [Double](repeating: 0, count: height * width)
    for row in 0..<height {
      let y = Double(min(row, height - row)) / Double(height)
      for column in 0..<width {
        let x = Double(min(column, width - column)) / Double(width)
        values[row * width + column] = pow(y * y + x * x + knee * knee, -0.5 * exponent)
      }
    }
    if knee == 0 {
      // The lowest other frequency runs along the longer side: bin (1, 0) or (0, 1). A grid of one
      // cell has none, and any value will do.
      values[0] = values.count == 1 ? 1 : values[height > width ? width : 1]
    }
    var mean = 0.0
    for value in values { mean += value }
    mean /= Double(values.count)
    return try PowerSpectrum(
      height: height, width: width, values: values.map { $0 * (sigma * sigma / mean) })
  }

  /// The variance of a pixel: the mean of P, intensity².
  public var variance: Double {
    var sum = 0.0
    for value in values { sum += value }
    return sum / Double(values.count)
  }

  /// cov(x, x + d) for every offset d, H×W row-major, offsets modulo H and W.
  package func autocovariance() throws(PlanError) -> [Double] {
    try RealFourierPlan(height: height, width: width).autocovariance(values)
  }
}
