import Numerics

/// The latest pairs of steps s and gradient changes y of a minimization, and the inverse Hessian that
/// they imply.
///
/// Source: Nocedal and Wright, "Numerical Optimization", 2006, algorithm 7.4 (two-loop recursion) and
/// eq. 7.20 (initial scale γ = sᵀy / yᵀy).
struct LBFGSMemory {
  private var steps: [[Double]]
  private var changes: [[Double]]
  private var inverseProducts: [Double]
  private var weights: [Double]
  private var count = 0
  /// Index of the slot to write next.
  private var next = 0

  /// - Precondition: `capacity` ≥ 1.
  init(dimension: Int, capacity: Int) {
    precondition(capacity >= 1)
    let zeros = [Double](repeating: 0, count: dimension)
    steps = Array(repeating: zeros, count: capacity)
    changes = steps
    inverseProducts = [Double](repeating: 0, count: capacity)
    weights = inverseProducts
  }

  var isEmpty: Bool { count == 0 }

  mutating func forget() {
    count = 0
    next = 0
  }

  /// Keeps s = x₁ − x₀ and y = g₁ − g₀ if sᵀy > 0 by more than rounding.
  mutating func add(from old: (x: [Double], g: [Double]), to new: (x: [Double], g: [Double])) {
    copy(new.x, into: &steps[next])
    addScaled(-1, old.x, to: &steps[next])
    copy(new.g, into: &changes[next])
    addScaled(-1, old.g, to: &changes[next])
    let product = dot(steps[next], changes[next])
    guard
      product > 1e-12 * dot(changes[next], changes[next]).squareRoot()
        * dot(steps[next], steps[next]).squareRoot()
    else { return }
    inverseProducts[next] = 1 / product
    next = (next + 1) % steps.count
    count = min(count + 1, steps.count)
  }

  /// direction ← H · direction with H ≈ the inverse Hessian.
  mutating func applyInverseHessian(to direction: inout [Double]) {
    guard !isEmpty else { return }
    let newestFirst = (1...count).map { (next - $0 + steps.count) % steps.count }
    for slot in newestFirst {
      weights[slot] = inverseProducts[slot] * dot(steps[slot], direction)
      addScaled(-weights[slot], changes[slot], to: &direction)
    }
    let newest = newestFirst[0]
    let scale =
      1 / (inverseProducts[newest] * dot(changes[newest], changes[newest]))
    for i in direction.indices { direction[i] *= scale }
    for slot in newestFirst.reversed() {
      let correction = inverseProducts[slot] * dot(changes[slot], direction)
      addScaled(weights[slot] - correction, steps[slot], to: &direction)
    }
  }
}
