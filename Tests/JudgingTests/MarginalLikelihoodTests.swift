import Flows
import Foundation
import ImageFiles
import Inversion
import Likelihoods
import Networks
import Noise
import Numerics
import Randomness
import Tensors
import SmallModels
import Testing
import Training
import Workers

@testable import Judging
@testable import Problems

/// x = W z + μ + ε of twelve pixels, z = c + e^−l u with u ~ N(0, I) of three variables, and an encoder that
/// reads all codes as c. The law of x is N(μ + W c, W e^−2l Wᵀ + …).
struct LinearPictures {
  static let image = Shape(1, 3, 4)
  static let latent = 3
  let weights: [Float]
  let mean: [Float]
  let center: [Float] = [0.3, -0.5, 1.1]
  let logScale: [Float] = [0.4, -0.3, 0]

  init() {
    var stream = RandomKey(seed: 81).stream()
    weights = stream.normals(36).map { Float(0.3 * $0) }
    mean = stream.normals(12).map { Float($0) }
  }

  /// - Parameter variance: s of each element.
  func model(
    variance: Float, scale: (mean: Double, deviation: Double)? = nil,
    intensity: IntensityVariance? = nil, logScaleDeviation: Double = 0.5
  ) throws -> PAEModel {
    let encoder: [LayerDescription] = [.flatten, .linear(inputs: 12, outputs: 3)]
    let decoder: [LayerDescription] = [.linear(inputs: 3, outputs: 12), .reshape(Self.image)]
    return try PAEModel(
      description: ModelDescription(
        name: "linear", image: .init(channels: 1, height: 3, width: 4), latent: 3, objective: .pae,
        encoder: encoder, decoder: decoder, flow: [.affine],
        residual: .init(
          rank: 0, logScaleMean: scale?.mean, logScaleDeviation: scale?.deviation,
          intensity: intensity.map {
            .init(
              knots: $0.knots.count, logScaleDeviation: logScaleDeviation, rounding: $0.rounding)
          }),
        training: nil),
      encoder: Network(
        domain: Self.image, layers: encoder,
        parameters: [Float](repeating: 0, count: 36) + center),
      decoder: Network(domain: Shape(3), layers: decoder, parameters: weights + mean),
      flow: NormalizingFlow(layers: [.affine], dimension: 3, parameters: center + logScale),
      residual: ResidualCovariance(variances: [Float](repeating: variance, count: 12)),
      intensityVariance: intensity)
  }

  /// ln N(x; μ + W c, W e^−2l Wᵀ + v I), nats, of each picture.
  func closedForm(_ pictures: [[Float]], variance: Double) -> [Double] {
    let factors = (0..<36).map { index -> Double in
      let (k, element) = (index / 12, index % 12)
      return Double(weights[element * 3 + k]) * exp(-Double(logScale[k]))
    }
    let shift = (0..<12).map { element in
      (0..<3).reduce(Double(mean[element])) {
        $0 + Double(weights[element * 3 + $1]) * Double(center[$1])
      }
    }
    let law = FactorAnalysis(
      variances: [Double](repeating: variance, count: 12), factors: factors)
    return law.logDensities(
      of: pictures.flatMap { $0.enumerated().map { Float(Double($1) - shift[$0]) } }[...])
  }

  /// Draws of the model, with residuals of that standard deviation.
  func pictures(_ count: Int, deviation: Double) -> [[Float]] {
    var stream = RandomKey(seed: 82).stream()
    return (0..<count).map { _ in
      let z = (0..<3).map { Double(center[$0]) + exp(-Double(logScale[$0])) * stream.normal() }
      return (0..<12).map { element in
        var value = Double(mean[element]) + deviation * stream.normal()
        for k in 0..<3 { value += Double(weights[element * 3 + k]) * z[k] }
        return Float(value)
      }
    }
  }
}

@Suite struct MarginalLikelihoodTests {
  private let linear = LinearPictures()

  private func estimates(
    _ pictures: [[Float]], _ model: PAEModel, threads: Int = 2
  ) throws -> [MarginalLikelihood.Estimate] {
    try PictureScores(
      ImageSet(
        shape: model.imageShape, count: pictures.count, storage: .floats(Array(pictures.joined()))),
      model: model, marginalCount: pictures.count, pool: WorkerPool(threads: threads)
    ).marginal
  }

  /// Within four standard errors each, and these honest and small: the root mean square of forty scores is 1
  /// within 4/√80, and 512 draws of t₁₀ in three dimensions are worth some 400.
  private func expectAgreement(
    _ found: [MarginalLikelihood.Estimate], _ expected: [Double], largestError: Double = 0.05
  ) {
    let scores = zip(found, expected).map { ($0.value - $1) / $0.error }
    #expect(scores.allSatisfy { abs($0) < 4 }, "\(scores)")
    let square = scores.reduce(0) { $0 + $1 * $1 } / Double(scores.count)
    #expect(abs(square.squareRoot() - 1) < 4 / (2 * Double(scores.count)).squareRoot())
    #expect(found.allSatisfy { $0.error < largestError && $0.shape < 0.7 })
  }

