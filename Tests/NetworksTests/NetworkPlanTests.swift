import Foundation
import LawCheckers
import Maps
import Networks
import Numerics
import Randomness
import Tensors
import Testing

/// Tolerances: sums of at most 400 products of numbers of order one, so that rounding stays below
/// 400 · 2⁻²⁴ = 2.4e-5 of the scale and, with random signs, near √400 · 2⁻²⁴ = 1.2e-6.
@Suite struct NetworkPlanTests {
  private let tolerance = 1e-5

  /// Seen to fail: padding off by one in `left`; the kernel's rows and columns exchanged in
  /// `repacked`; the transposition before `flatten` lost; the last group of items skipped; the bias
  /// of the first channel for all; leaky slope for x > 0.
  @Test("values are the formulas'", arguments: LayerCase.all)
  func value(_ test: LayerCase) throws {
    let network = try test.network()
    let reference = try ReferenceNetwork(network)
    for lanes in [1, 2, 5, 33] {
      let x = test.inputs(lanes: lanes)
      let y = values(
        try network.makePlan(lanes: lanes), x, count: lanes * network.codomain.count)
      #expect(deviation(y, reference(x.map(Double.init))) < tolerance, "\(lanes) lanes")
    }
  }

  /// Cotangents and gradients against central differences of the formulas in double precision, whose
  /// own error is below 1e-8: in each lane and along a random direction in each array, so that none
  /// hides behind another.
  ///
  /// Seen to fail: the derivative of the activation not multiplied in; `beta` 0 for the second group
  /// of items (thirteen make one of either kind); padding off by one in the scatter only; the mean's term of the batch normalization
  /// lost, and its dweight term; a transposition not undone; the last lane's cotangent left out.
  @Test("the vjp is that of the formulas' differences", arguments: LayerCase.all, [2, 7, 13])
  func vjp(_ test: LayerCase, _ lanes: Int) throws {
    let network = try test.network()
    let packed = PackedNetwork(training: network)
    let plan = try NetworkPlan(network: packed, lanes: lanes, mode: .training)
    var reference = try ReferenceNetwork(network)
    reference.usesBatchStatistics = true
    let x = test.inputs(lanes: lanes)
    let y = values(plan, x, count: lanes * network.codomain.count)
    let position = x.map(Double.init)
    #expect(deviation(y, reference(position)) < tolerance)

    let dy = random(y.count, seed: 3)
    let gradients = FloatBuffer(packed.layout.count)
    let dx = FloatBuffer(x.count)
    plan.vjp(dy.span, gradients: gradients, dx: dx.pointer)
    func product(_ output: [Double]) -> Double {
      zip(output, dy).reduce(0) { $0 + $1.0 * Double($1.1) }
    }
    func check(
      _ gradient: ArraySlice<Float>, _ direction: [Float], _ what: String,
      _ image: (Double) -> [Double]
    ) {
      let step = 1e-5
      let difference = (product(image(step)) - product(image(-step))) / (2 * step)
      let terms = zip(gradient, direction).map { Double($0) * Double($1) }
      let size = terms.reduce(0) { $0 + $1 * $1 }.squareRoot()
      // A bias ahead of a normalization has no gradient: the rounding of what cancelled is left.
      let scale = size + 0.3
      #expect(abs(terms.reduce(0, +) - difference) < 1e-4 * scale, "\(what)")
    }
    for lane in 0..<lanes {
      let range = lane * test.domain.count..<(lane + 1) * test.domain.count
      let direction = random(range.count, seed: 4)
      check(dx.array[range], direction, "lane \(lane)") { t in
        var moved = position
        for (index, v) in zip(range, direction) { moved[index] += t * Double(v) }
        return reference(moved)
      }
    }
    let inFileLayout = try packed.network(weights: gradients.array).parameters
    let isTrained = packed.layout.slots.filter { !$0.name.contains("running") }
    for slot in isTrained {
      let range = slot.offset..<slot.offset + slot.shape.count
      let direction = random(range.count, seed: 5)
      check(inFileLayout[range], direction, slot.name) { t in
        var moved = reference
        for (index, v) in zip(range, direction) { moved.parameters[index] += t * Double(v) }
        return moved(position)
      }
    }
  }

  /// Seen to fail: silu's derivative s + x·s without (1 − s).
  @Test("the vjp obeys its law with slope 2", arguments: LayerCase.smooth)
  func slope(_ test: LayerCase) throws {
    let report = try checkVectorJacobianProduct(
      try test.network(), step: 0.2, key: RandomKey(seed: 6))
    #expect(report.extrapolatedError < 2e-3)
    #expect(abs(report.slope - 2) < 0.3)
  }

  /// Seen to fail: `gradients` added to instead of stored, in any layer.
  @Test("gradients are stored, dx is optional, and both are as without the other")
  func gradientsAreStored() throws {
    for test in LayerCase.mixtures.dropLast() + LayerCase.normalizations {
      let network = try test.network()
      let packed = PackedNetwork(training: network)
      let plan = try NetworkPlan(network: packed, lanes: 5, mode: .training)
      let dy = random(
        values(plan, test.inputs(lanes: 5), count: 5 * network.codomain.count).count, seed: 7)
      let count = 5 * test.domain.count
      let (once, twice) = (FloatBuffer(packed.layout.count), FloatBuffer(packed.layout.count))
      let dx = FloatBuffer(count)
      plan.vjp(dy.span, gradients: once, dx: dx.pointer)
      plan.vjp(dy.span, gradients: twice, dx: nil)
      #expect(twice.array == once.array)
      plan.vjp(dy.span, gradients: twice, dx: nil)
      #expect(twice.array == once.array)
      #expect(cotangents(plan, dy, count: count) == dx.array)
    }
  }

