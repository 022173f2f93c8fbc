import Flows
import Foundation
import LawCheckers
import Numerics
import Randomness
import Tensors
import Testing

@Suite struct FlowTrainingPlanTests {
  private let lanes = 19

  private func step(
    _ flow: NormalizingFlow, codes: [Float], dropout: Float = 0, seed: UInt64 = 1,
    plan: FlowTrainingPlan? = nil, parameters: [Float]? = nil
  ) throws -> (loss: Double, gradient: [Float], dz: [Float]) {
    let plan =
      try plan
      ?? FlowTrainingPlan(
        flow, lanes: codes.count / flow.dimension, dropout: dropout)
    let weights = FloatBuffer(parameters ?? flow.parameters)
    let gradient = FloatBuffer(weights.count)
    let loss = plan.step(
      parameters: weights.pointer, codes: codes.span, key: RandomKey(seed: seed),
      gradient: gradient.pointer)
    var dz = codes
    var target = dz.mutableSpan
    plan.codeCotangents(into: &target)
    return (loss, gradient.array, dz)
  }

  /// Each tensor along a random direction of its own, so that no tensor hides behind another.
  /// Seen to fail: Σ dℓ left out of d logDiagonal; `beta` 0 for the residual's cotangent; the
  /// cotangent of the first knot's slope written to the second; padded columns given a cotangent.
  @Test(
    "the loss is the formulas' mean and its gradient that of their differences",
    arguments: TestFlow.all)
  func gradientMatchesDifferences(_ test: TestFlow) throws {
    let flow = try test.make()
    let codes = test.codes(lanes: lanes)
    let (loss, gradient, dz) = try step(flow, codes: codes)
    var reference = ReferenceFlow(flow)
    func mean() -> Double {
      (0..<lanes).reduce(0) {
        $0 + reference.negativeLogDensity(row(codes, $1, test.dimension)) / Double(lanes)
      }
    }
    let expected = mean()
    #expect(abs(loss - expected) < 2e-5 * (1 + abs(expected)))
    var stream = RandomKey(seed: 8).stream()
    for slot in flow.layout.slots {
      let range = slot.offset..<slot.offset + slot.shape.count
      let untrained = ["mean", "logScale", "axes", "directions", "knots", "values", "slopes"]
      if untrained.contains(where: slot.name.hasSuffix) {
        // Set from the codes, not trained.
        let untouched = gradient[range].allSatisfy { $0 == 0 }
        #expect(untouched)
        continue
      }
      let center = reference.parameters
      let direction = stream.normals(slot.shape.count)
      func at(_ t: Double) -> Double {
        for (index, v) in zip(range, direction) {
          reference.parameters[index] = center[index] + t * v
        }
        return mean()
      }
      let difference = (at(1e-6) - at(-1e-6)) / 2e-6
      reference.parameters = center
      let slope = dot(gradient[range].map(Double.init), direction)
      let scale = norm(gradient[range].map(Double.init)) * norm(direction)
      #expect(abs(slope - difference) < 3e-5 * (1 + scale), "\(slot.name)")
    }
    let v = test.codes(lanes: lanes, seed: 9)
    func shifted(_ t: Float) -> Double {
      (0..<lanes).reduce(0) { total, lane in
        let z = zip(row(codes, lane, test.dimension), row(v, lane, test.dimension))
          .map { $0 + Double(t) * $1 }
        return total + reference.negativeLogDensity(z) / Double(lanes)
      }
    }
    let slope = dot(dz.map(Double.init), v.map(Double.init))
    let difference = (shifted(1e-5) - shifted(-1e-5)) / 2e-5
    #expect(abs(slope - difference) < 2e-4 * (1 + abs(difference)))
  }

