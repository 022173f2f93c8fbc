import Diagnostics
import Foundation
import ImageFiles
import Inversion
import Judging
import Likelihoods
import Numerics
import Probability
import Problems
import Randomness
import Sampling
import Workers

/// One thing that was checked on this machine.
public struct SelfCheck: Sendable {
  public let name: String
  /// What was found; right when at most `bound`.
  public let value: Double
  public let bound: Double
  public var isOK: Bool { value <= bound }

  public var json: JSONText {
    .object([
      ("check", .string(name)), ("ok", .bool(isOK)), ("value", .number(value)),
      ("bound", .number(bound)),
    ])
  }
}

/// Does this build, on this machine, sample what it should: closed-form posteriors by every method, and the
/// gradient and the integrator on a given model. Takes about twenty seconds.
public enum SelfTestPipeline {
  private static let chains = 16
  private static let draws = 1500
  private static let key = RandomKey(seed: 2022).child("selftest")

  /// - Parameter report: called with every check as it is done.
  public static func run(
    model name: String, threads: Int, report: (SelfCheck) throws -> Void
  ) throws {
    guard (1...256).contains(threads) else {
      throw PipelineError.usage("--threads must be 1 to 256")
    }
    let pool = WorkerPool(threads: threads)
    let model = try PAEModel.read(path: try ModelLocator.path(of: name))
    for (index, kind) in OracleProblem.Kind.allCases.enumerated() {
      let problem = try OracleProblem(kind, key: key.child("problem").child(index))
      for check in try oracle(problem, kind.rawValue, key: key.child(index), pool: pool) {
        try report(check)
      }
    }
    for check in try checks(of: model, pool: pool) { try report(check) }
  }

  private static func oracle(
    _ problem: OracleProblem, _ kind: String, key: RandomKey, pool: WorkerPool
  ) throws -> [SelfCheck] {
    let (posterior, latent) = (problem.posterior, OracleProblem.latent)
    var checks: [SelfCheck] = []
    func add(_ method: String, _ draws: DrawSet, evidence: Double? = nil) {
      let name = "\(kind), \(method)"
      var (distance, spread) = (0.0, 0.0)
      for k in 0..<latent {
        let trace = draws.coordinate(k)
        let values = trace.joined()
        let mean = values.reduce(0, +) / Double(values.count)
        let deviation =
          (values.reduce(0) { $0 + ($1 - mean) * ($1 - mean) } / Double(values.count - 1))
          .squareRoot()
        distance = max(
          distance, abs(mean - problem.mean[k]) / MonteCarloErrors.ofMean(trace))
        let expected = problem.deviations[k]
        let allowed = max(0.02, 4 * MonteCarloErrors.ofStandardDeviation(trace) / expected)
        spread = max(spread, abs(deviation / expected - 1) / allowed)
      }
      checks.append(
        SelfCheck(name: name + ": mean, in its Monte Carlo errors", value: distance, bound: 4))
      checks.append(
        SelfCheck(
          name: name + ": standard deviation, of 2 % or four errors", value: spread, bound: 1))
      if let evidence {
        checks.append(
          SelfCheck(
            name: name + ": log evidence, nats", value: abs(evidence - problem.logEvidence),
            bound: 0.1))
      }
    }
    var starts = key.child("starts").stream()
    let points = (0..<chains).map { _ in starts.normals(latent) }
    let options = SamplerOptions(draws: draws, warmup: 300)
    func sampled(_ kernel: any MarkovKernel, _ key: RandomKey) throws -> DrawSet {
      try Sampling.sample(
        posterior, problems: [SamplingProblem(starts: points, key: key)], kernel: kernel,
        options: options, pool: pool
      ).problems[0].draws
    }
    add("nuts", try sampled(NoUTurnSampler(), key.child("nuts")))
    add("hmc", try sampled(HamiltonianMonteCarlo(), key.child("hmc")))
    add("chees", try sampled(CheesHamiltonianMonteCarlo(), key.child("chees")))
    let optima = try maximize(posterior, starts: [points], pool: pool)[0]
    guard
      let best = optima.filter(\.logDensity.isFinite).max(by: { $0.logDensity < $1.logDensity }),
      let unit = DenseMetric(covariance: identity(latent), dimension: latent),
      let laplace = try laplaceApproximations(
        of: posterior, at: [ExpansionPoint(position: best.position, metric: unit)], pool: pool)[0]
    else { throw PipelineError.internal("the oracle has no mode") }
    let worst =
      (0..<latent).map { k in
        abs(laplace.mode[k] - problem.mean[k]) / problem.deviations[k]
      }.max() ?? 0
    checks.append(
      SelfCheck(name: "\(kind), map: mean, in standard deviations", value: worst, bound: 0.01))
    let spread =
      (0..<latent).map { k in
        abs(laplace.metric.variances[k].squareRoot() / problem.deviations[k] - 1)
      }.max() ?? 0
    checks.append(
      SelfCheck(name: "\(kind), laplace: standard deviation, relative", value: spread, bound: 0.02))
    checks.append(
      SelfCheck(
        name: "\(kind), laplace: log evidence, nats",
        value: abs(laplace.logEvidence - problem.logEvidence), bound: 0.1))
    let importance = try sampleByImportance(
      posterior,
      problems: [
        ImportanceProblem(proposal: GaussianMixture([laplace]), key: key.child("mixture"))
      ],
      options: ImportanceOptions(draws: 8192), pool: pool)[0]
    add(
      "mixture", importance.resampled(chains: 8, draws: 1024, key: key.child("resampled")),
      evidence: importance.logEvidence)
    var prior = key.child("particles").stream()
    let particles = try sampleSequentially(
      posterior,
      problems: [
        ParticleProblem(
          islands: (0..<8).map { _ in (0..<1024).map { _ in prior.normals(latent) } },
          key: key.child("smc"))
      ], options: SequentialMonteCarloOptions(), pool: pool
    ).problems[0]
    add("smc", particles.draws, evidence: particles.logEvidence)
    return checks
  }

