import Foundation
import LawCheckers
import Likelihoods
import Maps
import Noise
import Numerics
import Probability
import Randomness
import Sampling
import Tensors
import Testing
import Workers

@testable import Inversion

@Suite struct PAEModelTests {
  // Fails when: flow and decoder are composed in the other order; the flow's normalizing direction is
  // taken for the generating one.
  @Test("the generator is the decoder after the flow's inverse")
  func generator() throws {
    let model = try tinyModel()
    var stream = RandomKey(seed: 12).stream()
    let base = (0..<5).map { _ in stream.normals(4) }
    let codes = try images(of: model.flow.generator, base)
    let direct = try images(of: model.decoder, codes.map { $0.map { Double($0) } })
    #expect(try images(of: model.generator, base) == direct)
    let flat = codes.flatMap { $0 }
    let (again, _) = normalize(try model.flow.makeNormalizingPlan(lanes: 5), flat, lanes: 5)
    for (u, exact) in zip(again, base.joined()) { #expect(abs(Double(u) - exact) < 1e-4) }
    let report = try checkVectorJacobianProduct(
      try #require(model.generator as? ComposedMap), step: 0.05, key: RandomKey(seed: 13))
    #expect(report.extrapolatedError < 1e-3)
  }

  // Fails when: a part's size is not held against the description.
  @Test("parts that do not fit one another are refused")
  func parts() throws {
    let model = try tinyModel()
    func refuse(
      _ change: (inout ModelDescription) -> Void, residual: ResidualCovariance? = nil
    ) {
      var description = model.description
      change(&description)
      #expect(throws: ModelError.self) {
        try PAEModel(
          description: description, encoder: model.encoder, decoder: model.decoder,
          flow: model.flow, residual: residual ?? model.residual)
      }
    }
    refuse { $0.latent = 3 }
    refuse { $0.image.width = 16 }
    refuse { $0.residual.rank = 1 }
    let variances = model.residual.variances
    let factor = [Float](repeating: 0.1, count: 64)
    refuse({ _ in }, residual: ResidualCovariance(variances: Array(variances.dropLast())))
    refuse({ _ in }, residual: ResidualCovariance(variances: variances, factors: factor))
    refuse(
      { $0.residual.rank = 1 },
      residual: ResidualCovariance(variances: variances, factors: factor.map { 1e30 * $0 }))
  }

  // Fails when: the variances are s alone.
  @Test("marginal variances are the diagonal of the whole residual covariance")
  func marginalVariances() throws {
    let model = try tinyModel(rank: 3)
    for pixel in 0..<64 {
      var exact = Double(model.residual.variances[pixel])
      for row in 0..<3 {
        let value = Double(model.residual.factors[64 * row + pixel])
        exact += value * value
      }
      #expect(abs(Double(model.residualVariances[pixel]) - exact) < 1e-7 * exact)
    }
    let prior: any Prior = model
    #expect(prior.residualVariances == model.residualVariances)
  }

  private func posterior(_ model: PAEModel, inferred: Bool) throws -> ImagePosterior {
    ImagePosterior(
      generator: model.generator,
      problems: try TinyDamage.allCases.map { try model.data($0, seed: 90) },
      noiseLevel: inferred
        ? .inferred(estimates: [0.2, 0.2, 0.3, 0.25]) : .known([0.2, 0.15, 0.2, 0.25]))
  }

  private func problem(_ index: Int, chains: Int, inferred: Bool) -> SamplingProblem {
    let key = RandomKey(seed: 100).child(index)
    let starts = (0..<chains).map { chain in
      var stream = key.child("start").child(chain).stream()
      return stream.normals(4) + (inferred ? [-1.6] : [])
    }
    return SamplingProblem(index: index, starts: starts, key: key)
  }

  private func draws(
    _ posterior: ImagePosterior, _ problems: [SamplingProblem], threads: Int, block: Int = 8
  ) throws -> [DrawSet] {
    try sample(
      posterior, problems: problems, kernel: NoUTurnSampler(),
      options: SamplerOptions(draws: 60, warmup: 60, lanesPerBlock: block),
      pool: WorkerPool(threads: threads)
    ).problems.map(\.draws)
  }

  // Fails when: a random number, or an order of summation, depends on the thread that does the work,
  // on the lanes of a block, or on the place of a lane in its block.
  @Test("draws are the same bytes for any threads and any neighbours", arguments: [false, true])
  func determinism(_ inferred: Bool) throws {
    let posterior = try posterior(try tinyModel(), inferred: inferred)
    let all = TinyDamage.allCases.indices.map {
      problem($0, chains: [3, 4, 1, 5][$0], inferred: inferred)
    }
    let reference = try draws(posterior, all, threads: 1)
    #expect(Set(reference.map { $0.positions.last! }).count == all.count)
    for threads in [2, 3] {
      #expect(try draws(posterior, all, threads: threads) == reference)
    }
    #expect(try draws(posterior, all, threads: 2, block: 3) == reference)
    for index in all.indices {
      #expect(try draws(posterior, [all[index]], threads: 2) == [reference[index]])
    }
    #expect(try draws(posterior, [all[3], all[1]], threads: 2) == [reference[3], reference[1]])
  }

  // A product over 1280 pixels has other last bits for one row than for four (oneDNN with
  // AVX-512). Fails when: the last block of lanes is not filled up.
  @Test("one chain of a wide picture draws the same bytes alone and beside others")
  func wide() throws {
    var stream = RandomKey(seed: 41).stream()
    let pixels = 1280
    let prior = try LinearGaussianPrior(
      image: Shape(1, 32, 40), weights: stream.normals(4 * pixels).map { Float(0.02 * $0) },
      mean: [Float](repeating: 0.5, count: pixels),
      residualVariances: [Float](repeating: 0.01, count: pixels))
    let data = (0..<2).map { _ in
      let values = stream.normals(pixels).map { Float(0.5 + 0.2 * $0) }
      return PixelData(
        values: values, kinds: PixelData.kinds(of: values, censored: false),
        extraVariances: [Float](repeating: 0, count: pixels),
        residualVariances: prior.residualVariances)
    }
    let posterior = ImagePosterior(
      generator: prior.generator, problems: data, noiseLevel: .known([0.2, 0.2]))
    let both = [
      problem(0, chains: 1, inferred: false), problem(1, chains: 3, inferred: false),
    ]
    let reference = try draws(posterior, both, threads: 2)
    for index in 0..<2 {
      #expect(try draws(posterior, [both[index]], threads: 1) == [reference[index]])
    }
  }

  // Fails when: a mode depends on the starts beside it.
  @Test("modes are the same bytes for any threads and any neighbours")
  func modes() throws {
    let posterior = try posterior(try tinyModel(), inferred: true)
    let starts = TinyDamage.allCases.indices.map {
      problem($0, chains: 5, inferred: true).starts
    }
    func find(_ starts: [[[Double]]], threads: Int) throws -> [[[Double]]] {
      try maximize(posterior, starts: starts, pool: WorkerPool(threads: threads)).map {
        $0.map { $0.position + [$0.logDensity, Double($0.evaluations)] }
      }
    }
    let reference = try find(starts, threads: 1)
    #expect(try find(starts, threads: 2) == reference)
    #expect(try find(starts, threads: 3) == reference)
    #expect(try find([starts[0]], threads: 2)[0] == reference[0])
    // The problem after the first alone, with no start for the first.
    #expect(try find([[], [starts[1][2]]], threads: 1)[1][0] == reference[1][2])
  }

  // 5 chains of 60 draws are ten blocks, the last not full. Fails when: the last lane of a block is left
  // out.
  @Test("pictures are the same bytes for any threads, and those of a direct sum")
  func pictures() throws {
    let model = try tinyModel()
    let posterior = try posterior(model, inferred: true)
    let law = ResidualConditional(data: posterior.problems[3])
    let set = try draws(posterior, [problem(3, chains: 5, inferred: true)], threads: 2)[0]
    func pictures(_ threads: Int) throws -> [Tensor] {
      let pictures = try PosteriorPictures(
        posterior: posterior, problem: 3, draws: set,
        residual: law, pool: WorkerPool(threads: threads))
      return [pictures.mean, pictures.standardDeviation]
    }
    let reference = try pictures(1)
    #expect(try pictures(2) == reference)
    #expect(try pictures(3) == reference)
    var mean = [Double](repeating: 0, count: 64)
    for chain in 0..<5 {
      for draw in 0..<60 {
        let picture = try PosteriorPictures.picture(
          of: Array(set.position(chain: chain, draw: draw)), posterior: posterior, problem: 3,
          residual: law)
        for pixel in 0..<64 { mean[pixel] += Double(picture.values[pixel]) / 300 }
      }
    }
    for pixel in 0..<64 { #expect(abs(mean[pixel] - Double(reference[0].values[pixel])) < 1e-6) }
    func drawn() throws -> [Tensor] {
      try PosteriorPictures.drawn(
        7, posterior: posterior, problem: 3, draws: set,
        residual: law, key: RandomKey(seed: 3))
    }
    let first = try drawn()
    #expect(try drawn() == first)
    #expect(first.count == 7 && first[0] != first[5])
  }

  // Fails when: more pictures than draws are made, or a draw is read beyond its chain.
  @Test("there are never more drawn pictures than draws")
  func drawnCount() throws {
    let model = try tinyModel()
    let posterior = try posterior(model, inferred: false)
    let law = ResidualConditional(data: posterior.problems[0])
    let set = DrawSet(
      chains: 2, draws: 3, dimension: 4, positions: (0..<24).map { 0.1 * Double($0) },
      logDensities: [Double](repeating: 0, count: 6))
    for count in [0, 1, 2, 5, 6, 100] {
      let drawn = try PosteriorPictures.drawn(
        count, posterior: posterior, problem: 0, draws: set,
        residual: law, key: RandomKey(seed: 3))
      #expect(drawn.count == min(count, 6))
    }
  }
}
