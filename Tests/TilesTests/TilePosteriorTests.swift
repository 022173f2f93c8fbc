import Foundation
import Maps
import Noise
import Operators
import Tensors
import Testing

@testable import Tiles

@Suite struct TilePosteriorTests {
  private let truth = SmallPrior.picture(height: 40, width: 48)

  private func error(_ picture: Tensor, where counted: (Int) -> Bool = { _ in true }) -> Double {
    let indices = truth.values.indices.filter(counted)
    let sum = indices.reduce(0.0) {
      let misfit = Double(picture.values[$1] - truth.values[$1])
      return $0 + misfit * misfit
    }
    return (sum / Double(indices.count)).squareRoot()
  }

  private func solve(_ data: TileData, _ options: TileOptions) throws -> TileAnswer {
    // Narrow codes: hills within a tile of four are nearly flat.
    try TilePosterior(SmallPrior.make(side: 4, components: 4, spread: 0.08), data, options).solve()
  }

  /// Seen to fail: draws centred on their own mean instead of the answer's; the scale not applied.
  @Test("white noise: better than the data, error bars that cover, draws about the mean")
  func white() throws {
    let noisy = SmallPrior.noisy(truth, sigma: 0.1, seed: 61)
    let answer = try solve(
      TileData(picture: noisy, noise: .white(sigma: 0.1)), TileOptions(draws: 8, threads: 2))
    #expect(error(answer.mean) < 0.07)
    #expect(error(try #require(answer.best)) < 0.08)
    let covered = truth.values.indices.filter {
      abs(answer.mean.values[$0] - truth.values[$0]) < 1.645 * answer.deviation.values[$0]
    }
    #expect((0.82...0.97).contains(Double(covered.count) / Double(truth.count)))
    #expect(answer.draws.count == 8)
    var (square, stated) = (0.0, 0.0)
    for draw in answer.draws {
      for index in 0..<truth.count {
        let step = Double(draw.values[index] - answer.mean.values[index])
        square += step * step / 7
      }
    }
    for value in answer.deviation.values { stated += Double(value) * Double(value) }
    #expect((0.8...1.25).contains(square / stated))
    #expect((0.5...1.3).contains(answer.chiSquarePerDatum))
  }

  @Test("the same seed gives the same bytes, another seed other draws")
  func seeds() throws {
    let data = try TileData(
      picture: SmallPrior.noisy(truth, sigma: 0.1, seed: 62), noise: .unknown)
    func answer(_ seed: UInt64, _ threads: Int) throws -> TileAnswer {
      try solve(data, TileOptions(draws: 2, seed: seed, threads: threads))
    }
    let (one, two, other) = (try answer(1, 1), try answer(1, 2), try answer(2, 2))
    #expect(one.mean == two.mean && one.deviation == two.deviation && one.draws == two.draws)
    #expect(one.best == two.best && one.sigma == two.sigma && one.sigmaIsEstimated)
    #expect(one.draws != other.draws)
  }

  /// Seen to fail: missing data used (they hold 1e6 here); the mask of the first channel taken for all.
  @Test("missing pixels come from their neighbours and have wider error bars")
  func masked() throws {
    var holed = SmallPrior.noisy(truth, sigma: 0.01, seed: 63)
    let observed = truth.values.indices.map { $0 % 5 != 0 }
    for index in observed.indices where !observed[index] { holed.values[index] = 1e6 }
    let answer = try solve(
      TileData(picture: holed, noise: .white(sigma: 0.01), observed: observed),
      TileOptions(draws: 2, threads: 2))
    #expect(error(answer.mean, where: { !observed[$0] }) < 0.06)
    #expect(error(answer.mean, where: { observed[$0] }) < 0.015)
    let missing = truth.values.indices.filter { !observed[$0] }
    let wide = missing.reduce(0) { $0 + answer.deviation.values[$1] } / Float(missing.count)
    #expect(wide > 2 * answer.deviation.values[1])
    for draw in answer.draws { #expect(error(draw) < 0.1) }
  }

  /// With the shipped prior of photographs.
  ///
  /// Seen to fail: the vjp of the blur left out.
  @Test("a blur is undone in part")
  func blur() throws {
    let models = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
      .deletingLastPathComponent().appending(path: "data/models")
    let prior = try TilePrior.read(path: models.appending(path: "photo.safetensors").path)
    let width = 5
    let line = (0..<width).map { exp(-0.5 * pow(Double($0 - 2) / 1.3, 2)) }
    let sum = line.reduce(0, +)
    let kernel = Tensor(
      shape: Shape(width, width),
      values: (0..<width * width).map { Float(line[$0 / width] * line[$0 % width] / (sum * sum)) })
    let forward = try ConvolutionOperator(shape: truth.shape, kernel: kernel, border: .reflecting)
    let plan = try forward.makePlan(lanes: 1)
    let (input, output) = (FloatBuffer(truth.values), FloatBuffer(truth.count))
    var span = output.buffer.mutableSpan
    plan.apply(input.buffer.span, into: &span)
    let blurred = SmallPrior.noisy(
      Tensor(shape: truth.shape, values: output.array), sigma: 0.01, seed: 64)
    let answer = try TilePosterior(
      prior,
      TileData(
        values: blurred.values, forward: forward,
        noise: DiagonalNoise.white(sigma: 0.01, dimension: truth.count)),
      TileOptions(draws: 4, threads: 2)
    ).solve()
    #expect(error(try #require(answer.best)) < 0.7 * error(blurred))
    #expect(error(answer.mean) < 0.95 * error(blurred))
    #expect((0.7...1.4).contains(answer.chiSquarePerDatum))
  }

  @Test("what cannot be is refused")
  func refusals() throws {
    let prior = try SmallPrior.make(side: 4)
    var nan = truth
    nan.values[7] = .nan
    #expect(throws: TileError.self) { try TileData(picture: nan, noise: .unknown) }
    #expect(throws: TileError.self) { try TileData(picture: truth, noise: .white(sigma: 0)) }
    #expect(throws: TileError.self) {
      try TileData(picture: truth, noise: .unknown, observed: [true])
    }
    #expect(throws: TileError.self) {
      try TileData(
        picture: truth, noise: .unknown, observed: truth.values.map { _ in false })
    }
    #expect(throws: TileError.self) {
      try TileData(picture: truth, noise: .deviations([Float](repeating: -1, count: truth.count)))
    }
    for (channels, height) in [(3, 40), (1, 3)] {
      let data = try TileData(
        picture: SmallPrior.picture(channels: channels, height: height, width: 40),
        noise: .white(sigma: 0.1))
      #expect(throws: TileError.self) {
        try TilePosterior(prior, data, TileOptions(threads: 1))
      }
    }
    var marked = truth.values.map { _ in true }
    marked[7] = false
    #expect(throws: Never.self) {
      try TileData(picture: nan, noise: .unknown, observed: marked)
    }
  }
}
