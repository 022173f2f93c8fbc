import Numerics

/// One start of an optimization: L-BFGS ascent, written in order; suspends at each gradient.
///
/// Source: Nocedal and Wright, "Numerical Optimization", 2006, algorithm 7.5.
final class Ascent: @unchecked Sendable {
  // Touched only by the thread that runs the batch.
  private let state: ChainState
  private let previous: ChainState
  private let options: OptimizerOptions
  private var memory: LBFGSMemory
  private var direction: [Double]
  private var end = OptimizationEnd.iterationLimit
  private var iterations = 0
  private var evaluations = 0

  init(start: [Double], options: OptimizerOptions) {
    state = ChainState(position: start)
    previous = ChainState(position: start)
    self.options = options
    memory = LBFGSMemory(dimension: start.count, capacity: options.memory)
    direction = start
  }

  var optimum: Optimum {
    Optimum(
      position: state.position, logDensity: state.logDensity, gradientNorm: gradientNorm,
      end: end, iterations: iterations, evaluations: evaluations)
  }

  private var gradientNorm: Double { dot(state.gradient, state.gradient).squareRoot() }

  /// At most `maximumIterations` steps up the lane's density from where the last call ended.
  func climb(maximumIterations: Int, lane: Lane) async {
    memory.forget()
    await lane.evaluate(state)
    end = await ascend(maximumIterations: maximumIterations, lane: lane)
    evaluations += lane.gradients
  }

  private func ascend(maximumIterations: Int, lane: Lane) async -> OptimizationEnd {
    guard state.logDensity.isFinite else { return .startNotFinite }
    let tolerance = options.gradientTolerance * max(1, gradientNorm)
    let lineSearch = WolfeLineSearch(valueNoise: options.valueNoise)
    var stalled = 0
    // ½ gᵀ H g, what a Newton step would gain.
    var predictedRise = Double.infinity
    for _ in 0..<maximumIterations {
      if gradientNorm <= tolerance { return .gradientSmall }
      copy(state.gradient, into: &direction)
      memory.applyInverseHessian(to: &direction)
      if dot(direction, state.gradient) <= 0 {
        memory.forget()
        copy(state.gradient, into: &direction)
      }
      if !memory.isEmpty { predictedRise = 0.5 * dot(direction, state.gradient) }
      // Without curvature the first step is at most of length one.
      let firstLength = memory.isEmpty ? 1 / max(1, gradientNorm) : 1
      previous.copy(from: state)
      let found = await lineSearch.search(
        from: previous, along: direction, firstLength: firstLength, state: state, lane: lane)
      guard found else {
        state.copy(from: previous)
        let noise = options.valueNoise * max(1, abs(state.logDensity))
        if predictedRise <= noise { return .objectiveStalled }
        if memory.isEmpty || lane.isCancelled { return .lineSearchFailed }
        memory.forget()
        continue
      }
      iterations += 1
      // Minimization of −log π: its gradients are the negatives, so y = g_old − g_new.
      memory.add(
        from: (previous.position, state.gradient), to: (state.position, previous.gradient))
      let rise = state.logDensity - previous.logDensity
      let isStalled = rise <= options.objectiveTolerance * max(1, abs(state.logDensity))
      stalled = isStalled ? stalled + 1 : 0
      if stalled == 3 { return .objectiveStalled }
    }
    return gradientNorm <= tolerance ? .gradientSmall : .iterationLimit
  }
}
