import Foundation
import Inversion
import Maps
import Noise
import Operators
import Problems
import Sampling
import Tensors
import Workers

/// A picture x that a prior knows something of, and data y = A(x) + n: what is to be solved, in memory. Nothing
/// is read from files or written to any.
///
///     let problem = try InverseProblem(model: prior, noise: .white(0.1), data: picture)
///     let solution = try problem.solve(.nuts())
///     solution.mean, solution.standardDeviation, solution.verdict
///
/// The same seed gives the same numbers as the command line does for the same data.
public struct InverseProblem {
  private let model: any Prior
  private let forward: ForwardModel
  private let noise: MeasurementNoise
  private let data: [Float]
  private let observed: [Bool]?
  private let range: ClosedRange<Float>?
  private let roundingStep: Double

  /// - Parameters:
  ///   - model: what pictures are thought to be: a trained model, or a prior of your own.
  ///   - operator: A, from the model's pictures to data; nil where the data are the picture's elements. A
  ///     `LinearOperator` goes with any noise and residual, another `DifferentiableMap` with white noise and
  ///     no residual.
  ///   - noise: of the data.
  ///   - data: y, in the operator's codomain.
  ///   - observed: one flag for each datum; nil when all are observed. Values that are not are not looked at.
  ///   - range: where the instrument cuts values off: those at its ends say "here or beyond". nil for data that
  ///     were not cut off.
  ///   - roundingStep: distance between neighbouring values of data that were rounded, 1/255 for eight bits;
  ///     0 for others.
  /// - Throws: `InverseProblemError` for what does not fit together.
  public init(
    model: any Prior, operator: (any DifferentiableMap)? = nil, noise: MeasurementNoise,
    data: Tensor, observed: [Bool]? = nil, clippedTo range: ClosedRange<Float>? = nil,
    roundingStep: Double = 0
  ) throws(InverseProblemError) {
    let map = `operator` ?? IdentityOperator(shape: model.imageShape)
    guard map.domain.count == model.imageShape.count else {
      throw .operatorTakesOthers(expected: model.imageShape, found: map.domain)
    }
    guard data.shape.count == map.codomain.count, data.count == map.codomain.count else {
      throw .shapeOfData(expected: map.codomain, found: data.shape)
    }
    if let observed {
      guard observed.count == data.count else {
        throw .observedCount(expected: data.count, found: observed.count)
      }
      guard observed.contains(true) else { throw .nothingObserved }
    }
    func isObserved(_ index: Int) -> Bool { observed?[index] ?? true }
    if let index = data.values.indices.first(where: {
      isObserved($0) && !data.values[$0].isFinite
    }) {
      throw .notFinite(index: index)
    }
    guard roundingStep >= 0, roundingStep.isFinite,
      range.map({ Double($0.upperBound - $0.lowerBound) > roundingStep }) ?? true
    else { throw .range(range ?? 0...1, roundingStep: roundingStep) }
    try noise.check(map.codomain)
    self.model = model
    forward = ForwardModel(map)
    self.noise = noise
    self.data = data.values.indices.map { isObserved($0) ? data.values[$0] : 0 }
    self.observed = observed
    self.range = range
    self.roundingStep = roundingStep
  }

  /// Finds modes and draws, and paints them.
  /// - Parameters:
  ///   - residual: what of the model's residual ε takes part.
  ///   - pictures: how many pictures are drawn for `InverseSolution.draws`.
  ///   - seed: of everything that is random: the same seed gives the same numbers.
  ///   - threads: at least 1; nil for as many as the machine has processors.
  ///   - warn: called with one-line warnings as they come up.
  ///   - progress: called about ten times a second; returns false to stop, which throws
  ///     `SamplingError.cancelled`.
  /// - Throws: `InverseProblemError` for what cannot be solved; `PlanError` for singular covariances and
  ///   sizes; `PipelineError` for data, noise and residual that no method combines.
  public func solve(
    _ method: PosteriorMethod = .nuts(), residual: SolveOptions.Residual = .auto,
    pictures: Int = 16, seed: UInt64 = 1, threads: Int? = nil,
    warn: (String) -> Void = { _ in }, progress: (SolveProgress) -> Bool = { _ in true }
  ) throws -> InverseSolution {
    let start = ContinuousClock().now
    let threads = threads ?? ProcessInfo.processInfo.activeProcessorCount
    precondition(threads >= 1, "threads must be at least 1, not \(threads)")
    var options = SolveOptions(threads: threads)
    method.set(&options)
    options.model = model.name
    options.noise = noise.options
    options.residual = residual
    options.seed = seed
    options.samples = method == .map ? 0 : pictures
    try Self.check(options)
    let resolved = try ResolvedNoise(options.noise, shape: forward.dataShape)
    let sigma: Double? = if case .known(let value) = noise.level { value } else { nil }
    let picture = try DamagedPicture(
      name: "data", values: data, observed: observed, sigma: sigma, forward: forward,
      noise: noise.shape, independentSigmas: noise.deviations?.values, range: range,
      roundingStep: roundingStep)
    let solver = PosteriorSolver(
      model: model, options: options, pool: WorkerPool(threads: options.threads))
    let batch = try solver.solveBatch(
      [picture], noise: resolved, forward: forward, since: start, warn: warn, progress: progress)
    return try InverseSolution(batch, index: 0)
  }

  private static func check(_ options: SolveOptions) throws(InverseProblemError) {
    let total = options.chains.multipliedReportingOverflow(by: options.draws)
    guard (1...1024).contains(options.chains), (1...1_000_000).contains(options.draws),
      (0...1_000_000).contains(options.warmup), !total.overflow,
      total.partialValue <= 20_000_000, options.samples >= 0,
      options.method == .map || options.samples <= total.partialValue
    else {
      throw .counts(
        chains: options.chains, draws: options.draws, warmup: options.warmup,
        pictures: options.samples)
    }
  }
}