  // The residual is so small that rounding's variance is a third of it. Fails when: the flow's determinant is
  // left out; ρ is; a draw's weight forgets the proposal's density.
  @Test("a linear decoder has its closed form")
  func closedForm() throws {
    let s = 2.5e-6
    let pictures = linear.pictures(40, deviation: s.squareRoot())
    expectAgreement(
      try estimates(pictures, linear.model(variance: Float(s))),
      linear.closedForm(pictures, variance: s + 1 / (12 * 255 * 255.0)))
  }

  // α integrated by the trapezoid rule in ln α, whose error is far below 1e-6. With h the same at all
  // intensities and its own ρ. Fails when: the mean of ln α is not used; the file's ρ is left out.
  @Test("the residual's size is integrated out", arguments: [false, true])
  func scale(_ byIntensity: Bool) throws {
    let s = 0.01
    let pictures = linear.pictures(40, deviation: 0.15)
    let prior = byIntensity ? (mean: 0.0, deviation: 0.5) : (mean: 0.3, deviation: 0.5)
    let rounding = byIntensity ? 0.004 : 1 / (12 * 255 * 255.0)
    let model =
      try byIntensity
      ? linear.model(
        variance: 7, intensity: IntensityVariance(knots: [0.01, 0.01, 0.01], rounding: 0.004))
      : linear.model(variance: Float(s), scale: prior)
    let nodes = (-40...40).map { Double($0) / 8 }
    let terms = nodes.map { node in
      let alpha = exp(prior.mean + prior.deviation * node)
      let weight = -0.5 * node * node - 0.5 * log(2 * Double.pi) + log(0.125)
      return linear.closedForm(pictures, variance: alpha * alpha * s + rounding).map { $0 + weight }
    }
    let expected = pictures.indices.map { index in
      let largest = terms.map { $0[index] }.max()!
      return largest + log(terms.reduce(0) { $0 + exp($1[index] - largest) })
    }
    expectAgreement(try estimates(pictures, model), expected, largestError: 0.08)
  }

  // What `ppca` training says exactly: ProbabilisticPCA's density, to whose s² the 1.3e-6 of rounding adds a
  // ten-thousandth. Fails when: the diagonal of Σ is not what an element's variance is.
  @Test("probabilistic principal components have their exact ln p(x)")
  func principalComponents() throws {
    var description = try linear.model(variance: 0.01).description
    description.objective = .ppca
    let plain = try linear.model(variance: 0.01)
    let model = try PAEModel(
      description: description, encoder: plain.encoder, decoder: plain.decoder,
      flow: NormalizingFlow(
        layers: [.affine], dimension: 3, parameters: [Float](repeating: 0, count: 6)),
      residual: plain.residual)
    let pictures = linear.pictures(40, deviation: 0.1)
    let exact = try #require(ProbabilisticPCA(model: model))
    expectAgreement(try estimates(pictures, model), exact.logMarginal(of: Array(pictures.joined())))
  }

  // Fails when: the draws depend on a picture's place.
  @Test("a picture's number depends on nothing but the picture")
  func independence() throws {
    let model = try linear.model(variance: 0.01, scale: (mean: 0, deviation: 0.4))
    let pictures = linear.pictures(7, deviation: 0.1)
    let together = try estimates(pictures, model)
    #expect(try estimates(pictures, model, threads: 1) == together)
    for index in [0, 5] {
      #expect(try estimates([pictures[index]], model) == [together[index]])
    }
    #expect(Set(together.map(\.value)).count == 7)
  }

  // Test picture 61 is a bag whose code the encoder reads wrongly: the maximum above it holds e^−880 of the
  // mass. Fails when: there is one attempt.
  @Test("climbs from the heaviest draws find a mode that the encoder does not point to")
  func restarts() throws {
    let model = try PAEModel.read(path: try ModelLocator.path(of: "fashion-mnist"))
    let picture = try #require(try DatasetLocator.testPicture("fashion-mnist:61")).tensor.values
    let found = try estimates([picture], model)[0]
    #expect(found.value > 2800 && found.error < 0.5)
  }

  // x = (z tanh ½z, z₂, 0, 0) paints z and −z alike, and the residual is rounding alone: proper, and one of two
  // equal halves. Fails when: a variance of 0 is not kept proper.
  @Test("a file without residual has a density")
  func noResidual() throws {
    let found = try estimates([[0.2, 0.4, 0, 0.001]], evenModel())[0]
    #expect(found.value.isFinite && found.error < 0.2)
  }
}