  /// Seen to fail: the last lane skipped.
  @Test("a lane does not see the others", arguments: [1, 2, 5, 33])
  func lanes(_ lanes: Int) throws {
    for test in LayerCase.convolutions + LayerCase.transposedConvolutions + LayerCase.mixtures {
      let network = try test.network()
      let (n, m) = (test.domain.count, network.codomain.count)
      let x = test.inputs(lanes: lanes)
      let dy = random(lanes * m, seed: 8)
      let plan = try network.makePlan(lanes: lanes)
      let y = values(plan, x, count: lanes * m)
      let dx = cotangents(plan, dy, count: lanes * n)
      let alone = try network.makePlan(lanes: 1)
      for lane in [0, lanes / 2, lanes - 1] {
        let (inputs, outputs) = (lane * n..<(lane + 1) * n, lane * m..<(lane + 1) * m)
        #expect(deviation(Array(y[outputs]), values(alone, Array(x[inputs]), count: m)) < tolerance)
        let pulled = cotangents(alone, Array(dy[outputs]), count: n)
        #expect(deviation(Array(dx[inputs]), pulled) < tolerance)
        // The same lane among others, to the last bit.
        var others = random(lanes * n, seed: 9)
        others.replaceSubrange(inputs, with: x[inputs])
        #expect(values(plan, others, count: lanes * m)[outputs] == y[outputs])
      }
    }
  }

  @Test("the same numbers come from the same plan, and from another, to the last bit")
  func determinism() throws {
    for test in LayerCase.all {
      let network = try test.network()
      let (x, m) = (test.inputs(lanes: 9), 9 * network.codomain.count)
      let dy = random(m, seed: 10)
      let (plan, other) = (try network.makePlan(lanes: 9), try network.makePlan(lanes: 9))
      let y = values(plan, x, count: m)
      let dx = cotangents(plan, dy, count: x.count)
      _ = values(plan, test.inputs(lanes: 9, seed: 77), count: m)
      for plan in [plan, other] {
        #expect(values(plan, x, count: m) == y)
        #expect(cotangents(plan, dy, count: x.count) == dx)
      }
    }
  }

  /// Seen to fail: padding off by one in `scatter` only, and in `gather` only.
  @Test("conv and convTranspose with the same kernel are adjoint: ⟨Ax, y⟩ = ⟨x, Aᵀy⟩")
  func adjoint() throws {
    for (domain, outputs, kernel, stride, padding) in [
      (Shape(3, 8, 6), 4, 4, 2, 1), (Shape(1, 5, 7), 17, 3, 1, 1), (Shape(16, 7, 10), 3, 4, 3, 0),
      (Shape(2, 3, 4), 1, 5, 1, 4), (Shape(17, 7, 9), 16, 3, 2, 2),
    ] {
      let down = try LayerCase.conv(domain, to: outputs, kernel, stride: stride, padding: padding)
        .network()
      let weights = Array(down.parameters.dropLast(outputs))
      let convolution = try Network(
        domain: domain, layers: down.layers,
        parameters: weights + [Float](repeating: 0, count: outputs))
      let adjoint = try Network(
        domain: down.codomain,
        layers: [
          .convTranspose(
            inputs: outputs, outputs: domain[0], kernel: kernel, stride: stride, padding: padding)
        ], parameters: weights + [Float](repeating: 0, count: domain[0]))
      #expect(adjoint.codomain == domain)
      let x = random(3 * domain.count, seed: 11)
      let y = random(3 * down.codomain.count, seed: 12)
      let image = values(try convolution.makePlan(lanes: 3), x, count: y.count)
      let pulled = values(try adjoint.makePlan(lanes: 3), y, count: x.count)
      for lane in 0..<3 {
        let left = inner(image, y, lane, down.codomain.count)
        let right = inner(x, pulled, lane, domain.count)
        #expect(abs(left.sum - right.sum) < 1e-6 * (left.size + right.size))
      }
    }
  }

  @Test("plans too large to address are refused, not attempted")
  func tooLarge() throws {
    let network = try LayerCase(Shape(1 << 20), .silu, .silu).network()
    for lanes in [0, -1, 1 << 21, .max, 1 << 12] {
      #expect(throws: PlanError.self) { try network.makePlan(lanes: lanes) }
    }
  }

  private func inner(
    _ a: [Float], _ b: [Float], _ lane: Int, _ count: Int
  ) -> (sum: Double, size: Double) {
    let range = lane * count..<(lane + 1) * count
    return zip(a[range], b[range]).reduce((0, 0)) {
      ($0.0 + Double($1.0) * Double($1.1), $0.1 + abs(Double($1.0) * Double($1.1)))
    }
  }
}

extension LayerCase {
  /// Without kinks, whose differences do not fall as h².
  static let smooth = [
    LayerCase(Shape(7), .linear(inputs: 7, outputs: 5), .silu),
    LayerCase(Shape(37), .sigmoid),
    LayerCase(Shape(3, 5, 4), .silu, .batchNorm(channels: 3)),
    LayerCase(
      Shape(3, 6, 4), .conv(inputs: 3, outputs: 5, kernel: 4, stride: 2, padding: 1),
      .batchNorm(channels: 5), .silu),
    LayerCase(
      Shape(4, 2, 3), .convTranspose(inputs: 4, outputs: 3, kernel: 4, stride: 2, padding: 1),
      .sigmoid),
    LayerCase(
      Shape(12), .linear(inputs: 12, outputs: 24), .silu, .reshape(Shape(4, 2, 3)),
      .convTranspose(inputs: 4, outputs: 3, kernel: 4, stride: 2, padding: 1), .sigmoid),
  ]
}
