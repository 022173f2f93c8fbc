import CFFTW
import Foundation
import Maps
import Numerics
import Operators

/// Noise with a power spectrum on the whole periodic grid, each of C channels on its own:
/// N = F⁻¹ diag(P) F. Exact in O(HW log HW); missing pixels break it (see
/// `MaskedStationaryNoise`).
public struct StationaryNoise: NoiseModel {
  public let spectrum: PowerSpectrum
  public let channels: Int
  /// C·H·W, channels first.
  public var dimension: Int { channels * spectrum.height * spectrum.width }

  /// - Precondition: `channels` ≥ 1.
  public init(spectrum: PowerSpectrum, channels: Int = 1) {
    precondition(channels >= 1)
    self.spectrum = spectrum
    self.channels = channels
  }

  /// ln det N = C Σ_k ln P_k.
  public var logDeterminant: Double {
    var sum = 0.0
    for value in spectrum.values { sum += log(value) }
    return Double(channels) * sum
  }

  public func makePlan(lanes: Int) throws(PlanError) -> any NoisePlan {
    StationaryNoisePlan(
      lanes: lanes, channels: channels, spectrum: spectrum,
      fourier: try RealFourierPlan(height: spectrum.height, width: spectrum.width))
  }
}

/// With R the unnormalized transform of one channel and n = HW (Parseval):
///
///     rᵀN⁻¹r = (1/n) Σ_k |R_k|²/P_k        ln det N = Σ_k ln P_k        N⁻¹r = F⁻¹(R/P)
///
/// Only W/2+1 columns are stored; a column that stands for itself and its mirror counts twice in both
/// sums. Whitening multiplies by P^(−½), coloring by P^½: real, symmetric, in pixel space.
final class StationaryNoisePlan: NoisePlan {
  private let grids: Int
  private let lanes: Int
  private let cells: Int
  private let fourier: RealFourierPlan
  /// For each stored bin 1/(n P_k), 1/(n √P_k), √P_k/n: the multipliers of the backward transform.
  private let inversePower: [Double]
  private let inverseRoot: [Double]
  private let root: [Double]
  /// 1 or 2 for each stored bin.
  private let weights: [Double]
  /// −½ ln det N − D/2 ln 2π for one lane.
  private let constant: Double

  init(lanes: Int, channels: Int, spectrum: PowerSpectrum, fourier: RealFourierPlan) {
    self.lanes = lanes
    grids = channels
    cells = spectrum.height * spectrum.width
    self.fourier = fourier
    let columns = halfSpectrumColumns(spectrum.width)
    let scale = 1 / Double(cells)
    var power: [Double] = []
    var weights: [Double] = []
    var logDeterminant = 0.0
    for row in 0..<spectrum.height {
      for column in 0..<columns {
        let weight = Double(halfSpectrumWeight(column: column, width: spectrum.width))
        power.append(spectrum.values[row * spectrum.width + column])
        weights.append(weight)
        logDeterminant += weight * log(power[power.count - 1])
      }
    }
    inversePower = power.map { scale / $0 }
    inverseRoot = power.map { scale / $0.squareRoot() }
    root = power.map { scale * $0.squareRoot() }
    self.weights = weights
    constant = Double(channels) * (-0.5 * logDeterminant - halfLogTwoPi * Double(cells))
  }

  func evaluate(
    _ residuals: Span<Double>, logDensities: inout MutableSpan<Double>,
    gradients: inout MutableSpan<Double>
  ) {
    precondition(residuals.count == lanes * grids * cells && gradients.count == residuals.count)
    for lane in 0..<lanes {
      var square = 0.0
      for channel in 0..<grids {
        let start = (lane * grids + channel) * cells
        for cell in 0..<cells { fourier.real[cell] = residuals[start + cell] }
        fourier.forward()
        for bin in weights.indices {
          let (a, b) = fourier.spectrum[bin]
          let factor = inversePower[bin]
          square += weights[bin] * factor * (a * a + b * b)
          fourier.spectrum[bin] = (a * factor, b * factor)
        }
        fourier.backward()
        for cell in 0..<cells { gradients[start + cell] = -fourier.real[cell] }
      }
      logDensities[lane] = constant - 0.5 * square
    }
  }

  func whiten(_ residuals: Span<Double>, into white: inout MutableSpan<Double>) {
    filter(residuals, by: inverseRoot, into: &white)
  }

  func color(_ white: Span<Double>, into residuals: inout MutableSpan<Double>) {
    filter(white, by: root, into: &residuals)
  }

  private func filter(
    _ input: Span<Double>, by factors: [Double], into output: inout MutableSpan<Double>
  ) {
    precondition(input.count == lanes * grids * cells && output.count == input.count)
    for grid in 0..<lanes * grids {
      for cell in 0..<cells { fourier.real[cell] = input[grid * cells + cell] }
      fourier.forward()
      for bin in factors.indices {
        let (a, b) = fourier.spectrum[bin]
        fourier.spectrum[bin] = (a * factors[bin], b * factors[bin])
      }
      fourier.backward()
      for cell in 0..<cells { output[grid * cells + cell] = fourier.real[cell] }
    }
  }
}
