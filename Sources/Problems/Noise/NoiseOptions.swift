import Noise

/// The noise of the data: n ~ N(0, σ²N₀ + diag s²), N₀ white or with a power spectrum, s a sigma map.
public struct NoiseOptions: Sendable, Equatable {
  /// The level σ, a standard deviation of a pixel in intensity.
  public enum Sigma: Sendable, Equatable {
    /// Inferred together with the picture.
    case auto
    case value(Double)
  }

  /// The shape N₀.
  public enum Spectrum: Sendable, Equatable {
    case white
    /// P(k) ∝ (k² + knee²)^(−exponent/2), k in cycles per pixel.
    case power(exponent: Double, knee: Double)
    /// The same with the exponent inferred together with the picture (`SlopeQuadrature`).
    case inferredPower(knee: Double)
    /// A table of radial bins, a NumPy array or a PNG (`SpectrumFile`).
    case file(path: String)
    /// At hand, not in a file: of a caller of the library.
    case given(NoiseShape)

    /// Whether the exponent of a power law is inferred.
    public var isSlopeInferred: Bool {
      if case .inferredPower = self { true } else { false }
    }
  }

  /// nil: what the rest of the noise makes of it (`level`).
  public var sigma: Sigma?
  public var spectrum = Spectrum.white
  /// Whether opposite borders of the data are neighbours for coloured noise.
  public enum Border: String, Sendable, CaseIterable {
    case periodic
    /// They are not: the spectrum's law is taken on a grid twice as large.
    case open
  }

  public var border = Border.periodic
  /// A PNG whose intensities are standard deviations of independent noise that comes on top.
  public var sigmaMap: String?
  /// K, what the channels have in common, C×C row-major; nil for independent channels.
  public var channelCovariance: [Double]?

  /// How data that are not independent are solved.
  public enum Solver: String, Sendable, CaseIterable {
    /// Dense up to 4,096 data, else by conjugate gradients.
    case automatic = "auto"
    /// Data turned to independent ones by a dense factorization.
    case dense
    /// By conjugate gradients: any number of data, σ known.
    case conjugateGradients = "cg"
  }

  public var solver = Solver.automatic

  public init(
    sigma: Sigma? = nil, spectrum: Spectrum = .white, sigmaMap: String? = nil,
    channelCovariance: [Double]? = nil
  ) {
    self.sigma = sigma
    self.spectrum = spectrum
    self.sigmaMap = sigmaMap
    self.channelCovariance = channelCovariance
  }

  /// Where σ comes from.
  public enum Level: Sendable, Equatable {
    case inferred
    case known(Double)
    /// The spectrum's file has it.
    case inSpectrum
    /// There is a sigma map and nothing else.
    case none
  }

  public var level: Level {
    switch (sigma, spectrum) {
    case (.auto, _): .inferred
    case (.value(let value), _): .known(value)
    case (nil, .file): .inSpectrum
    case (nil, .inferredPower): .inferred
    case (nil, _): sigmaMap == nil ? .inferred : .none
    }
  }

  /// What reports call the spectrum.
  package var kind: String {
    switch spectrum {
    case .white: "white"
    case .power: "power"
    case .inferredPower: "power-inferred"
    case .file: "spectrum"
    case .given: "given"
    }
  }

  public var isWhite: Bool { spectrum == .white && channelCovariance == nil }

  /// - Throws: `PipelineError.usage` for the first value that makes no sense.
  func validate() throws(PipelineError) {
    if case .value(let sigma) = sigma, !(sigma > 0 && sigma <= 100) {
      throw .usage(
        "--sigma must be a positive number of intensity units (black 0, white 1), or auto, not "
          + short(sigma))
    }
    if case .power(let exponent, let knee) = spectrum {
      guard exponent.isFinite, abs(exponent) <= 20, knee >= 0, knee <= 100 else {
        throw .usage(
          "--noise-spectrum power:ALPHA[,KNEE] takes an exponent of -20 to 20 and a knee of 0 to 100 "
            + "cycles per pixel")
      }
    }
    if case .inferredPower(let knee) = spectrum {
      guard knee >= 0, knee <= 100 else {
        throw .usage(
          "--noise-spectrum power:auto[,KNEE] takes a knee of 0 to 100 cycles per pixel")
      }
    }
  }
}
