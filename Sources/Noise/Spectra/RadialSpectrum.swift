import Foundation
import Maps
import Numerics
import Operators

/// An isotropic power spectrum in radial bins: ln P interpolated linearly in the frequency between the
/// bins and constant beyond them.
public struct RadialSpectrum: Sendable, Equatable {
  /// Ascending, cycles per pixel.
  public let frequencies: [Double]
  /// Intensity².
  public let powers: [Double]

  /// - Throws: `unusable` without bins, with frequencies that are not ascending, or naming the first bin
  ///   whose power is zero, negative or not finite.
  public init(frequencies: [Double], powers: [Double]) throws(PlanError) {
    precondition(frequencies.count == powers.count)
    guard !frequencies.isEmpty else { throw .unusable("it has no bins") }
    if let index = powers.firstIndex(where: { !($0 > 0 && $0.isFinite) }) {
      throw .unusable(
        "bin \(index) is \(powers[index]); every bin must be positive and finite, else the noise has "
          + "no density")
    }
    for index in frequencies.indices {
      guard frequencies[index] >= 0, frequencies[index].isFinite,
        index == 0 || frequencies[index] > frequencies[index - 1]
      else {
        throw .unusable(
          "the frequency of bin \(index) is \(frequencies[index]); frequencies must ascend from 0")
      }
    }
    self.frequencies = frequencies
    self.powers = powers
  }

  /// P at a frequency in cycles per pixel.
  public func power(at frequency: Double) -> Double {
    guard let above = frequencies.firstIndex(where: { $0 >= frequency }) else {
      return powers[powers.count - 1]
    }
    guard above > 0 else { return powers[0] }
    let (low, high) = (frequencies[above - 1], frequencies[above])
    let share = (frequency - low) / (high - low)
    return exp((1 - share) * log(powers[above - 1]) + share * log(powers[above]))
  }

  /// The spectrum on a periodic grid.
  /// - Throws: what `PowerSpectrum` throws.
  public func spectrum(height: Int, width: Int) throws(PlanError) -> PowerSpectrum {
    _ = try fourierExtents(height: height, width: width)
    return try PowerSpectrum(
      height: height, width: width,
      values: (0..<height * width).map { index in
        let (row, column) = (index / width, index % width)
        let y = Double(min(row, height - row)) / Double(height)
        let x = Double(min(column, width - column)) / Double(width)
        return power(at: (x * x + y * y).squareRoot())
      })
  }
}

extension PowerSpectrum {
  /// The same shape with another variance of a pixel.
  /// - Precondition: `variance` is positive and finite.
  public func scaled(toVariance variance: Double) -> PowerSpectrum {
    let factor = variance / self.variance
    guard
      let scaled = try? PowerSpectrum(
        height: height, width: width, values: values.map { $0 * factor })
    else { preconditionFailure("a spectrum times \(factor)") }
    return scaled
  }

  /// The share of a pixel's variance that is left within `side`×`side` patches about their own means:
  /// what an estimate from small patches sees of this noise.
  /// - Throws: what the Fourier plan throws.
  package func localShare(side: Int) throws(PlanError) -> Double {
    let lags = try autocovariance()
    let (rows, columns) = (min(side, height), min(side, width))
    let count = Double(rows * columns)
    var mean = 0.0
    for y in -(rows - 1)..<rows {
      for x in -(columns - 1)..<columns {
        let pairs = Double((rows - abs(y)) * (columns - abs(x)))
        mean += pairs * lags[(y + height) % height * width + (x + width) % width]
      }
    }
    return (1 - mean / (count * count * lags[0])) * count / max(count - 1, 1)
  }
}
