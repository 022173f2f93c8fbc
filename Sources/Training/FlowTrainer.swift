import Flows
import Maps
import Networks
import Randomness
import Tensors
import Workers

/// Stage 2: the flow of maximum likelihood on the codes, stopped early on held-out codes.
///
/// Batches are cut in a fixed number of shards, as in stage 1. After each epoch the averaged weights
/// are tried on the held-out codes; the best are kept, and training ends when `patience` epochs in a
/// row have brought nothing better.
package final class FlowTrainer {
  package struct Options: Codable, Sendable, Equatable {
    package var batch = 256
    package var shards = 2
    package var epochs = 40
    package var rate = 1e-3
    package var warmupSteps = 300
    package var dropout = 0.0
    /// Standard deviation of the noise added to codes while training, in units of each coordinate's
    /// standard deviation.
    package var jitter = 0.0
    package var patience = 8
    package var optimizer = Optimizer.Options()
    package init() {}
  }

  package let options: Options
  package let optimizer: Optimizer
  /// The best averaged weights so far and their mean ln p(z) on the held-out codes, nats.
  package private(set) var best: (parameters: [Float], logLikelihood: Double)
  package private(set) var epochsSinceBest = 0
  private let flow: NormalizingFlow
  private let codes: [Float]
  private let heldOut: [Float]
  private let jitterScales: [Float]
  private let schedule: LearningRateSchedule
  private let pool: WorkerPool
  private let key: RandomKey
  private let shards: [FlowShard]

  private var dimension: Int { flow.dimension }
  package var codeCount: Int { codes.count / dimension }
  package var stepsPerEpoch: Int { codeCount / options.batch }
  package var isDone: Bool { epochsSinceBest >= options.patience }

  /// - Parameters:
  ///   - codes: training codes, n × K row-major, n ≥ batch. - heldOut: codes to stop on.
  package init(
    layers: [FlowLayerDescription], codes: [Float], heldOut: [Float], dimension: Int,
    options: Options, key: RandomKey, pool: WorkerPool
  ) throws {
    precondition(codes.count / dimension >= options.batch && options.batch % options.shards == 0)
    self.options = options
    self.codes = codes
    self.heldOut = heldOut
    self.key = key
    self.pool = pool
    flow = try NormalizingFlow(
      initializing: layers, dimension: dimension, key: key.child("parameters")
    ).standardizing(codes: codes)
    let gaussian = try FittedGaussian(codes: codes, dimension: dimension)
    jitterScales = gaussian.standardDeviations.map { Float($0 * options.jitter) }
    optimizer = Optimizer(
      weights: FloatBuffer(flow.parameters), layout: flow.layout, options: options.optimizer,
      pool: pool, decays: flow.decays)
    shards = try (0..<options.shards).map { [flow] _ in
      try FlowShard(
        flow: flow, lanes: options.batch / options.shards, dropout: Float(options.dropout))
    }
    schedule = LearningRateSchedule(
      peak: options.rate, warmupSteps: options.warmupSteps,
      totalSteps: max(1, options.epochs * (codes.count / dimension / options.batch)))
    best = (flow.parameters, -.infinity)
  }

  /// Goes on from a stored state (with the optimizer's own restored beside it).
  package func restore(best: [Float], logLikelihood: Double, epochsSinceBest: Int) {
    precondition(best.count == flow.layout.count)
    self.best = (best, logLikelihood)
    self.epochsSinceBest = epochsSinceBest
  }

  /// One pass over the codes, then the trial on the held-out ones.
  /// - Parameters:
  ///   - done: steps of it that were done before a break.
  ///   - report: called after each step with the steps done and the batch's mean ln p(z); returns false to
  ///     stop early.
  /// - Returns: mean ln p(z) of the training batches run here and of the held-out codes; nil when stopped.
  package func runEpoch(
    _ epoch: Int, after done: Int = 0, report: (Int, Double) -> Bool
  ) throws -> (training: Double, heldOut: Double)? {
    var stream = key.child("order").child(epoch).stream()
    let order = stream.permutation(codeCount)
    var total = 0.0
    for step in done..<stepsPerEpoch {
      let stepKey = key.child("step").child(epoch).child(step)
      pool.run(shards.count) { [shards, options, optimizer, codes, jitterScales] index in
        let shard = shards[index]
        let first = step * options.batch + index * shard.lanes
        shard.run(
          indices: order[first..<first + shard.lanes], of: codes, jitter: jitterScales,
          parameters: optimizer.weights.pointer, key: stepKey.child(index))
      }
      let value = -shards.reduce(0) { $0 + $1.loss } / Double(shards.count)
      total += value
      optimizer.step(
        shards.map(\.gradient), rate: schedule.rate(at: epoch * stepsPerEpoch + step))
      if !report(step + 1, value) { return nil }
    }
    let trial = try flow.replacing(parameters: optimizer.average.array)
    let score = try trial.meanLogDensity(of: heldOut)
    if score > best.logLikelihood {
      best = (trial.parameters, score)
      epochsSinceBest = 0
    } else {
      epochsSinceBest += 1
    }
    return (total / Double(max(stepsPerEpoch - done, 1)), score)
  }

  /// The flow with the best weights so far.
  package func bestFlow() throws -> NormalizingFlow {
    try flow.replacing(parameters: best.parameters)
  }
}

extension NormalizingFlow {
  /// Whether weight decay acts on a tensor: on the networks' weights alone.
  func decays(_ slot: ParameterSlot) -> Bool {
    decayedWeights.contains { $0.contains(slot.offset) }
  }

  /// Mean ln p(z) in nats over the codes (n × K).
  package func meanLogDensity(of codes: [Float]) throws -> Double {
    let values = try logDensity(of: codes)
    return accurateSum(values) / Double(values.count)
  }
}

/// One worker's share of a batch of codes.
private final class FlowShard {
  let lanes: Int
  let gradient: FloatBuffer
  private(set) var loss = 0.0
  private let plan: FlowTrainingPlan
  private let dimension: Int
  private let batch: FloatBuffer

  init(flow: NormalizingFlow, lanes: Int, dropout: Float) throws(PlanError) {
    self.lanes = lanes
    plan = try FlowTrainingPlan(flow, lanes: lanes, dropout: dropout)
    dimension = flow.dimension
    gradient = FloatBuffer(flow.layout.count)
    batch = FloatBuffer(lanes * flow.dimension)
  }

  func run(
    indices: ArraySlice<Int>, of codes: [Float], jitter: [Float],
    parameters: UnsafePointer<Float>, key: RandomKey
  ) {
    var stream = key.child("jitter").stream()
    let isJittered = jitter.contains { $0 > 0 }
    for (lane, index) in indices.enumerated() {
      for k in 0..<dimension {
        var value = codes[index * dimension + k]
        if isJittered { value += jitter[k] * Float(stream.normal()) }
        batch.pointer[lane * dimension + k] = value
      }
    }
    gradient.pointer.update(repeating: 0, count: gradient.count)
    loss = plan.step(
      parameters: parameters, codes: batch.buffer.span, key: key.child("dropout"),
      gradient: gradient.pointer)
  }
}
