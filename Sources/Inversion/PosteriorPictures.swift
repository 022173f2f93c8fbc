import Foundation
import Maps
import Measurement
import Probability
import Randomness
import Tensors
import Workers

/// Pictures from draws of base variables.
///
/// Given u and the data, ε is Gaussian (cut off where the datum is censored) and its mean and
/// variance are known: E x = E_u[G(u) + E(ε|u,y)] and Var x = Var_u[G(u) + E(ε|u,y)] +
/// E_u[Var(ε|u,y)], which has less Monte Carlo error than averaging pictures with drawn ε.
package struct PosteriorPictures {
  /// C×H×W, intensities.
  package let mean: Tensor
  package let standardDeviation: Tensor

  /// Draws mapped at once by one worker.
  static let lanesPerBlock = 32
  /// Draws are summed in this many parts, merged in order: the same for any number of threads.
  static let partCount = 16

  /// - Parameter residualVariances: s_i of the prior; included in the problem's extra variances.
  package init(
    posterior: ImagePosterior, problem: Int, draws: DrawSet, residualVariances: [Float],
    pool: WorkerPool
  ) throws(PlanError) {
    let total = draws.chains * draws.draws
    let shape = posterior.generator.codomain
    let conditional = ResidualConditional(
      data: posterior.problems[problem], residualVariances: residualVariances)
    let blockCount = (total + Self.lanesPerBlock - 1) / Self.lanesPerBlock
    var workers: [PictureBlock] = []
    for _ in 0..<min(blockCount, pool.threads) {
      workers.append(
        try PictureBlock(generator: posterior.generator, lanes: Self.lanesPerBlock))
    }
    let sums = PartialSums(count: Self.partCount, pixels: shape.count)
    pool.run(workers.count) { [workers] worker in
      for part in stride(from: worker, to: Self.partCount, by: workers.count) {
        for block in stride(from: part, to: blockCount, by: Self.partCount) {
          let first = block * Self.lanesPerBlock
          let count = min(Self.lanesPerBlock, total - first)
          workers[worker].map(draws, first: first, count: count)
          for lane in 0..<count {
            let index = first + lane
            let position = draws.position(chain: index / draws.draws, draw: index % draws.draws)
            let sigma = posterior.sigma(of: position, problem: problem)
            workers[worker].addMoments(lane, conditional, sigma, to: &sums.parts[part])
          }
        }
      }
    }
    let merged = sums.merged
    mean = Tensor(shape: shape, values: merged.mean.map { Float($0) })
    standardDeviation = Tensor(
      shape: shape,
      values: merged.variance.map { Float($0.squareRoot()) })
  }

  /// `count` pictures with drawn ε (at most one for each draw of u): chains in turn, iterations
  /// spread over the whole run.
  package static func drawn(
    _ count: Int, posterior: ImagePosterior, problem: Int, draws: DrawSet,
    residualVariances: [Float], key: RandomKey
  ) throws(PlanError) -> [Tensor] {
    let block = try PictureBlock(generator: posterior.generator, lanes: 1)
    let conditional = ResidualConditional(
      data: posterior.problems[problem], residualVariances: residualVariances)
    let count = min(count, draws.chains * draws.draws)
    let rounds = (count + draws.chains - 1) / draws.chains
    return (0..<count).map { number in
      let iteration = (2 * (number / draws.chains) + 1) * draws.draws / (2 * rounds)
      let position = draws.position(
        chain: number % draws.chains, draw: min(iteration, draws.draws - 1))
      var stream = key.child(number).stream()
      return block.picture(
        position, conditional, posterior.sigma(of: position, problem: problem), &stream,
        posterior.generator.codomain)
    }
  }

  /// G(u) + E(ε | u, y): the picture that belongs to one position.
  package static func picture(
    of position: [Double], posterior: ImagePosterior, problem: Int, residualVariances: [Float]
  ) throws(PlanError) -> Tensor {
    let shape = posterior.generator.codomain
    let block = try PictureBlock(generator: posterior.generator, lanes: 1)
    block.map(position)
    let conditional = ResidualConditional(
      data: posterior.problems[problem], residualVariances: residualVariances)
    var sums = PictureSums(shape.count)
    block.addMoments(
      0, conditional, posterior.sigma(of: position, problem: problem), to: &sums)
    return Tensor(shape: shape, values: sums.mean.map { Float($0) })
  }
}

/// One sum for each part; during a run each part has one owner.
private final class PartialSums {
  let parts: UnsafeMutableBufferPointer<PictureSums>

  init(count: Int, pixels: Int) {
    parts = .allocate(capacity: count)
    parts.initialize(repeating: PictureSums(pixels))
  }

