import Foundation
import Randomness
import Testing

@testable import Numerics
@testable import Sampling

/// A piece of one point with unit metric.
private func leaf(
  position: Double = 0, momentum: [Double], logWeight: Double = 0, velocity: [Double]? = nil
) -> Subtree {
  let point = PhasePoint(dimension: 2)
  point.state.position = [position, 0]
  point.momentum = momentum
  point.velocity = velocity ?? momentum
  let piece = Subtree(dimension: 2)
  piece.setLeaf(point, energy: position, logWeight: logWeight)
  return piece
}

/// The criterion from its definition, on all momenta of both halves in order of integration.
private func movesApart(_ first: [[Double]], _ second: [[Double]]) -> Bool {
  func spans(_ momenta: [[Double]]) -> Bool {
    let sum = momenta.reduce([0, 0]) { [$0[0] + $1[0], $0[1] + $1[1]] }
    return dot(sum, momenta.first!) > 0 && dot(sum, momenta.last!) > 0
  }
  return spans(first + second) && spans(first + [second[0]]) && spans([first.last!] + second)
}

@Suite struct SubtreeTests {
  // Pieces of 2 and 2 random points, the first grown in either direction of time. Fails when: any of the
  // six conditions is dropped; `reverse` leaves an end where it was.
  @Test("the turning criterion is the definition's")
  func criterion() {
    var stream = RandomKey(seed: 81).child("pieces").stream()
    var apart = 0
    for _ in 0..<4000 {
      let momenta = (0..<4).map { _ in [1 + stream.normal(), stream.normal()] }
      let backward = stream.uniform() < 0.5
      let first = leaf(momentum: momenta[backward ? 1 : 0])
      if backward { first.reverse() }
      _ = first.append(
        leaf(momentum: momenta[backward ? 0 : 1]), choice: .multinomial, uniform: 0.5)
      if backward { first.reverse() }
      let second = leaf(momentum: momenta[2])
      _ = second.append(leaf(momentum: momenta[3]), choice: .multinomial, uniform: 0.5)
      let expected = movesApart(Array(momenta[0..<2]), Array(momenta[2..<4]))
      #expect(first.append(second, choice: .multinomial, uniform: 0.5) == expected)
      apart += expected ? 1 : 0
    }
    #expect((400..<3600).contains(apart))
  }

  // ρ = (3, 0) against velocities: momentum and velocity differ in sign of the first coordinate.
  @Test("the criterion asks velocities, not momenta")
  func velocities() {
    let first = leaf(momentum: [1, 0], velocity: [-1, 0])
    let second = leaf(momentum: [2, 0], velocity: [1, 0])
    #expect(!first.append(second, choice: .multinomial, uniform: 0.5))
  }

  // Weights e⁰ and e^{log 3} give the second with ¾, or always.
  @Test("joined pieces choose by weight")
  func choice() {
    let cases: [(Subtree.DrawChoice, Double, Double)] = [
      (.multinomial, 0.74, 1), (.multinomial, 0.76, 0), (.biasedProgressive, 0.999, 1),
    ]
    for (choice, uniform, expected) in cases {
      let first = leaf(momentum: [1, 0])
      let second = leaf(position: 1, momentum: [1, 0], logWeight: log(3))
      #expect(first.append(second, choice: choice, uniform: uniform))
      #expect(first.draw.position[0] == expected && first.drawEnergy == expected)
      #expect(abs(first.logWeight - log(4)) < 1e-15)
    }
  }

  @Test("log weights add where one is zero")
  func weights() {
    #expect(logSumExp(-.infinity, -.infinity) == -.infinity)
    #expect(logSumExp(-.infinity, 1.5) == 1.5)
    #expect(abs(logSumExp(1000, 1000) - 1000 - log(2)) < 1e-12)
  }
}