  /// With masks fixed by the key, the loss's own differences, for affine couplings, which are
  /// smooth: a Float32 loss of order 10 over a step of 2e-2 leaves errors of 1e-4, the truncation is
  /// of order h² = 1e-4 times a third derivative of a few.
  /// Seen to fail: the slope not multiplied by the mask; `beta` 0 for the residual's cotangent.
  @Test("the gradient under dropout is that of the masked loss")
  func dropoutGradient() throws {
    let test = TestFlow(
      name: "smooth",
      layers: [
        TestFlow.affineCoupling,
        .affineCoupling(AffineCoupling(hidden: [16, 16], transforms: .second, maxLogScale: 1)),
      ])
    let flow = try test.make()
    let codes = test.codes(lanes: lanes)
    let plan = try FlowTrainingPlan(flow, lanes: lanes, dropout: 0.4)
    let (loss, gradient, _) = try step(flow, codes: codes, plan: plan)
    let plain = try step(flow, codes: codes).loss
    #expect(abs(loss - plain) > 1e-3)
    for range in flow.decayedWeights {
      var stream = RandomKey(seed: UInt64(range.lowerBound)).stream()
      let normals = stream.normals(range.count)
      let length = norm(normals)
      let direction = normals.map { $0 / length }
      func at(_ t: Double) throws -> Double {
        var moved = flow.parameters
        for (index, v) in zip(range, direction) { moved[index] += Float(t * v) }
        return try step(flow, codes: codes, plan: plan, parameters: moved).loss
      }
      let difference = (try at(0.01) - at(-0.01)) / 0.02
      let slope = dot(gradient[range].map(Double.init), direction)
      #expect(abs(slope - difference) < 1e-3 * (1 + norm(gradient[range].map(Double.init))))
    }
  }

