import Maps
import Numerics
import Operators

/// The power spectrum of noise bin by bin, for noise that is not the same in all directions: the mean
/// periodogram of whole pictures, the same at k and −k. A bin that is its own opposite has N modes for
/// N pictures, any other 2N; its error is P √(2/modes).
public struct SpectrumGrid: Sendable, Equatable {
  public let spectrum: PowerSpectrum
  public let pictureCount: Int

  /// The relative error of most bins, 1/√N.
  public var relativeError: Double { 1 / Double(pictureCount).squareRoot() }

  /// The zero frequency, which the unknown mean hides, takes the value of the lowest other one.
  /// - Throws: `unusable` when a bin is zero: the pictures have nothing at that frequency.
  /// - Precondition: at least one picture, each with H·W finite values.
  public init(pictures: [[Double]], height: Int, width: Int) throws(PlanError) {
    precondition(!pictures.isEmpty && pictures.allSatisfy { $0.count == height * width })
    guard height * width > 1 else { throw .unusable("one pixel holds no noise spectrum") }
    var mean = [Double](repeating: 0, count: height * width)
    let cells = Array(mean.indices)
    let plan = try RealFourierPlan(height: height, width: width)
    for picture in pictures {
      let values = plan.periodogram(picture, of: cells)
      for index in mean.indices { mean[index] += values[index] / Double(pictures.count) }
    }
    mean[0] = mean[height > width ? width : 1]
    spectrum = try PowerSpectrum(height: height, width: width, values: mean)
    pictureCount = pictures.count
  }
}
