import Foundation
import Randomness
import Testing

@testable import Numerics
@testable import Sampling

private let target = GaussianTarget(
  mean: [0, 0, 0], covariance: [1, 0.3, 0, 0.3, 0.2, 0, 0, 0, 0.05])
private let start = [0.4, -0.2, 0.1]

/// A transition from `start` as the papers have it: every momentum of the trajectory is kept, in order
/// of time, and the turning criterion is asked of whole lists.
private struct Reference {
  var steps = 0
  var depth = 0
  var end = TrajectoryEnd.maximumDepth

  private struct Point {
    var q: [Double]
    var p: [Double]
    /// One leapfrog step with the unit metric.
    func moved(_ step: Double) -> Point {
      var next = self
      func kick() {
        var gradient = [0.0, 0, 0]
        _ = target.density().function(0, next.q, &gradient)
        for i in 0..<3 { next.p[i] += 0.5 * step * gradient[i] }
      }
      kick()
      for i in 0..<3 { next.q[i] += step * next.p[i] }
      kick()
      return next
    }
  }

  init(stepSize: Double, maximumDepth: Int, stream: RandomStream) {
    var stream = stream
    var points = [Point(q: start, p: stream.normals(3))]
    while depth < maximumDepth {
      let forward = stream.uniform() < 0.5
      var new: [Point] = []
      for _ in points.indices {
        let edge = new.last ?? (forward ? points.last! : points.first!)
        new.append(edge.moved(forward ? stepSize : -stepSize))
        steps += 1
        // A merge of two halves completes at every power of two that divides the count, and uses one
        // uniform number.
        for level in 0..<new.count.trailingZeroBitCount {
          _ = stream.uniform()
          if Self.turns(new.suffix(2 << level).map(\.p)) {
            end = .turnedInside
            return
          }
        }
      }
      depth += 1
      _ = stream.uniform()
      points = forward ? points + new : new.reversed() + points
      if Self.turns(points.map(\.p)) {
        end = .turned
        return
      }
    }
  }

  /// The criterion for a list of two halves, and for each half with the other's nearest point.
  private static func turns(_ momenta: [[Double]]) -> Bool {
    let half = momenta.count / 2
    return [momenta[...], momenta[...half], momenta[(half - 1)...]].contains { part in
      let sum = part.reduce([0, 0, 0]) { zip($0, $1).map { $0 + $1 } }
      return dot(sum, part.first!) <= 0 || dot(sum, part.last!) <= 0
    }
  }
}

@Suite struct NoUTurnSamplerTests {
  // Fails when: a doubling backwards in time is read from the wrong end; a condition of the criterion
  // is dropped; merges come in another order.
  @Test("trajectories are the papers', step by step", arguments: [0.05, 0.2])
  func reference(_ stepSize: Double) throws {
    let key = RandomKey(seed: 91).child("transitions")
    let records = try inOneLane(target.density()) { lane in
      let transition = NoUTurnSampler(maximumDepth: 7).makeTransition(dimension: 3)
      let leapfrog = Leapfrog(stepSize: stepSize, metric: DiagonalMetric(dimension: 3))
      var records: [TransitionRecord] = []
      for index in 0..<300 {
        let state = ChainState(position: start)
        await lane.evaluate(state)
        var stream = key.child(index).stream()
        records.append(
          await transition.step(state, leapfrog: leapfrog, lane: lane, stream: &stream))
      }
      return records
    }
    for (index, record) in records.enumerated() {
      let reference = Reference(
        stepSize: stepSize, maximumDepth: 7, stream: key.child(index).stream())
      #expect(record.steps == reference.steps)
      #expect(record.depth == reference.depth)
      #expect(record.end == reference.end)
    }
    #expect(Set(records.map(\.end)).count > 1)
  }

  // Fails when: NaN is passed on.
  @Test("an energy is never NaN")
  func energy() {
    let point = PhasePoint(dimension: 1)
    point.state.logDensity = 0
    (point.momentum, point.velocity) = ([.infinity], [0])
    #expect(point.energy == .infinity)
    point.state.logDensity = -.infinity
    (point.momentum, point.velocity) = ([1], [1])
    #expect(point.energy == .infinity)
  }
}
