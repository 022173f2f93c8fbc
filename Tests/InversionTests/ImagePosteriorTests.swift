import Flows
import Foundation
import LawCheckers
import Probability
import Randomness
import Testing

@testable import Inversion

@Suite struct ImagePosteriorTests {
  private func posterior(
    _ damages: [TinyDamage], inferred: Bool, beta: Double = 1
  ) throws -> ImagePosterior {
    let model = try tinyModel(isSmooth: true)
    let levels = damages.indices.map { 0.2 + 0.05 * Double($0) }
    return ImagePosterior(
      generator: model.generator,
      problems: try damages.enumerated().map {
        try model.data($0.element, seed: 50 + UInt64($0.offset))
      },
      noiseLevel: inferred ? .inferred(estimates: levels) : .known(levels),
      inverseTemperature: beta)
  }

  private func position(_ posterior: ImagePosterior, seed: UInt64) -> [Double] {
    var stream = RandomKey(seed: seed).child("position").stream()
    return stream.normals(4) + (posterior.noiseLevel.isInferred ? [log(0.15)] : [])
  }

  // Single precision leaves some 1e-7 of a value near 50 nats in each difference, over the step 0.02
  // 2e-4, where ‖∇‖ ‖v‖ is above 10; what is left of order h⁴ is as much. Fails when: the
  // prior's gradient, the censored slope, the slope in ln σ or β is lost; the vjp is of another
  // position; the last lane is skipped.
  @Test(
    "the gradient is the slope of the value", arguments: TinyDamage.allCases, [false, true])
  func gradient(_ damage: TinyDamage, _ inferred: Bool) throws {
    for beta in [1, 0.3, 0] {
      let posterior = try posterior([.measured, damage], inferred: inferred, beta: beta)
      for seed in 1...4 as ClosedRange<UInt64> {
        let report = try checkLogDensity(
          posterior, problem: 1, at: position(posterior, seed: seed), step: 0.02,
          key: RandomKey(seed: 60 + seed))
        #expect(report.gradientError < 1e-4, "β \(beta), seed \(seed)")
        #expect(report.lanesAgree)
      }
    }
  }

  // The error of the difference falls as h²: with a large step it stands far above the rounding.
  // Fails when: the gradient of ½‖u‖² or the slope in ln σ is lost.
  @Test("the difference converges to the gradient with slope 2")
  func slope() throws {
    let posterior = try posterior([.measured, .maskedAndCensored], inferred: true)
    let report = try checkLogDensity(
      posterior, problem: 1, at: position(posterior, seed: 2), step: 0.04, key: RandomKey(seed: 62))
    #expect(abs(report.slope - 2) < 0.1)
  }

  // Fails when: a lane reads another problem's data, level or estimate; likelihoods are indexed by
  // lane.
  @Test("problems with different data share a batch", arguments: [false, true])
  func problems(_ inferred: Bool) throws {
    let damages = TinyDamage.allCases
    let together = try posterior(damages, inferred: inferred)
    let lanes = [3, 0, 2, 2, 1, 0, 3, 1, 1]
    let positions = lanes.indices.map { position(together, seed: 80 + UInt64($0)) }
    let batch = try evaluate(together, problems: lanes, positions)
    for (lane, problem) in lanes.enumerated() {
      let level = 0.2 + 0.05 * Double(problem)
      let alone = ImagePosterior(
        generator: together.generator, problems: [together.problems[problem]],
        noiseLevel: inferred ? .inferred(estimates: [level]) : .known([level]))
      // As many lanes: the last bits of a matrix product depend on its number of rows.
      let single = try evaluate(
        alone, problems: lanes.map { _ in 0 }, lanes.map { _ in positions[lane] })
      for other in lanes.indices {
        #expect(batch.values[lane] == single.values[other])
        #expect(batch.gradients[lane] == single.gradients[other])
      }
    }
    #expect(Set(batch.values).count == lanes.count)
  }

  // The same sums in the same order, so the same bits. Fails when: the flow is not applied; levels are those of
  // an earlier call.
  @Test("values alone are those that come with gradients", arguments: [false, true])
  func valuesAlone(_ inCodes: Bool) throws {
    let model = try tinyModel()
    let posterior = ImagePosterior(
      generator: inCodes ? model.decoder : model.generator, flow: inCodes ? model.flow : nil,
      problems: [try model.data(.measured, seed: 50), try model.data(.censored, seed: 51)],
      noiseLevel: .known([0.2, 0.1]), residualScale: ResidualScale(mean: 0.1, deviation: 0.4))
    let lanes = [1, 0, 1]
    let evaluator = try posterior.makeImageEvaluator(problems: lanes)
    for seed in 90...92 as ClosedRange<UInt64> {
      var stream = RandomKey(seed: seed).stream()
      let positions = lanes.map { _ in stream.normals(5) }
      let expected = try evaluate(posterior, problems: lanes, positions).values
      var values = [0.0, 0, 0]
      var span = values.mutableSpan
      evaluator.logDensities(Array(positions.joined()).span, into: &span)
      #expect(values == expected && values.allSatisfy(\.isFinite))
    }
  }

