/// What a training needs to go on exactly where it stopped: all else follows from the recipe.
struct TrainingState {
  /// The optimizers whose state is kept.
  enum Part: String, CaseIterable {
    case encoder, decoder, flow
  }

  /// An optimizer's vectors and step count.
  struct OptimizerState {
    var weights: [Float]
    var first: [Float]
    var second: [Float]
    var average: [Float]
    var steps: Int
  }

  struct BestNetworks {
    var encoder: [Float]
    var decoder: [Float]
    /// Mean squared error per pixel on the held-out pictures.
    var error: Double
    /// Counted from 1.
    var epoch: Int
  }

  /// Epochs done.
  var autoencoderEpoch = 0
  var flowEpoch = 0
  var optimizers: [Part: OptimizerState] = [:]
  /// Stage 1's averaged weights of the smallest held-out error; nil before the first epoch, and for
  /// objectives that keep the last.
  var bestNetworks: BestNetworks?
  var bestFlow: [Float]?
  var bestLogLikelihood = -Double.infinity
  var epochsSinceBest = 0
  /// Steps done of the epoch that comes next.
  var step = 0

  mutating func keep(_ part: Part, _ optimizer: Optimizer) {
    optimizers[part] = OptimizerState(
      weights: optimizer.weights.array, first: optimizer.firstMoment.array,
      second: optimizer.secondMoment.array, average: optimizer.average.array,
      steps: optimizer.steps)
  }

  /// Does nothing for a part that has not begun.
  func restore(_ part: Part, to optimizer: Optimizer) throws {
    guard let stored = optimizers[part] else { return }
    guard stored.weights.count == optimizer.weights.count else {
      throw TrainingError.checkpointDiffers(path: "", what: "the number of weights")
    }
    optimizer.restore(
      weights: stored.weights, first: stored.first, second: stored.second,
      average: stored.average, steps: stored.steps)
  }
}
