import Flows
import Tensors
import Workers

/// A flow whose weights are trained with the autoencoder's. Plans read the weights; the optimizer writes
/// them between steps, when no plan runs.
package final class JointFlow {
  let flow: NormalizingFlow
  let options: FlowTrainer.Options
  let weights: FloatBuffer

  /// - Parameters:
  ///   - flow: what training starts from.
  ///   - options: rate and optimizer of stage 2; batches, epochs and warm-up are the autoencoder's, and
  ///     there is neither dropout nor jitter, since each code is drawn anew each time.
  package init(_ flow: NormalizingFlow, options: FlowTrainer.Options) {
    self.flow = flow
    self.options = options
    weights = FloatBuffer(flow.parameters)
  }

  /// Decay acts on the conditioners' weights alone, as in stage 2.
  func makeOptimizer(pool: WorkerPool) -> Optimizer {
    Optimizer(
      weights: weights, layout: flow.layout, options: options.optimizer, pool: pool,
      decays: flow.decays)
  }
}