  deinit {
    parts.deinitialize()
    parts.deallocate()
  }

  var merged: PictureSums {
    var result = parts[0]
    for part in parts.dropFirst() { result.merge(part) }
    return result
  }
}

/// Running sums of pictures, in double precision.
private struct PictureSums {
  private var count = 0.0
  private var sum: [Double]
  private var sumOfSquares: [Double]
  private var sumOfVariances: [Double]

  init(_ pixels: Int) {
    sum = [Double](repeating: 0, count: pixels)
    sumOfSquares = sum
    sumOfVariances = sum
  }

  mutating func add(
    images: UnsafePointer<Float>, residualMeans: UnsafePointer<Float>,
    residualVariances: UnsafePointer<Float>
  ) {
    count += 1
    for pixel in sum.indices {
      let value = Double(images[pixel]) + Double(residualMeans[pixel])
      sum[pixel] += value
      sumOfSquares[pixel] += value * value
      sumOfVariances[pixel] += Double(residualVariances[pixel])
    }
  }

  mutating func merge(_ other: PictureSums) {
    count += other.count
    for pixel in sum.indices {
      sum[pixel] += other.sum[pixel]
      sumOfSquares[pixel] += other.sumOfSquares[pixel]
      sumOfVariances[pixel] += other.sumOfVariances[pixel]
    }
  }

  var mean: [Double] { sum.map { $0 / count } }

  /// Law of total variance. Values are near [0, 1], so that Σx² − n x̄² keeps ten digits.
  var variance: [Double] {
    sum.indices.map { pixel in
      let average = sum[pixel] / count
      let spread = sumOfSquares[pixel] / count - average * average
      return max(0, spread) * count / max(count - 1, 1) + sumOfVariances[pixel] / count
    }
  }
}

/// One worker's plan and buffers.
private final class PictureBlock {
  private let plan: any MapPlan
  private let pixels: Int
  private let latent: Int
  private let base: FloatBuffer
  private let images: FloatBuffer
  private let residualMeans: FloatBuffer
  private let residualVariances: FloatBuffer

  init(generator: any DifferentiableMap, lanes: Int) throws(PlanError) {
    plan = try generator.makePlan(lanes: lanes)
    pixels = generator.codomain.count
    latent = generator.domain.count
    base = FloatBuffer(lanes * latent)
    images = FloatBuffer(lanes * pixels)
    residualMeans = FloatBuffer(pixels)
    residualVariances = FloatBuffer(pixels)
  }

  /// G of draws `first` ..< `first + count`.
  func map(_ draws: DrawSet, first: Int, count: Int) {
    for lane in 0..<count {
      let index = first + lane
      load(
        draws.position(chain: index / draws.draws, draw: index % draws.draws), lane: lane)
    }
    apply()
  }

  func map(_ position: some Collection<Double>) {
    load(position, lane: 0)
    apply()
  }

  /// Adds lane `lane` of the latest `map` with its conditional residual.
  func addMoments(
    _ lane: Int, _ conditional: ResidualConditional, _ sigma: Double, to sums: inout PictureSums
  ) {
    let image = image(lane)
    var means = residualMeans.buffer.mutableSpan
    var variances = residualVariances.buffer.mutableSpan
    conditional.moments(
      means: image.span, sigma: sigma, conditionalMeans: &means, conditionalVariances: &variances)
    sums.add(
      images: image.baseAddress!, residualMeans: residualMeans.pointer,
      residualVariances: residualVariances.pointer)
  }

  /// G(u) + ε with ε drawn given u and the data.
  func picture(
    _ position: some Collection<Double>, _ conditional: ResidualConditional, _ sigma: Double,
    _ stream: inout RandomStream, _ shape: Shape
  ) -> Tensor {
    map(position)
    let image = image(0)
    var residuals = residualMeans.buffer.mutableSpan
    conditional.draw(means: image.span, sigma: sigma, stream: &stream, into: &residuals)
    return Tensor(shape: shape, values: zip(image, residualMeans.buffer).map { $0 + $1 })
  }

  private func load(_ position: some Collection<Double>, lane: Int) {
    for (k, u) in position.prefix(latent).enumerated() {
      base.pointer[lane * latent + k] = Float(u)
    }
  }

  private func apply() {
    var span = images.buffer.mutableSpan
    plan.apply(base.buffer.span, into: &span)
  }

  private func image(_ lane: Int) -> UnsafeBufferPointer<Float> {
    UnsafeBufferPointer(start: images.pointer + lane * pixels, count: pixels)
  }
}
