import Maps
import Noise
import Problems
import Tensors

/// The noise of data at hand: n ~ N(0, σ²N₀ + diag s²).
public struct MeasurementNoise: Sendable, Equatable {
  /// σ, a standard deviation of a datum in intensity.
  public enum Level: Sendable, Equatable {
    /// At least 0; 0 where `deviations` are all the noise there is.
    case known(Double)
    /// Inferred together with the picture.
    case inferred
  }

  public var level: Level
  /// N₀, of unit variance in each datum: white, or with a power spectrum.
  public var shape: NoiseShape
  /// s, in the shape of the data: standard deviations of independent noise that comes on top, such as a
  /// detector's map; nil for none.
  public var deviations: Tensor?

  public init(_ level: Level, shape: NoiseShape = .white, deviations: Tensor? = nil) {
    self.level = level
    self.shape = shape
    self.deviations = deviations
  }

  /// Independent noise of one known level.
  public static func white(_ sigma: Double) -> MeasurementNoise { .init(.known(sigma)) }

  /// As the options of a command would say it.
  var options: NoiseOptions {
    let sigma: NoiseOptions.Sigma =
      switch level {
      case .known(let value): .value(value)
      case .inferred: .auto
      }
    return NoiseOptions(sigma: sigma, spectrum: shape.isWhite ? .white : .given(shape))
  }

  /// - Throws: `InverseProblemError` for the first value that makes no sense.
  func check(_ data: Shape) throws(InverseProblemError) {
    if case .known(let sigma) = level {
      guard sigma.isFinite, sigma > 0 || sigma == 0 && deviations != nil else {
        throw .noiseLevel(sigma)
      }
    }
    if let deviations {
      guard deviations.shape == data else {
        throw .shapeOfDeviations(expected: data, found: deviations.shape)
      }
      if let index = deviations.values.firstIndex(where: { !($0 > 0 && $0.isFinite) }) {
        throw .deviation(index: index, value: deviations.values[index])
      }
    }
    do { try shape.check(shape: data) } catch { throw .noiseShape(error) }
  }
}
