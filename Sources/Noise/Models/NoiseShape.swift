import CLAPACK
import Maps
import Numerics
import Randomness
import Tensors

/// N₀, the covariance of noise at level σ = 1: the noise of the data is n ~ N(0, σ²N₀). What one pixel
/// has in common with another is white or stationary; what the channels have in common is a matrix K:
/// N₀ = K ⊗ (spatial part).
public struct NoiseShape: Sendable, Equatable {
  /// The law inside a channel.
  public enum Spatial: Sendable, Equatable {
    /// Independent elements of unit variance.
    case white
    /// A power spectrum on a periodic grid: that of the data, or a larger one of which the data are the
    /// upper left part, so that what leaves at one border does not come in at the opposite one.
    case stationary(PowerSpectrum)
  }

  public let spatial: Spatial
  /// K, C×C row-major; nil for the identity: each channel on its own.
  public let channelCovariance: [Double]?

  /// White noise, each channel on its own.
  public static let white = NoiseShape(spatial: .white)

  /// Each channel on its own.
  public init(spatial: Spatial) {
    self.spatial = spatial
    channelCovariance = nil
  }

  /// - Throws: `unusable` when K is not a symmetric positive definite C×C matrix of finite numbers.
  public init(spatial: Spatial, channelCovariance: [Double]) throws(PlanError) {
    self.spatial = spatial
    self.channelCovariance = channelCovariance
    let channels = Int(Double(channelCovariance.count).squareRoot().rounded())
    guard channels >= 1, channels * channels == channelCovariance.count,
      channelCovariance.allSatisfy(\.isFinite)
    else {
      throw .unusable(
        "the channel covariance has \(channelCovariance.count) elements; it must be a square "
          + "matrix of finite numbers, 9 for RGB")
    }
    for row in 0..<channels {
      for column in 0..<row {
        let (a, b) = (row * channels + column, column * channels + row)
        guard abs(channelCovariance[a] - channelCovariance[b]) <= 1e-9 * abs(channelCovariance[a])
        else {
          throw .unusable("the channel covariance is not symmetric at row \(row), column \(column)")
        }
      }
    }
    if let channel = choleskyFactor(of: channelCovariance, channels).failure {
      throw .unusable(
        "the channel covariance is singular or indefinite at channel \(channel): what it has beyond "
          + "the channels before it must be positive")
    }
  }

  /// Whether elements are independent of one another and of unit variance.
  public var isWhite: Bool { spatial == .white && channelCovariance == nil }

  /// - Throws: `unusable` when the spectrum's grid is smaller than the data, or the number of channels is
  ///   not theirs.
  package func check(shape: Shape) throws(PlanError) {
    if case .stationary(let spectrum) = spatial {
      guard shape.rank == 3, shape[1] <= spectrum.height, shape[2] <= spectrum.width
      else {
        throw .unusable(
          "the noise spectrum is for \(spectrum.height)×\(spectrum.width) pixels but the data are "
            + "\(shape); give a spectrum of the data's size")
      }
    }
    if let channelCovariance {
      guard shape.rank == 3, shape[0] * shape[0] == channelCovariance.count else {
        throw .unusable(
          "the channel covariance has \(channelCovariance.count) elements but the data are \(shape); "
            + "give a square matrix with a row for each channel")
      }
    }
  }

  /// The share of a pixel's variance that small patches (4×4) show about their own means.
  /// - Throws: what the Fourier plan throws.
  package func localShare() throws(PlanError) -> Double {
    guard case .stationary(let spectrum) = spatial else { return 1 }
    return try spectrum.localShare(side: 4)
  }

  /// The covariance of the chosen elements (row-major indices into `shape`), n×n row-major: its lower
  /// triangle, zeros above.
  /// - Throws: as `check`; `tooLarge` above `DenseNoise.largestDimension` elements.
  package func covariance(of elements: [Int], shape: Shape) throws(PlanError) -> [Double] {
    try check(shape: shape)
    try DenseNoise.checkDimension(elements.count)
    return try CovarianceElements(self, at: elements, of: shape).matrix
  }

  /// One exact draw on the whole grid `shape`. Allocates.
  /// - Throws: as `check`.
  package func draw(shape: Shape, stream: inout RandomStream) throws(PlanError) -> [Double] {
    try check(shape: shape)
    var values: [Double]
    if case .stationary(let spectrum) = spatial {
      let plan = try StationaryNoise(spectrum: spectrum, channels: shape[0]).makePlan(lanes: 1)
      let (height, width) = (spectrum.height, spectrum.width)
      let white = stream.normals(shape[0] * height * width)
      var grid = white
      var span = grid.mutableSpan
      plan.color(white.span, into: &span)
      values = (0..<shape.count).map { index in
        let (row, column) = (index / shape[2], index % shape[2])
        return grid[(row / shape[1] * height + row % shape[1]) * width + column]
      }
    } else {
      values = stream.normals(shape.count)
    }
    if let channelCovariance {
      let channels = shape[0]
      let cells = shape.count / channels
      let factor = choleskyFactor(of: channelCovariance, channels).lower
      for cell in 0..<cells {
        let independent = (0..<channels).map { values[$0 * cells + cell] }
        for row in 0..<channels {
          values[row * cells + cell] = (0...row).reduce(0) {
            $0 + factor[row * channels + $1] * independent[$1]
          }
        }
      }
    }
    return values
  }
}

/// L with L Lᵀ = a small n×n matrix, row-major; `failure` is the first row without a positive pivot.
private func choleskyFactor(of matrix: [Double], _ n: Int) -> (lower: [Double], failure: Int?) {
  var lower = [Double](repeating: 0, count: n * n)
  for i in 0..<n {
    for j in 0...i {
      var sum = matrix[i * n + j]
      for k in 0..<j { sum -= lower[i * n + k] * lower[j * n + k] }
      if i == j {
        guard sum > 1e-12 * matrix[i * n + i] else { return (lower, i) }
        lower[i * n + i] = sum.squareRoot()
      } else {
        lower[i * n + j] = sum / lower[j * n + j]
      }
    }
  }
  return (lower, nil)
}