  // A lane that ran away leaves gradients that are not finite. Fails when: they are looked at afterwards.
  @Test("values do not depend on what was evaluated before", arguments: [false, true])
  func valuesForgetTheLane(_ inCodes: Bool) throws {
    let model = try tinyModel()
    let posterior = ImagePosterior(
      generator: inCodes ? model.decoder : model.generator, flow: inCodes ? model.flow : nil,
      problems: [try model.data(.measured, seed: 50)], noiseLevel: .known([0.2]),
      residualScale: ResidualScale(mean: 0.1, deviation: 0.4))
    let evaluator = try posterior.makeImageEvaluator(problems: [0])
    var stream = RandomKey(seed: 93).stream()
    let position = stream.normals(5)
    var (value, before) = ([0.0], [0.0])
    var span = value.mutableSpan
    evaluator.logDensities(position.span, into: &span)
    before = value
    for runaway in [1e30, .infinity, .nan] {
      var gradients = [Double](repeating: 0, count: 5)
      var gradientSpan = gradients.mutableSpan
      var valueSpan = value.mutableSpan
      evaluator.evaluate(
        [Double](repeating: runaway, count: 5).span, values: &valueSpan, gradients: &gradientSpan)
      #expect(value == [-.infinity])
      var again = value.mutableSpan
      evaluator.logDensities(position.span, into: &again)
      #expect(value == before && value[0].isFinite)
    }
  }

  // prior + β · likelihood is linear in β. Fails when: β weighs the prior, or ln σ's prior, too.
  @Test("tempering weakens the likelihood alone", arguments: [false, true])
  func tempering(_ inferred: Bool) throws {
    let full = try posterior([.maskedAndCensored], inferred: inferred)
    let u = position(full, seed: 5)
    func at(_ beta: Double) throws -> (value: Double, gradient: [Double]) {
      let result = try evaluate(full.tempered(beta), problems: [0], [u])
      return (result.values[0], result.gradients[0])
    }
    let (zero, half, one) = (try at(0), try at(0.5), try at(1))
    var prior = -0.5 * u.prefix(4).reduce(0) { $0 + $1 * $1 } - 2 * log(2 * Double.pi)
    if inferred { prior -= 0.5 * (pow(u[4] - log(0.2), 2) + log(2 * Double.pi)) }
    #expect(abs(zero.value - prior) < 1e-12)
    #expect(abs(half.value - 0.5 * (zero.value + one.value)) < 1e-9)
    for k in u.indices {
      #expect(abs(half.gradient[k] - 0.5 * (zero.gradient[k] + one.gradient[k])) < 1e-6)
    }
    #expect(zero.gradient.prefix(4).elementsEqual(u.prefix(4).map { -$0 }))
  }

  // Fails when: a NaN of the network or of the prior reaches the caller; ln σ is not bounded; a bad
  // lane spoils its neighbours.
  @Test("positions without density give −∞ and zeros, and harm no other lane")
  func nonFinite() throws {
    for inferred in [false, true] {
      let posterior = try posterior([.measured, .maskedAndCensored], inferred: inferred)
      let good = position(posterior, seed: 7)
      var bad: [[Double]] = []
      for value in [Double.nan, .infinity, -.infinity, 1e300, -1e300, .greatestFiniteMagnitude] {
        for coordinate in good.indices {
          var position = good
          position[coordinate] = value
          bad.append(position)
        }
        bad.append(good.map { _ in value })
      }
      if inferred { for level in [-40.0, 40, 800, -800] { bad.append(good.prefix(4) + [level]) } }
      let alone = try evaluate(posterior, problems: [1, 0, 1], [good, good, good])
      #expect(alone.values[0].isFinite)
      for position in bad {
        let batch = try evaluate(posterior, problems: [1, 0, 1], [good, position, good])
        #expect(batch.values[1] == -.infinity, "at \(position)")
        #expect(batch.gradients[1].allSatisfy { $0 == 0 }, "at \(position)")
        for lane in [0, 2] {
          #expect(batch.values[lane] == alone.values[0])
          #expect(batch.gradients[lane] == alone.gradients[0])
        }
      }
      // Far out but countable: a value, or none at all, never NaN.
      for scale in [1e2, 1e4, 1e8, 1e15, 1e25, 1e37, 1e60, 1e150] {
        let position = good.prefix(4).map { $0 * scale } + good.dropFirst(4)
        let result = try evaluate(posterior, problems: [1], [Array(position)])
        #expect(result.values[0] < -100)
        #expect(result.gradients[0].allSatisfy { $0.isFinite })
        #expect(result.values[0].isFinite || result.gradients[0].allSatisfy { $0 == 0 })
      }
    }
  }
}
