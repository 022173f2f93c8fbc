import Probability

/// A fixed group of neighbouring lanes with one evaluator: the unit of work of the pool. Positions
/// stay where they are, so a lane without a request is evaluated again where it last was.
final class LaneBlock: @unchecked Sendable {
  // One thread at a time: the runner's between evaluations, one worker's during one.
  let laneCount: Int
  private(set) var requests = 0
  private let dimension: Int
  private let evaluator: any LogDensityEvaluator
  /// laneCount × D.
  private var positions: [Double]
  /// laneCount.
  private var values: [Double]
  /// laneCount × D.
  private var gradients: [Double]

  /// Idle rows start at zero, an ordinary position for any density of this project.
  init(density: any LogDensity, problems: [Int]) throws {
    laneCount = problems.count
    dimension = density.dimension
    evaluator = try density.makeEvaluator(problems: problems)
    positions = [Double](repeating: 0, count: laneCount * dimension)
    values = [Double](repeating: 0, count: laneCount)
    gradients = positions
  }

  func request(_ position: [Double], row: Int) {
    let start = row * dimension
    for i in 0..<dimension { positions[start + i] = position[i] }
    requests += 1
  }

  func evaluate() {
    var values = self.values.mutableSpan
    var gradients = self.gradients.mutableSpan
    evaluator.evaluate(positions.span, values: &values, gradients: &gradients)
    requests = 0
  }

  /// Copies the row out; anything not finite becomes −∞ with a zero gradient. A finite sum of
  /// x − x over all elements is zero exactly when all are finite.
  func read(row: Int, into state: ChainState) {
    let start = row * dimension
    var probe = values[row] - values[row]
    for i in 0..<dimension {
      let component = gradients[start + i]
      state.gradient[i] = component
      probe += component - component
    }
    state.logDensity = values[row]
    guard probe != 0 else { return }
    state.logDensity = -.infinity
    for i in 0..<dimension { state.gradient[i] = 0 }
  }
}
