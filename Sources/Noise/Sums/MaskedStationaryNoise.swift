import Maps

/// Stationary noise seen at the observed cells only, plus independent noise of given variances:
/// N = M F⁻¹ diag(P) F Mᵀ + diag(v), exact whatever is missing.
///
/// Fourier where all cells are observed and all variances are equal, dense up to 4,096 data, else
/// conjugate gradients; see `SumNoise` for the costs.
public struct MaskedStationaryNoise: NoiseModel {
  private let sum: SumNoise
  public let spectrum: MaskedSpectrum
  public var dimension: Int { sum.dimension }
  /// How N⁻¹r is computed; never `automatic`.
  public var solver: NoiseSolver { sum.solver }
  /// ln det N, nats, and its standard error; 0 where it is exact.
  public var logDeterminant: Double { sum.logDeterminant }
  public var logDeterminantError: Double { sum.logDeterminantError }

  /// - Parameters:
  ///   - variances: v, one for each observed cell in row-major order, intensity²; none means zeros.
  /// - Throws: as `SumNoise`.
  public init(
    _ spectrum: MaskedSpectrum, variances: [Double]? = nil, solver: NoiseSolver = .automatic,
    iteration: ConjugateGradients = ConjugateGradients()
  ) throws(PlanError) {
    self.spectrum = spectrum
    if let variances, variances.count != spectrum.dimension {
      throw .unusable(
        "\(variances.count) independent noise variances for \(spectrum.dimension) observed cells")
    }
    let independent = variances.map { [NoisePart.independent($0)] } ?? []
    sum = try SumNoise([.stationary(spectrum)] + independent, solver: solver, iteration: iteration)
  }

  /// - Parameter observed: C·H·W flags, channels first.
  /// - Throws: as `SumNoise`, and `unusable` when the number of flags is another or none is set.
  public init(
    spectrum: PowerSpectrum, channels: Int = 1, observed: [Bool], variances: [Double]? = nil,
    solver: NoiseSolver = .automatic, iteration: ConjugateGradients = ConjugateGradients()
  ) throws(PlanError) {
    try self.init(
      MaskedSpectrum(spectrum, channels: channels, observed: observed), variances: variances,
      solver: solver, iteration: iteration)
  }

  /// Noise that is not periodic: the law on a periodic grid of at least twice the picture's extents,
  /// of which the picture is a corner.
  ///
  /// - Parameters:
  ///   - law: P(k_y, k_x) in intensity², cycles per pixel from −½ to ½, even in k; the variance of a
  ///     pixel is its mean over the unit square of frequencies, whatever the grid.
  ///   - observed: C·height·width flags, channels first.
  /// - Throws: as the others, and as `PowerSpectrum` when the law is not positive or not even.
  public init(
    embedding law: (_ ky: Double, _ kx: Double) -> Double, height: Int, width: Int,
    channels: Int = 1, observed: [Bool], variances: [Double]? = nil,
    solver: NoiseSolver = .automatic, iteration: ConjugateGradients = ConjugateGradients()
  ) throws(PlanError) {
    precondition(channels >= 1)
    guard observed.count.isMultiple(of: channels),
      MaskedSpectrum.isPicture(height, width, cells: observed.count / channels)
    else {
      throw .unusable(
        "\(observed.count) flags of observed cells for \(channels) × \(height)×\(width) cells")
    }
    let grid = try PowerSpectrum(
      law, height: MaskedSpectrum.embeddingExtent(height),
      width: MaskedSpectrum.embeddingExtent(width))
    try self.init(
      MaskedSpectrum(
        embedding: grid, height: height, width: width, channels: channels, observed: observed),
      variances: variances, solver: solver, iteration: iteration)
  }

  public func makePlan(lanes: Int) throws(PlanError) -> any NoisePlan {
    try sum.makePlan(lanes: lanes)
  }
}
