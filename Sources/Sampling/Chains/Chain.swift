import Probability
import Randomness

/// One chain of one problem: warmup, then draws, written in order; suspends at each gradient.
final class Chain: @unchecked Sendable {
  // Touched only by the thread that runs the batch.
  private(set) var positions: [Double] = []
  private(set) var logDensities: [Double] = []
  private(set) var records: [TransitionRecord] = []
  private(set) var warmupDivergences = 0
  private(set) var warmupGradients = 0
  /// Iterations of the warmup until it had settled, or all.
  private(set) var warmupLength = 0
  private(set) var warmupEnd: ContinuousClock.Instant?
  private(set) var startIsFinite = true
  /// Of the kept draws.
  private(set) var jumps = JumpCounts()

  private let index: Int
  private let problem: SamplingProblem
  private let adaptation: ProblemAdaptation
  private let transition: any MarkovTransition
  private let options: SamplerOptions
  private let schedule: WarmupSchedule
  private let tally: Tally
  private let jumper: JumpTransition?

  init(
    index: Int, problem: SamplingProblem, adaptation: ProblemAdaptation,
    transition: any MarkovTransition, options: SamplerOptions, tally: Tally
  ) {
    self.index = index
    self.problem = problem
    self.adaptation = adaptation
    self.transition = transition
    self.options = options
    self.tally = tally
    schedule = WarmupSchedule(length: options.warmup)
    jumper = problem.jumps.map { JumpTransition($0.mixture) }
    positions.reserveCapacity(options.draws * problem.starts[index].count)
    logDensities.reserveCapacity(options.draws)
    records.reserveCapacity(options.draws)
  }

  func run(_ lane: Lane) async {
    let state = ChainState(position: problem.starts[index])
    await lane.evaluate(state)
    guard state.logDensity.isFinite else {
      startIsFinite = lane.isCancelled
      tally.failed = tally.failed || !startIsFinite
      return
    }
    let key = problem.key.child("chain").child(index)
    await warmUp(state, key: key, lane: lane)
    warmupGradients = lane.gradients
    warmupEnd = .now
    jumps = JumpCounts()
    let leapfrog = Leapfrog(stepSize: adaptation.stepSize, metric: adaptation.metric)
    for draw in 0..<options.draws where !lane.isCancelled {
      await jump(state, iteration: draw, key: key.child("jump"), lane: lane)
      var stream = key.child("draw").child(draw).stream()
      let record = await transition.step(state, leapfrog: leapfrog, lane: lane, stream: &stream)
      positions += state.position
      logDensities.append(state.logDensity)
      records.append(record)
      tally.transitions += 1
      if record.isDivergent { tally.divergences += 1 }
    }
  }

  /// Before a transition, so that a record's energy belongs to its draw.
  private func jump(_ state: ChainState, iteration: Int, key: RandomKey, lane: Lane) async {
    guard let jumper, let interval = problem.jumps?.interval, iteration.isMultiple(of: interval)
    else { return }
    var stream = key.child(iteration).stream()
    await jumper.step(state, lane: lane, stream: &stream, counts: &jumps)
  }

  /// Leaves the problem's shared step size and metric as they are to be kept.
  private func warmUp(_ state: ChainState, key: RandomKey, lane: Lane) async {
    let learner = transition as? any AdaptiveTransition
    var metric = adaptation.metric
    let first = await initialStepSize(
      at: state, metric: metric, lane: lane, key: key.child("step size"))
    var stepSize = DualAveraging(stepSize: first, target: options.targetAcceptance)
    // On the unit metric the first guess may be far off; on a good one it is right to a factor two.
    if problem.initialMetric != nil { stepSize.restart(around: first) }
    var end = options.warmup
    var iteration = 0
    while iteration < end && !lane.isCancelled {
      let adapts = !adaptation.hasSettled
      // Not before the chains have found the typical set: the first window shows them there.
      if let first = schedule.windows.first, iteration >= first.upperBound {
        await jump(state, iteration: iteration, key: key.child("warmup jump"), lane: lane)
      }
      var stream = key.child("warmup").child(iteration).stream()
      let record = await transition.step(
        state, leapfrog: Leapfrog(stepSize: stepSize.stepSize, metric: metric), lane: lane,
        stream: &stream)
      stepSize.update(acceptance: record.acceptance)
      await learner?.adapt(lane: lane)
      tally.transitions += 1
      if record.isDivergent { warmupDivergences += 1 }
      if adapts && schedule.collects(iteration) {
        adaptation.collect(
          jumper?.centered(state.position) ?? state.position, chain: index)
      }
      if adapts && schedule.endsWindow(iteration) {
        await adaptation.meet(
          lane: lane, chain: index, stepSize: stepSize.averagedStepSize, endsWindow: true)
        metric = adaptation.metric
        stepSize.restart(around: adaptation.stepSize)
        if adaptation.hasSettled {
          end = min(end, iteration + 1 + schedule.finalLength(chains: problem.starts.count))
        }
      }
      iteration += 1
    }
    guard !lane.isCancelled else { return }
    learner?.settle()
    warmupLength = iteration
    tally.transitions += options.warmup - iteration
    await adaptation.meet(
      lane: lane, chain: index, stepSize: stepSize.averagedStepSize, endsWindow: false)
  }
}

/// Running counts for the progress line. Touched only by the thread that runs the batch.
final class Tally: @unchecked Sendable {
  var transitions = 0
  var divergences = 0
  /// Some chain could not start: the run is to stop.
  var failed = false
}
