import Inversion
import Probability
import Problems
import Randomness
import Sampling

extension PosteriorSolver {
  /// Data whose products with J nodes and P pixels are still kept: 13 nodes of 1,100 × 1,100 in double
  /// precision are 126 MB, three times over.
  private static let largestProduct = 1100 * 1100
  /// Nodes on either side of the peak in conditional standard deviations: beyond 6 there is 2e-9 of a
  /// Gaussian. Where σ is inferred it and the slope trade against each other, and the marginal is wider
  /// than the conditional; nodes then reach 12, at 1.5 apart.
  private static let reach = (known: (step: 1.0, nodes: 6), inferred: (step: 1.5, nodes: 8))
  /// Searches on finer nodes before those found are taken as they are.
  private static let largestRefinement = 3
  /// Mass of an end node above which the nodes are too few.
  private static let largestEndMass = 1e-3

  /// What bars the slope from being inferred.
  package func checkSlope(_ pictures: [DamagedPicture], forward: ForwardModel) throws {
    guard pictures.count == 1 else {
      throw PipelineError.usage(
        "--noise-spectrum power:auto takes one picture at a time: each has noise of its own slope")
    }
    guard !pictures[0].isCensored else {
      throw PipelineError.usage(
        "--noise-spectrum power:auto takes data that are not clipped, but values pile up at the ends "
          + "of the range: give the slope, or --clipped no where they were not cut off")
    }
    guard options.noise.solver != .conjugateGradients else {
      throw PipelineError.usage(
        "--solver cg takes noise of a known slope: give it, or leave --solver out")
    }
    guard options.residual != .intensity else {
      throw PipelineError.usage(
        "--residual intensity takes independent noise; with --noise-spectrum power:auto use full, "
          + "diagonal or none")
    }
    let count = pictures[0].observedCount
    guard count * model.imageShape.count <= Self.largestProduct else {
      throw PipelineError.usage(
        "--noise-spectrum power:auto takes about 1,100 data of a picture of as many pixels, not "
          + "\(count) of \(model.imageShape.count): give the slope")
    }
  }

  /// Modes and draws with the slope of the noise summed out: nodes over the whole range first, then nodes
  /// as near as the data tell slopes apart about the best one, until they serve. Where after sampling the
  /// end nodes carry mass, once more with nodes beyond them.
  package func solveSlope(
    _ pictures: [DamagedPicture], noise: ResolvedNoise, forward: ForwardModel, key: RandomKey,
    warn: (String) -> Void, progress: (SolveProgress) -> Bool
  ) throws -> Solved {
    try checkSlope(pictures, forward: forward)
    let picture = pictures[0]
    let reach = options.noise.level == .inferred ? Self.reach.inferred : Self.reach.known
    var quadrature = SlopeQuadrature.coarse
    var solved = try climb(
      picture, quadrature, noise: noise, forward: forward, key: key, progress: progress)
    for _ in 0..<Self.largestRefinement {
      let terms = try solved.posterior.alternativeTerms(
        of: solved.modes[0].bestDraw, problem: 0)
      let (center, deviation) = quadrature.peak(of: terms[0])
      let fine = SlopeQuadrature(
        around: center, step: reach.step * deviation, reach: reach.nodes)
      if quadrature != .coarse, abs(fine.spacing / quadrature.spacing - 1) < 0.25,
        abs(fine.slopes[0] - quadrature.slopes[0]) < 1.5 * fine.spacing
      {
        break
      }
      quadrature = fine
      solved = try climb(
        picture, quadrature, noise: noise, forward: forward, from: solved, key: key,
        progress: progress)
    }
    guard options.method != .map else {
      try solved.addSlope(quadrature, solved.modes[0].bestDraw, key)
      return solved
    }
    for isLast in [false, true] {
      let run = try draw(solved.posterior, solved.modes, key: key, progress: progress)
      solved.gradients += run.gradients
      solved.run = run
      let slope = try solved.addSlope(quadrature, run.problems[0].draws, key)
      let range = SlopeQuadrature.range
      let isLow =
        slope.endMasses.low > Self.largestEndMass
        && quadrature.slopes[0] > range.lowerBound
      let isHigh =
        slope.endMasses.high > Self.largestEndMass
        && quadrature.slopes[quadrature.slopes.count - 1] < range.upperBound
      guard isLow || isHigh else { break }
      if isLast {
        warn("the slope of the noise reaches beyond its nodes: its standard deviation is too small")
        break
      }
      quadrature = quadrature.extended(below: isLow ? 6 : 0, above: isHigh ? 6 : 0)
      solved = try climb(
        picture, quadrature, noise: noise, forward: forward, from: solved, key: key,
        progress: progress)
    }
    return solved
  }

  /// The modes under these nodes, from those found before where there are any.
  private func climb(
    _ picture: DamagedPicture, _ quadrature: SlopeQuadrature, noise: ResolvedNoise,
    forward: ForwardModel, from previous: Solved? = nil, key: RandomKey,
    progress: (SolveProgress) -> Bool
  ) throws -> Solved {
    let measurement = try MeasurementModel(
      picture: picture,
      nodes: zip(quadrature.slopes, quadrature.logWeights).map {
        (shape: try noise.shape(exponent: $0), logWeight: $1)
      },
      isLevelInferred: options.noise.level == .inferred, forward: forward, residual: residual,
      residualScale: options.isResidualScaleInferred ? model.residualScale : nil)
    let posterior = measurement.posterior(of: model, inCodes: options.space == .z)
    let modes = try findModes(
      posterior, [picture], starts: previous.map { $0.modes.map(\.positions) }, key: key,
      progress: progress)
    return Solved(
      measurement: measurement, posterior: posterior, modes: modes.sets,
      gradients: (previous?.gradients ?? 0) + modes.gradients)
  }
}

/// Pictures solved, before anything is painted.
package struct Solved {
  package let measurement: MeasurementModel
  package let posterior: ImagePosterior
  package let modes: [ModeSet]
  /// Evaluations of the density so far.
  package var gradients: Int
  /// nil before sampling and for `--method map`.
  package var run: PosteriorBatch?
  /// Where the slope is inferred.
  package var slope: SlopePosterior?

  package init(
    measurement: MeasurementModel, posterior: ImagePosterior, modes: [ModeSet], gradients: Int,
    run: PosteriorBatch? = nil, slope: SlopePosterior? = nil
  ) {
    self.measurement = measurement
    self.posterior = posterior
    self.modes = modes
    self.gradients = gradients
    self.run = run
    self.slope = slope
  }

  /// What these draws say of the slope.
  @discardableResult
  fileprivate mutating func addSlope(
    _ quadrature: SlopeQuadrature, _ draws: DrawSet, _ key: RandomKey
  ) throws -> SlopePosterior {
    let result = SlopePosterior(
      terms: try posterior.alternativeTerms(of: draws, problem: 0), quadrature: quadrature,
      key: key.child("slope"))
    slope = result
    return result
  }
}
