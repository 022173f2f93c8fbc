import Foundation
import Randomness
import Testing

@testable import Sampling

/// A two-dimensional quartic well, curved enough for errors of every order: −x⁴/4 − x² y² − y²/2.
private let quartic = FunctionTarget(dimension: 2) { _, q, gradient in
  let (x, y) = (q[0], q[1])
  gradient[0] = -x * x * x - 2 * x * y * y
  gradient[1] = -2 * x * x * y - y
  return -0.25 * x * x * x * x - x * x * y * y - 0.5 * y * y
}

private let metrics: [any Metric] = [
  DiagonalMetric(variances: [0.7, 1.6]),
  DenseMetric(covariance: [0.9, 0.4, 0.4, 1.3], dimension: 2)!,
]

/// Where `steps` steps from (q, p) end: q then p.
private func integrate(
  _ q: [Double], _ p: [Double], stepSize: Double, steps: Int, forward: Bool = true,
  metric: any Metric
) throws -> (point: [Double], energyError: Double, gradients: Int) {
  try inOneLane(quartic) { lane in
    let point = PhasePoint(dimension: 2)
    point.state.position = q
    point.momentum = p
    metric.velocity(of: point.momentum, into: &point.velocity)
    await lane.evaluate(point.state)
    let start = point.energy
    let leapfrog = Leapfrog(stepSize: stepSize, metric: metric)
    for _ in 0..<steps { await leapfrog.step(point, forward: forward, lane: lane) }
    return (point.state.position + point.momentum, point.energy - start, lane.gradients)
  }
}

@Suite struct LeapfrogTests {
  // Fails when: one half kick loses its ½; the drift uses the old velocity.
  @Test("leapfrog is reversible", arguments: metrics.indices)
  func reversible(_ index: Int) throws {
    let metric = metrics[index]
    let there = try integrate([1, 0.5], [-0.3, 0.8], stepSize: 0.1, steps: 50, metric: metric)
    let (q, p) = (Array(there.point[0..<2]), Array(there.point[2..<4]))
    let flipped = try integrate(q, p.map(-), stepSize: 0.1, steps: 50, metric: metric)
    let back = try integrate(q, p, stepSize: 0.1, steps: 50, forward: false, metric: metric)
    // 100 steps of a few rounding errors each, grown by the flow.
    for (value, expected) in zip(flipped.point, [1, 0.5, 0.3, -0.8]) {
      #expect(abs(value - expected) < 1e-11)
    }
    for (value, expected) in zip(back.point, [1, 0.5, -0.3, 0.8]) {
      #expect(abs(value - expected) < 1e-11)
    }
  }

  // Volume is kept: the determinant of the Jacobian by central differences is 1 to their error h².
  // Fails when: the second kick uses the gradient of the first.
  @Test("leapfrog keeps volume and the symplectic form", arguments: metrics.indices)
  func symplectic(_ index: Int) throws {
    let h = 1e-5
    let start = [1, 0.5, -0.3, 0.8]
    var columns: [[Double]] = []
    for i in 0..<4 {
      func end(_ sign: Double) throws -> [Double] {
        var z = start
        z[i] += sign * h
        return try integrate(
          Array(z[0..<2]), Array(z[2..<4]), stepSize: 0.2, steps: 5, metric: metrics[index]
        ).point
      }
      columns.append(zip(try end(1), try end(-1)).map { ($0 - $1) / (2 * h) })
    }
    // JᵀΩJ = Ω: ω(a, b) = a_q·b_p − a_p·b_q on all pairs of columns.
    for i in 0..<4 {
      for j in 0..<4 {
        let (a, b) = (columns[i], columns[j])
        let form = a[0] * b[2] + a[1] * b[3] - a[2] * b[0] - a[3] * b[1]
        let expected = j == i + 2 ? 1.0 : i == j + 2 ? -1 : 0
        #expect(abs(form - expected) < 1e-7)
      }
    }
  }

  // The slope of log error over log ε is 2 for O(ε²), 1 for a symplectic Euler step. Fails when: a
  // half kick becomes whole and the other none.
  @Test("the energy error falls with the square of the step", arguments: metrics.indices)
  func order(_ index: Int) throws {
    func error(_ steps: Int) throws -> Double {
      abs(
        try integrate(
          [1, 0.5], [-0.3, 0.8], stepSize: 1 / Double(steps), steps: steps, metric: metrics[index]
        ).energyError)
    }
    let slope = log2(try error(64) / error(128))
    #expect(abs(slope - 2) < 0.02)
  }

  // Against the exact flow to second order: q(ε) = q + ε v + ½ε² Σ g. Fails when: the metric is left
  // out of the drift; a momentum sign flips.
  @Test("one small step follows the flow", arguments: metrics.indices)
  func direction(_ index: Int) throws {
    let metric = metrics[index]
    let (q, p, step) = ([1, 0.5], [-0.3, 0.8], 1e-3)
    let gradient = [-1 - 2 * 0.25, -2 * 0.5 - 0.5]
    var (velocity, acceleration) = ([0.0, 0], [0.0, 0])
    metric.velocity(of: p, into: &velocity)
    metric.velocity(of: gradient, into: &acceleration)
    let end = try integrate(q, p, stepSize: step, steps: 1, metric: metric).point
    for i in 0..<2 {
      let expected = q[i] + step * velocity[i] + 0.5 * step * step * acceleration[i]
      #expect(abs(end[i] - expected) < 1e-14)
      #expect(abs(end[2 + i] - (p[i] + step * gradient[i])) < 1e-5)
    }
  }

  @Test("a step takes one gradient")
  func gradients() throws {
    #expect(
      try integrate([1, 0], [0, 1], stepSize: 0.1, steps: 7, metric: metrics[0]).gradients == 8)
  }
}