  /// Two networks and 19 items: with masks the first ten go through the first network alone, the others
  /// through the second. Their numbers being the same, what is left of the masks is all the difference to
  /// one network on all items; a rate of 2⁻³⁰ drops none.
  // Fails when: the second run begins at the first's lane; ℓ of a run is not added; its cotangent is not
  // put back; the gradient of one run overwrites the other's.
  @Test("with dropout each item goes through one of the networks alone")
  func dividedNetworks() throws {
    func flow(_ networks: Int) throws -> NormalizingFlow {
      try TestFlow(
        name: "networks",
        layers: [
          .whitening,
          .maskedMixture(
            MaskedMixture(width: 16, blocks: 1, components: 2, networks: networks)),
        ]
      ).make()
    }
    let (two, one) = (try flow(2), try flow(1))
    func network(_ flow: NormalizingFlow, _ number: Int, _ values: [Float]) -> [Float] {
      flow.layout.slots.filter { $0.name.contains(".network.\(number).") }
        .flatMap { values[$0.offset..<$0.offset + $0.shape.count] }
    }
    let codes = two.dimension * lanes
    let all = TestFlow.stack.codes(lanes: lanes)
    #expect(all.count == codes)
    var losses = 0.0
    var cotangents: [Float] = []
    for (number, run) in [(0, 0..<10), (1, 10..<19)] {
      var parameters = two.parameters.prefix(one.parameters.count).map { $0 }
      let start = parameters.count - network(two, 0, two.parameters).count
      parameters.replaceSubrange(start..., with: network(two, number, two.parameters))
      let share = Array(all[5 * run.lowerBound..<5 * run.upperBound])
      let alone = try step(try one.replacing(parameters: parameters), codes: share)
      losses += alone.loss * Double(run.count) / Double(lanes)
      cotangents += alone.dz.map { $0 * Float(run.count) / Float(lanes) }
      let together = try step(two, codes: all, dropout: 1e-9)
      let found = network(two, number, together.gradient)
      let expected = network(one, 0, alone.gradient).map { $0 * Float(run.count) / Float(lanes) }
      #expect(
        found.count == expected.count && zip(found, expected).allSatisfy { abs($0 - $1) < 1e-5 })
    }
    let together = try step(two, codes: all, dropout: 1e-9)
    #expect(abs(together.loss - losses) < 1e-5)
    #expect(zip(together.dz, cotangents).allSatisfy { abs($0 - $1) < 1e-5 })
    #expect(abs(try step(two, codes: all).loss - losses) > 1e-3)
  }

  /// Seen to fail: `logDeterminants` not cleared between steps.
  @Test("the same key gives the same bytes, another key other masks")
  func isDeterministic() throws {
    let test = TestFlow.stack
    let flow = try test.make()
    let codes = test.codes(lanes: lanes)
    let plan = try FlowTrainingPlan(flow, lanes: lanes, dropout: 0.3)
    let first = try step(flow, codes: codes, seed: 1, plan: plan)
    let other = try step(flow, codes: codes, seed: 2, plan: plan)
    let again = try step(flow, codes: codes, seed: 1, plan: plan)
    let fresh = try step(flow, codes: codes, dropout: 0.3, seed: 1)
    #expect(first.gradient == again.gradient && first.loss == again.loss)
    #expect(first.gradient == fresh.gradient && first.loss == fresh.loss)
    #expect(first.loss != other.loss)
  }

  /// Seen to fail: `=` for `+=` in the gradient of a bias, `beta` 0 in that of a weight.
  @Test("a step adds to the gradient it is given")
  func accumulates() throws {
    let test = TestFlow.stack
    let flow = try test.make()
    let codes = test.codes(lanes: lanes)
    let plan = try FlowTrainingPlan(flow, lanes: lanes, dropout: 0)
    let weights = FloatBuffer(flow.parameters)
    let gradient = FloatBuffer(weights.count)
    let key = RandomKey(seed: 1)
    _ = plan.step(
      parameters: weights.pointer, codes: codes.span, key: key, gradient: gradient.pointer)
    let once = gradient.array
    _ = plan.step(
      parameters: weights.pointer, codes: codes.span, key: key, gradient: gradient.pointer)
    for (one, two) in zip(once, gradient.array) {
      #expect(abs(two - 2 * one) <= 1e-6 + 1e-5 * abs(one))
    }
  }

  /// y = x₂ bent along x₁² with a noise of 0.3: entropy ½ ln(2πe) + ½ ln(2πe 0.3²) = 1.634 nats,
  /// which no density beats in the mean. Adam (Kingma and Ba 2015, algorithm 1) by hand.
  /// Seen to fail: the gradient's sign flipped; the log-determinant's half of D̄ lost.
  @Test("a flow trained on a banana beats the fitted Gaussian and nears the entropy")
  func learnsBanana() throws {
    func banana(_ count: Int, _ seed: UInt64) -> [Float] {
      var stream = RandomKey(seed: seed).stream()
      return (0..<count).flatMap { _ in
        let a = stream.normal()
        return [Float(2 * a + 1), Float(a * a + 0.3 * stream.normal() - 3)]
      }
    }
    let training = banana(4096, 41)
    let held = banana(4096, 42)
    let layers: [FlowLayerDescription] = [
      .affine, .luLinear,
      .splineCoupling(SplineCoupling(hidden: [32, 32], transforms: .second)), .luLinear,
      .splineCoupling(SplineCoupling(hidden: [32, 32], transforms: .first)),
    ]
    let start = try NormalizingFlow(
      initializing: layers, dimension: 2, key: RandomKey(seed: 3)
    ).standardizing(codes: training)
    let gaussian = try FittedGaussian(codes: training, dimension: 2).logDensity(of: held)
    let before = try start.logDensity(of: held)
    let gap = zip(before, gaussian).map { abs($0 - $1) }.max() ?? .infinity
    // The fresh flow is the Gaussian, up to Float32 roundings of densities of order 10.
    #expect(gap < 1e-3)
    let trained = try train(start, codes: training, lanes: 256, steps: 600, rate: 5e-3)
    let mean = try trained.logDensity(of: held).reduce(0, +) / 4096
    // With scale 2 the entropy grows by ln 2: 2.327 nats.
    let entropy = log(2 * Double.pi * exp(1.0)) + log(0.3) + log(2)
    let gaussianMean = gaussian.reduce(0, +) / 4096
    print("banana: flow \(mean), Gaussian \(gaussianMean), bound \(-entropy)")
    #expect(mean > gaussianMean + 0.8)
    #expect(mean > -entropy - 0.1)
    // The sampling error of the mean is 1/√4096 × the deviation of ln p, 1.
    #expect(mean < -entropy + 4.0 / 64)
  }

  private func train(
    _ flow: NormalizingFlow, codes: [Float], lanes: Int, steps: Int, rate: Float
  ) throws -> NormalizingFlow {
    let plan = try FlowTrainingPlan(flow, lanes: lanes, dropout: 0)
    let parameters = FloatBuffer(flow.parameters)
    let gradient = FloatBuffer(parameters.count)
    let width = lanes * flow.dimension
    var mean = [Float](repeating: 0, count: parameters.count)
    var square = mean
    for step in 1...steps {
      gradient.pointer.update(repeating: 0, count: gradient.count)
      let start = (step - 1) * width % codes.count
      let batch = Array(codes[start..<start + width])
      _ = plan.step(
        parameters: parameters.pointer, codes: batch.span, key: RandomKey(seed: 1),
        gradient: gradient.pointer)
      let pace = rate * 0.5 * (1 + cos(Float.pi * Float(step) / Float(steps)))
      let first = 1 - pow(0.9, Float(step))
      let second = 1 - pow(0.999, Float(step))
      for index in 0..<parameters.count {
        let g = gradient.pointer[index]
        mean[index] += 0.1 * (g - mean[index])
        square[index] += 0.001 * (g * g - square[index])
        parameters.pointer[index] -=
          pace * (mean[index] / first) / ((square[index] / second).squareRoot() + 1e-8)
      }
    }
    return try flow.replacing(parameters: parameters.array)
  }
}
