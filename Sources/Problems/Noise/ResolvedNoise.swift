import Maps
import Noise
import Numerics
import Tensors

/// Noise options with their files read, for data of one shape.
package struct ResolvedNoise {
  /// N₀, of unit variance in each pixel (times the diagonal of the channel covariance).
  package let shape: NoiseShape
  /// The standard deviation of a pixel that the spectrum's file states.
  package let spectrumSigma: Double?

  private let options: NoiseOptions
  private let dataShape: Shape

  /// - Throws: `PipelineError` or `PlanError` for a spectrum or a channel covariance that cannot be used.
  package init(_ options: NoiseOptions, shape data: Shape) throws {
    (self.options, dataShape) = (options, data)
    // Where the slope is inferred, that of its prior's mean.
    (shape, spectrumSigma) = try Self.resolve(
      options, exponent: SlopeQuadrature.priorMean, data)
  }

  /// N₀ with this slope, where it is inferred.
  package func shape(exponent: Double) throws -> NoiseShape {
    try Self.resolve(options, exponent: exponent, dataShape).shape
  }

  /// - Parameter inferred: an inferred exponent.
  private static func resolve(
    _ options: NoiseOptions, exponent inferred: Double, _ data: Shape
  ) throws -> (shape: NoiseShape, sigma: Double?) {
    if case .given(let shape) = options.spectrum {
      try shape.check(shape: data)
      return (shape, nil)
    }
    let spatial: NoiseShape.Spatial
    var spectrumSigma: Double?
    if options.spectrum == .white {
      spatial = .white
    } else {
      guard data.rank == 3 else {
        throw PipelineError.configuration(
          "a noise spectrum needs data on a grid of pixels; frequencies have white noise")
      }
      let isOpen = options.border == .open
      let height = isOpen ? MaskedSpectrum.embeddingExtent(data[1]) : data[1]
      let width = isOpen ? MaskedSpectrum.embeddingExtent(data[2]) : data[2]
      func power(_ exponent: Double, _ knee: Double) throws -> NoiseShape.Spatial {
        try Self.stating("noise-spectrum power:\(exponent),\(knee)") {
          .stationary(
            try .power(exponent: exponent, knee: knee, sigma: 1, height: height, width: width))
        }
      }
      switch options.spectrum {
      case .white, .given: spatial = .white
      case .power(let exponent, let knee): spatial = try power(exponent, knee)
      case .inferredPower(let knee): spatial = try power(inferred, knee)
      case .file(let path):
        let spectrum = try SpectrumFile.read(
          path, height: height, width: width, border: options.border)
        spectrumSigma = spectrum.variance.squareRoot()
        spatial = .stationary(spectrum.scaled(toVariance: 1))
      }
    }
    let shape = try Self.stating("channel-covariance") {
      var shape = NoiseShape(spatial: spatial)
      if let covariance = options.channelCovariance {
        shape = try NoiseShape(spatial: spatial, channelCovariance: covariance)
      }
      try shape.check(shape: data)
      return shape
    }
    return (shape, spectrumSigma)
  }

  /// What a command or a problem file states, not a file of data, is a bad configuration.
  private static func stating<T>(_ what: String, _ body: () throws -> T) throws -> T {
    do { return try body() } catch let error as PlanError {
      throw PipelineError.configuration("\(what): \(error)")
    }
  }
}
