import Maps

/// The solver chosen for a sum of parts, ready to make plans.
enum NoiseSolution: Sendable {
  case fourier(StationaryNoise)
  case dense(DenseNoise)
  case iterative(IterativeNoise)

  /// - Throws: `unusable` saying why a solver that was asked for cannot be, or what is singular.
  init(
    _ parts: CovarianceParts, _ solver: NoiseSolver, _ settings: ConjugateGradients
  ) throws(PlanError) {
    switch solver {
    case .automatic:
      if Self.obstacle(parts) == nil {
        self = .fourier(try Self.fourier(parts))
      } else if parts.dimension <= DenseNoise.largestDimension {
        self = .dense(try parts.denseNoise())
      } else {
        self = .iterative(try IterativeNoise(parts, settings))
      }
    case .fourier:
      if let obstacle = Self.obstacle(parts) {
        throw .unusable("the Fourier solver cannot be used: \(obstacle)")
      }
      self = .fourier(try Self.fourier(parts))
    case .dense: self = .dense(try parts.denseNoise())
    case .conjugateGradients: self = .iterative(try IterativeNoise(parts, settings))
    }
  }

  var solver: NoiseSolver {
    switch self {
    case .fourier: .fourier
    case .dense: .dense
    case .iterative: .conjugateGradients
    }
  }

  var logDeterminant: (value: Double, error: Double) {
    switch self {
    case .fourier(let noise): (noise.logDeterminant, 0)
    case .dense(let noise): (noise.logDeterminant, 0)
    case .iterative(let noise): (noise.logDeterminant, noise.logDeterminantError)
    }
  }

  func makePlan(lanes: Int) throws(PlanError) -> any NoisePlan {
    switch self {
    case .fourier(let noise): try noise.makePlan(lanes: lanes)
    case .dense(let noise): try noise.makePlan(lanes: lanes)
    case .iterative(let noise): try noise.makePlan(lanes: lanes)
    }
  }

  /// Why the covariance is not diagonal in Fourier space, or nil.
  private static func obstacle(_ parts: CovarianceParts) -> String? {
    guard parts.residuals.isEmpty else { return "a decoder residual is not stationary" }
    guard let grid = parts.grids.first else { return "no part is stationary" }
    if let index = parts.grids.firstIndex(where: { !$0.isComplete }) {
      let grid = parts.grids[index]
      let cells = grid.channels * grid.spectrum.values.count
      return "\(cells - grid.dimension) of \(cells) cells of the grid are not observed"
    }
    if parts.grids.contains(where: {
      $0.channels != grid.channels || $0.spectrum.height != grid.spectrum.height
        || $0.spectrum.width != grid.spectrum.width
    }) {
      return "the grids of the stationary parts differ"
    }
    if let index = parts.variances.firstIndex(where: { $0 != parts.variances[0] }) {
      return "the independent variances of the data 0 and \(index) differ"
    }
    return nil
  }

  /// The spectra of all parts added up, the independent variance in every bin.
  private static func fourier(_ parts: CovarianceParts) throws(PlanError) -> StationaryNoise {
    let first = parts.grids[0]
    var values = [Double](repeating: parts.variances[0], count: first.spectrum.values.count)
    for grid in parts.grids {
      for index in values.indices { values[index] += grid.spectrum.values[index] }
    }
    return StationaryNoise(
      spectrum: try PowerSpectrum(
        height: first.spectrum.height, width: first.spectrum.width, values: values),
      channels: first.channels)
  }
}
