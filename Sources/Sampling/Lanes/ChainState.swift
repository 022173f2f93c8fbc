import Numerics

/// A position with its log density (nats) and gradient: what a chain's next step needs.
///
/// A class, so that its arrays are overwritten in place and steps take no memory; owned by one chain.
package final class ChainState {
  package var position: [Double]
  package var gradient: [Double]
  package var logDensity = -Double.infinity

  package init(position: [Double]) {
    self.position = position
    gradient = [Double](repeating: 0, count: position.count)
  }

  package func copy(from other: ChainState) {
    Numerics.copy(other.position, into: &position)
    Numerics.copy(other.gradient, into: &gradient)
    logDensity = other.logDensity
  }

  /// Exchanges the contents of two states: a copy without copying.
  package func exchange(with other: ChainState) {
    swap(&position, &other.position)
    swap(&gradient, &other.gradient)
    swap(&logDensity, &other.logDensity)
  }
}

/// A point of phase space: a state, its momentum p and its velocity v = Σ p.
package final class PhasePoint {
  package let state: ChainState
  package var momentum: [Double]
  package var velocity: [Double]

  package init(dimension: Int) {
    let zeros = [Double](repeating: 0, count: dimension)
    state = ChainState(position: zeros)
    momentum = zeros
    velocity = zeros
  }

  /// H = −log π(q) + ½ pᵀ Σ p (nats); +∞ where the log density is not finite, never NaN.
  package var energy: Double {
    let energy = 0.5 * dot(momentum, velocity) - state.logDensity
    return energy.isNaN ? .infinity : energy
  }

  package func copy(from other: PhasePoint) {
    state.copy(from: other.state)
    Numerics.copy(other.momentum, into: &momentum)
    Numerics.copy(other.velocity, into: &velocity)
  }
}
