import Maps
import Numerics
import Randomness
import Tensors

// Notation: as in NoiseMixtureEvaluator.swift and LinearResidualConditional.swift; p_j given y and m.
//
//   E(ε | y, m) = Σ_j p_j e_j,   e_j = E(ε | y, m, j)
//   Var(ε | y, m) = Σ_j p_j Var(ε | y, m, j) + Σ_j p_j e_j² − (Σ_j p_j e_j)²
//   a draw: j with probability p_j, then ε under law j

/// What the decoder cannot paint where the noise has one of J laws: a mixture of Gaussians.
package struct MixedResidualConditional: ResidualLaw {
  let components: [LinearResidualConditional]
  /// From pictures to the J rows of D turned data.
  let map: any DifferentiableMap
  /// ln w_j, J.
  let logWeights: [Double]

  /// - Precondition: a component for each weight, all of D data; the map's codomain is J·D.
  package init(
    components: [LinearResidualConditional], map: any DifferentiableMap, logWeights: [Double]
  ) {
    precondition(!components.isEmpty && components.count == logWeights.count)
    precondition(map.codomain.count == components.reduce(0) { $0 + $1.instrument.count })
    self.components = components
    self.map = map
    self.logWeights = logWeights
  }

  /// D.
  var dataCount: Int { components[0].instrument.count }
  var pixels: Int { components[0].instrument.measurement.residual.count }

  /// For each law α⁴ p_j w_d of its data, then α² p_j; then P variances between the laws.
  package var accumulatorCount: Int { components.count * (dataCount + 1) + pixels }

  package func variances(averaged accumulator: [Double]) -> [Double] {
    var result = Array(accumulator.suffix(pixels))
    let length = dataCount + 1
    for (j, component) in components.enumerated() {
      let own = component.variances(averaged: Array(accumulator[j * length..<(j + 1) * length]))
      for pixel in result.indices { result[pixel] += own[pixel] }
    }
    return result
  }

  package func makePlan(lanes: Int) throws(PlanError) -> any ResidualLawPlan {
    var plans: [any ResidualLawPlan] = []
    for component in components { plans.append(try component.makePlan(lanes: lanes)) }
    return MixedResidualPlan(
      self, plan: try map.makePlan(lanes: lanes), components: plans, lanes: lanes)
  }
}

final class MixedResidualPlan: ResidualLawPlan {
  private let law: MixedResidualConditional
  private let plan: any MapPlan
  private let components: [any ResidualLawPlan]
  private let evaluator: NoiseMixtureEvaluator
  private let lanes: Int
  private let turned: FloatBuffer
  private let gradients: FloatBuffer

  init(
    _ law: MixedResidualConditional, plan: any MapPlan, components: [any ResidualLawPlan],
    lanes: Int
  ) {
    self.law = law
    self.plan = plan
    self.components = components
    self.lanes = lanes
    evaluator = NoiseMixtureEvaluator(
      problems: law.components.map(\.data), logWeights: law.logWeights,
      lanes: [Int](repeating: 0, count: lanes))
    turned = FloatBuffer(lanes * law.map.codomain.count)
    gradients = FloatBuffer(turned.count)
  }

  func moments(
    images: Span<Float>, levels: Span<NoiseLevels>, count: Int, means: inout MutableSpan<Float>,
    accumulator: inout [Double]
  ) {
    let all = (0..<lanes).map { levels[min($0, count - 1)] }
    weigh(images, all)
    let (laws, data, pixels) = (law.components.count, law.dataCount, law.pixels)
    var sums = [Double](repeating: 0, count: count * pixels)
    var squares = sums
    for (j, component) in law.components.enumerated() {
      var pulls = [Double](repeating: 0, count: count * data)
      for lane in 0..<count {
        let share = evaluator.responsibilities[lane * laws + j]
        let scale = all[lane].residualScale * all[lane].residualScale
        for datum in 0..<data {
          let weight = scale * component.precision(datum, all[lane])
          let mean = Double(turned.pointer[(lane * laws + j) * data + datum])
          pulls[lane * data + datum] = weight * (Double(component.data.values[datum]) - mean)
          accumulator[j * (data + 1) + datum] += share * scale * weight
        }
        accumulator[j * (data + 1) + data] += share * scale
      }
      let instrument = component.instrument
      let own = instrument.measurement.residual.applied(
        toRowsOf: matrixProduct(pulls, instrument.matrix, rows: count, inner: data, columns: pixels)
      )
      for index in own.indices {
        let share = evaluator.responsibilities[index / pixels * laws + j]
        sums[index] += share * own[index]
        squares[index] += share * own[index] * own[index]
      }
    }
    let between = laws * (data + 1)
    for index in sums.indices {
      means[index] = Float(sums[index])
      // Means within a share of one another's size: the difference keeps ten digits.
      accumulator[between + index % pixels] += max(0, squares[index] - sums[index] * sums[index])
    }
  }

  func draw(
    images: Span<Float>, levels: NoiseLevels, stream: inout RandomStream,
    into residuals: inout [Float]
  ) {
    weigh(images, [NoiseLevels](repeating: levels, count: lanes))
    var rest = stream.uniform()
    var choice = 0
    while choice < components.count - 1, rest >= evaluator.responsibilities[choice] {
      rest -= evaluator.responsibilities[choice]
      choice += 1
    }
    components[choice].draw(images: images, levels: levels, stream: &stream, into: &residuals)
  }

  /// The turned means and the responsibilities of all lanes.
  private func weigh(_ images: Span<Float>, _ levels: [NoiseLevels]) {
    var turnedSpan = turned.buffer.mutableSpan
    plan.apply(images, into: &turnedSpan)
    var values = [Double](repeating: 0, count: lanes)
    var (sigmas, scales) = (values, values)
    var valueSpan = values.mutableSpan
    var sigmaSpan = sigmas.mutableSpan
    var scaleSpan = scales.mutableSpan
    var gradientSpan = gradients.buffer.mutableSpan
    evaluator.evaluate(
      means: turned.buffer.span, levels: levels.span, logDensities: &valueSpan,
      meanGradients: &gradientSpan, logSigmaGradients: &sigmaSpan, logScaleGradients: &scaleSpan)
  }
}