  private static func identity(_ count: Int) -> [Double] {
    (0..<count * count).map { $0 % (count + 1) == 0 ? 1 : 0 }
  }

  /// The posterior of a picture of the model's own prior under white noise: its gradient against
  /// differences, and trajectories run there and back.
  private static func checks(of model: PAEModel, pool: WorkerPool) throws -> [SelfCheck] {
    let latent = model.latentDimension
    var stream = key.child("model").stream()
    let base = stream.normals(latent).map { Float($0) }
    var picture = [Float](repeating: 0, count: model.imageShape.count)
    var span = picture.mutableSpan
    try model.generator.makePlan(lanes: 1).apply(base.span, into: &span)
    let data = picture.map { $0 + Float(0.1 * stream.normal()) }
    let weight = model.intensityResidual == nil ? model.residualVariances : picture.map { _ in 1 }
    let posterior = ImagePosterior(
      generator: model.generator,
      problems: [
        PixelData(
          values: data, kinds: PixelData.kinds(of: data, censored: false),
          extraVariances: [Float](repeating: 0, count: data.count), residualVariances: weight,
          intensityVariance: model.intensityResidual?.variance)
      ], noiseLevel: .known([0.1]))
    return [
      SelfCheck(
        name: "\(model.description.name): gradient against differences, relative",
        value: try gradientError(posterior, stream: &stream), bound: 0.01),
      SelfCheck(
        name: "\(model.description.name): leapfrog there and back, in units of the prior",
        value: try returnError(posterior, start: base.map { Double($0) }, pool: pool), bound: 1e-3),
    ]
  }

  /// Largest of 8 directional derivatives' errors over the gradient's length. With h = 3·10⁻³ values near
  /// 10³ nats, good to 10⁻⁶ of themselves, leave 0.2 nats per unit length.
  private static func gradientError(
    _ posterior: ImagePosterior, stream: inout RandomStream
  ) throws -> Double {
    let (latent, h, count) = (posterior.dimension, 3e-3, 8)
    let evaluator = try posterior.makeEvaluator(
      problems: [Int](repeating: 0, count: 3 * count))
    var positions: [Double] = []
    var directions: [[Double]] = []
    for _ in 0..<count {
      let point = stream.normals(latent)
      let raw = stream.normals(latent)
      let length = raw.reduce(0) { $0 + $1 * $1 }.squareRoot()
      let direction = raw.map { $0 / length }
      directions.append(direction)
      for step in [0, h, -h] { positions += zip(point, direction).map { $0 + step * $1 } }
    }
    var values = [Double](repeating: 0, count: 3 * count)
    var gradients = positions
    var valueSpan = values.mutableSpan
    var gradientSpan = gradients.mutableSpan
    evaluator.evaluate(positions.span, values: &valueSpan, gradients: &gradientSpan)
    return directions.indices.map { index in
      let gradient = gradients[3 * index * latent..<(3 * index + 1) * latent]
      let slope = zip(gradient, directions[index]).reduce(0.0) { $0 + $1.0 * $1.1 }
      let difference = (values[3 * index + 1] - values[3 * index + 2]) / (2 * h)
      let length = gradient.reduce(0) { $0 + $1 * $1 }.squareRoot()
      return abs(slope - difference) / length
    }.max() ?? .infinity
  }

  /// How far from its start a trajectory of 20 steps ends that is run back.
  private static func returnError(
    _ posterior: ImagePosterior, start: [Double], pool: WorkerPool
  ) throws -> Double {
    let batch = try LaneBatch(density: posterior, problems: [0], lanesPerBlock: 8, pool: pool)
    guard let metric = DenseMetric(covariance: identity(start.count), dimension: start.count) else {
      throw PipelineError.internal("the unit metric is positive definite")
    }
    let result = Trajectory()
    batch.run { lane in
      let point = PhasePoint(dimension: start.count)
      point.state.position = start
      var stream = key.child("momentum").stream()
      let leapfrog = Leapfrog(stepSize: 0.005, metric: metric)
      leapfrog.refresh(point, from: &stream)
      await lane.evaluate(point.state)
      for _ in 0..<20 { await leapfrog.step(point, forward: true, lane: lane) }
      for _ in 0..<20 { await leapfrog.step(point, forward: false, lane: lane) }
      result.end = point.state.position
    }
    return zip(result.end, start).map { abs($0 - $1) }.max() ?? .infinity
  }
}

/// Where a trajectory ended; written by the one lane.
private final class Trajectory: @unchecked Sendable {
  var end: [Double] = []
}
