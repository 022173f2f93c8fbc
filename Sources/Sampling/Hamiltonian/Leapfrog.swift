import Numerics
import Randomness

/// The leapfrog (velocity Verlet) integrator of dq/dt = Σ p, dp/dt = ∇ log π(q):
///
///     p ← p + ½ε ∇ log π(q);   q ← q + ε Σ p;   p ← p + ½ε ∇ log π(q)
///
/// Symplectic, reversible under p ↦ −p, with energy error O(ε²); one gradient a step.
/// Source: Neal, "MCMC using Hamiltonian dynamics", 2011, eqs. 2.28–2.30.
package struct Leapfrog {
  package var stepSize: Double
  package let metric: any Metric

  package init(stepSize: Double, metric: any Metric) {
    self.stepSize = stepSize
    self.metric = metric
  }

  /// One step of ±`stepSize`, the sign by `forward`. Leaves the velocity Σ p of the new momentum.
  /// The point must hold the gradient at its position.
  package func step(_ point: PhasePoint, forward: Bool, lane: Lane) async {
    beginStep(point, forward: forward)
    await lane.evaluate(point.state)
    endStep(point, forward: forward)
  }

  /// The step until its gradient is needed: moves the momentum by half and the position whole.
  func beginStep(_ point: PhasePoint, forward: Bool) {
    let step = forward ? stepSize : -stepSize
    addScaled(0.5 * step, point.state.gradient, to: &point.momentum)
    metric.velocity(of: point.momentum, into: &point.velocity)
    addScaled(step, point.velocity, to: &point.state.position)
  }

  /// The rest of the step, with the gradient at the new position.
  func endStep(_ point: PhasePoint, forward: Bool) {
    let step = forward ? stepSize : -stepSize
    addScaled(0.5 * step, point.state.gradient, to: &point.momentum)
    metric.velocity(of: point.momentum, into: &point.velocity)
  }

  /// Gives the point a new momentum and its velocity.
  package func refresh(_ point: PhasePoint, from stream: inout RandomStream) {
    metric.drawMomentum(into: &point.momentum, from: &stream)
    metric.velocity(of: point.momentum, into: &point.velocity)
  }
}
