import Flows
import Foundation
import LawCheckers
import Randomness
import Testing

/// The spline through its layer: K = 2, the second coordinate transformed, the first fixed.
@Suite struct SplineTransformTests {
  private func flow(bins: Int, bound: Float) throws -> NormalizingFlow {
    try TestFlow(
      name: "spline",
      layers: [
        .splineCoupling(
          SplineCoupling(bins: bins, bound: bound, hidden: [8], transforms: .second))
      ], dimension: 2
    ).make(seed: 12)
  }

  /// Values and ln y' at x for a fixed first coordinate.
  private func values(_ flow: NormalizingFlow, _ x: [Float]) throws -> (y: [Float], log: [Float]) {
    let (u, logs) = normalize(
      try flow.makeNormalizingPlan(lanes: x.count), x.flatMap { [0.7, $0] }, lanes: x.count)
    return (x.indices.map { u[2 * $0 + 1] }, logs)
  }

  /// On a grid of 0.001 over [−5, 5], which crosses every knot and both bounds: y rises by the
  /// integral of e^ℓ (trapezoid; its error is h³ y‴/12 inside bins and h² times the kink of y″ at a
  /// knot), and ℓ never jumps.
  /// Seen to fail: slope 1 at the bounds replaced by the neighbour's; δ_0 made of `raw1`; ℓ not
  /// zeroed in the tails.
  @Test("y is C¹ across knots and bounds and e^ℓ is its derivative", arguments: [2, 8, 13])
  func isContinuouslyDifferentiable(bins: Int) throws {
    let flow = try flow(bins: bins, bound: 4)
    let h = 0.001
    let x = (0...10_000).map { Float(-5 + Double($0) * h) }
    let (y, log) = try values(flow, x)
    for index in 1..<x.count {
      let step = Double(x[index]) - Double(x[index - 1])
      let mean = 0.5 * (exp(Double(log[index])) + exp(Double(log[index - 1])))
      // Roundings of y and of the knots near 4: about 5e-7 each.
      #expect(abs(Double(y[index]) - Double(y[index - 1]) - step * mean) < 6e-6)
      #expect(abs(log[index] - log[index - 1]) < 0.05)
    }
    #expect(y.first == -5 && y.last == 5 && log.first == 0 && log.last == 0)
  }

  /// Just inside and outside ±bound, and on it. Seen to fail: last knot's slope taken from θ.
  @Test("the spline meets the identity at its bounds with slope one")
  func meetsTails() throws {
    let flow = try flow(bins: 8, bound: 3)
    for end in [Float(3), -3] {
      let x = [end.nextDown, end, end.nextUp]
      let (y, log) = try values(flow, x)
      for (value, (found, logSlope)) in zip(x, zip(y, log)) {
        #expect(abs(found - value) < 3e-6)
        #expect(abs(logSlope) < 1e-4)
      }
    }
  }

  /// Zero parameters: the layer of a fresh flow. Seen to fail: `slopeShift` of ln(e − 1).
  @Test("a fresh coupling is the identity")
  func startsAsIdentity() throws {
    let layers = [TestFlow.spline, TestFlow.affineCoupling]
    let flow = try NormalizingFlow(initializing: layers, dimension: 5, key: .init(seed: 4))
    let codes = TestFlow.stack.codes(lanes: 7)
    let (u, logs) = normalize(try flow.makeNormalizingPlan(lanes: 7), codes, lanes: 7)
    #expect(distance(u.map(Double.init), codes.map(Double.init)) < 2e-6)
    #expect(logs.allSatisfy { abs($0) < 5e-6 })
  }

  /// Conditioner outputs of ±60 make bins of the least width and slopes from 1e-3 to 60.
  /// Seen to fail: the textbook root 2c/(−b − √(b² − 4ac)) with its discriminant from a, b, c
  /// (NaN from a negative one).
  @Test("extreme parameters stay finite and invertible")
  func extremeParameters() throws {
    let fresh = try NormalizingFlow(
      initializing: [
        .splineCoupling(SplineCoupling(bins: 8, bound: 4, hidden: [8], transforms: .second))
      ], dimension: 2, key: .init(seed: 2))
    var stream = RandomKey(seed: 5).stream()
    let slot = try #require(fresh.layout.slots.last)
    for _ in 0..<20 {
      var parameters = fresh.parameters
      for index in slot.offset..<parameters.count {
        parameters[index] = Float(20 * stream.normal())
      }
      let flow = try fresh.replacing(parameters: parameters)
      let x = (0...400).map { Float(-5 + Double($0) * 0.025) }
      let (y, log) = try values(flow, x)
      #expect((y + log).allSatisfy { $0.isFinite })
      let back = apply(
        try flow.generator.makePlan(lanes: x.count), y.flatMap { [0.7, $0] })
      for index in x.indices {
        // An ulp of y near 4 is 5e-7; the inverse stretches it by e^−ℓ.
        let error = abs(back[2 * index + 1] - x[index])
        #expect(error < 4e-6 * (1 + exp(-log[index])) || abs(y[index]) > 4 - 1e-5)
      }
    }
  }
}
