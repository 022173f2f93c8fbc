import Foundation
import Randomness
import Tensors
import Testing

@testable import Tiles

@Suite struct CensoringTests {
  private let sigma = 0.2

  /// A white area is no cut noise; a value at an end beside others that are not is.
  ///
  /// Meant to catch: neighbours of the next row's end counted; `high` and `low` exchanged; the value itself among its
  /// neighbours, with any of them enough.
  @Test("values at an end are censored unless all around them are there too")
  func whatIsCensored() throws {
    let (height, width) = (5, 7)
    var values = [Float](repeating: 0.5, count: height * width)
    for row in 0..<height { for column in 3..<width { values[row * width + column] = 1 } }
    values[0] = 0
    values[8] = -0.2
    let censoring = try #require(
      Censoring(values, shape: Shape(1, height, width), range: 0...1))
    #expect(censoring.low == [0, 8])
    // Of the white area only the column at its border.
    #expect(censoring.high == (0..<height).map { $0 * width + 3 })
    #expect(
      Censoring(
        [Float](repeating: 0, count: 35), shape: Shape(1, height, width), range: 0...1) == nil)
  }

  /// Meant to catch: the bound's sign lost; the proposal's rate without its root.
  @Test("draws cut from above have the moments of the cut normal", arguments: [0.7, 0, -1, -6])
  func cutNormal(bound: Double) {
    var stream = RandomKey(seed: 12).stream()
    let number = 40_000
    let draws = (0..<number).map { _ in stream.normal(atMost: bound) }
    #expect(draws.allSatisfy { $0 <= bound })
    // By quadrature of e^(−z²/2) below the bound.
    let cells = 20_000
    var (mass, first, second) = (0.0, 0.0, 0.0)
    for cell in 0..<cells {
      let z = bound - 9 * (Double(cell) + 0.5) / Double(cells)
      let weight = exp(-0.5 * (z * z - bound * bound))
      mass += weight
      first += weight * z
      second += weight * z * z
    }
    let (mean, variance) = (first / mass, second / mass - first * first / mass / mass)
    let found = draws.reduce(0, +) / Double(number)
    let spread = draws.reduce(0) { $0 + ($1 - mean) * ($1 - mean) } / Double(number)
    #expect(abs(found - mean) < 4 * (variance / Double(number)).squareRoot())
    // A kurtosis of at most 9, that of an exponential's.
    #expect(abs(spread / variance - 1) < 4 * (8 / Double(number)).squareRoot())
  }

  /// x | z, y ≤ 0 ∝ N(x; z, 1/κ) Φ(−x/σ), by quadrature.
  ///
  /// Meant to catch: y* drawn with σ² instead of σ² + 1/κ; the mode left at z.
  @Test("the step of a censored pixel is exact: draws and mode")
  func step() throws {
    // The second pixel keeps the first from being black.
    let censoring = try #require(
      Censoring([0, 0.5], shape: Shape(1, 1, 2), range: 0...1))
    let precision = 1 / 0.09
    let step = PixelStep(
      data: [0, 0.5], precisions: [Float](repeating: Float(1 / (sigma * sigma)), count: 2),
      censoring: censoring)
    let z: [Float] = [0.15, 0.4]
    func logDensity(_ x: Double) -> Double {
      log(0.5 * erfc(x / sigma * 0.5.squareRoot())) - 0.5 * precision * (x - 0.15) * (x - 0.15)
    }
    var (mass, first, second, best) = (0.0, 0.0, 0.0, (-Double.infinity, 0.0))
    for cell in 0..<40_000 {
      let x = -2 + 4 * (Double(cell) + 0.5) / 40_000
      let value = logDensity(x)
      if value > best.0 { best = (value, x) }
      mass += exp(value)
      first += exp(value) * x
      second += exp(value) * x * x
    }
    let (mean, variance) = (first / mass, second / mass - first * first / mass / mass)
    var x: [Float] = [0, 0]
    step.mode(around: z, precision: precision, into: &x)
    #expect(abs(Double(x[0]) - best.1) < 2e-3)
    #expect(abs(x[1] - (25 * 0.5 + Float(precision) * 0.4) / (25 + Float(precision))) < 1e-6)
    var stream = RandomKey(seed: 13).stream()
    let number = 40_000
    var (sum, square) = (0.0, 0.0)
    for _ in 0..<number {
      step.draw(around: z, precision: precision, &stream, into: &x)
      sum += Double(x[0]) - mean
      square += (Double(x[0]) - mean) * (Double(x[0]) - mean)
    }
    #expect(abs(sum / Double(number)) < 4 * (variance / Double(number)).squareRoot())
    #expect(abs(square / Double(number) / variance - 1) < 4 * (2 / Double(number)).squareRoot())
  }

  /// One tile of 2×2 under one Gaussian of codes N(0, diag(0.09, 0.02, 0.005)) along the three patterns of signs,
  /// data (0, 0.12, 0, 0.31) cut at 0: the means and deviations of the law that the chain leaves invariant, by
  /// quadrature in NumPy on a grid of 61⁴ points (and by four million weighted draws, to three digits).
  ///
  /// Meant to catch: censored values taken as measured (deviations of 0.17 at all pixels); their completion drawn
  /// given the previous x of another chain.
  @Test("one Gaussian, one mosaic, two values cut off: the posterior by quadrature")
  func posterior() throws {
    let basis: [Float] = [1, 1, -1, -1, 1, -1, 1, -1, 1, -1, -1, 1].map { 0.5 * $0 }
    let prior = try TilePrior(
      name: "signs", channels: 1, side: 2, basis: basis, residualVariance: 0,
      density: GaussianMixtureDensity(
        dimension: 3, weights: [1], means: [0, 0, 0],
        covariances: [0.09, 0, 0, 0.02, 0, 0.005]))
    let values: [Float] = [0, 0.12, 0, 0.31]
    let censoring = try #require(Censoring(values, shape: Shape(1, 2, 2), range: 0...1))
    #expect(censoring.low == [0, 2])
    let step = PixelStep(
      data: values, precisions: [Float](repeating: Float(1 / (sigma * sigma)), count: 4),
      censoring: censoring)
    let mixtures = [NoisyMixture(prior, variance: 0.0225, parts: .draws, pool: nil)]
    let chain = TileChain(
      start: Tensor(shape: Shape(1, 2, 2), values: values), side: 2, key: RandomKey(seed: 22))
    let worker = TileWorker(prior)
    let (batches, length) = (150, 400)
    var means = [[Double]](repeating: [], count: 4)
    var squares = means
    let expected = [-0.15890, 0.04622, -0.11210, 0.15946]
    let deviations = [0.21288, 0.16852, 0.20702, 0.16784]
    for _ in 0..<200 { chain.sweep(mixtures, worker, step, offsets: (1, 1)) }
    for _ in 0..<batches {
      var (sums, spread) = ([0.0, 0, 0, 0], [0.0, 0, 0, 0])
      for _ in 0..<length {
        chain.sweep(mixtures, worker, step, offsets: (1, 1))
        for pixel in 0..<4 {
          let misfit = Double(chain.picture.pointer[pixel]) - expected[pixel]
          sums[pixel] += misfit / Double(length)
          spread[pixel] += misfit * misfit / Double(length)
        }
      }
      for pixel in 0..<4 {
        means[pixel].append(sums[pixel])
        squares[pixel].append(spread[pixel])
      }
    }
    func check(_ values: [Double], against expected: Double) {
      let number = Double(values.count)
      let mean = values.reduce(0, +) / number
      let spread = values.reduce(0) { $0 + ($1 - mean) * ($1 - mean) } / (number - 1)
      #expect(abs(mean - expected) < 4 * (spread / number).squareRoot() + 2e-4)
    }
    for pixel in 0..<4 {
      check(means[pixel], against: 0)
      check(squares[pixel], against: deviations[pixel] * deviations[pixel])
    }
  }
}
