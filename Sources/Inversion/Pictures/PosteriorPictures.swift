import Foundation
import Likelihoods
import Maps
import Numerics
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

  /// - Parameter residual: the law of ε given the problem's data.
  package init(
    posterior: ImagePosterior, problem: Int, draws: DrawSet, residual: any ResidualLaw,
    pool: WorkerPool
  ) throws(PlanError) {
    let total = draws.chains * draws.draws
    let shape = posterior.pictureShape
    let blockCount = (total + Self.lanesPerBlock - 1) / Self.lanesPerBlock
    var workers: [PictureBlock] = []
    for _ in 0..<min(blockCount, pool.threads) {
      workers.append(
        try PictureBlock(posterior, problem, residual, lanes: Self.lanesPerBlock))
    }
    let sums = PartialSums(
      count: Self.partCount, pixels: shape.count, accumulator: residual.accumulatorCount)
    pool.run(workers.count) { [workers] worker in
      for part in stride(from: worker, to: Self.partCount, by: workers.count) {
        for block in stride(from: part, to: blockCount, by: Self.partCount) {
          let first = block * Self.lanesPerBlock
          let count = min(Self.lanesPerBlock, total - first)
          workers[worker].map(draws, first: first, count: count)
          workers[worker].addMoments(count, to: &sums.parts[part])
        }
      }
    }
    let merged = sums.merged
    mean = Tensor(shape: shape, values: merged.mean.map { Float($0) })
    let left = try residual.variances(averaged: merged.accumulated)
    standardDeviation = Tensor(
      shape: shape,
      values: zip(merged.spread, left).map {
        Float(($0 + $1).squareRoot())
      })
  }

  /// `count` pictures with drawn ε (at most one for each draw of u): chains in turn, iterations
  /// spread over the whole run.
  package static func drawn(
    _ count: Int, posterior: ImagePosterior, problem: Int, draws: DrawSet,
    residual: any ResidualLaw, key: RandomKey
  ) throws(PlanError) -> [Tensor] {
    try drawnWithMeans(
      count, posterior: posterior, problem: problem, draws: draws, residual: residual, key: key
    ).map { Tensor(shape: posterior.pictureShape, values: $0.values) }
  }

  /// The same pictures, each with what the decoder paints of it.
  package static func drawnWithMeans(
    _ count: Int, posterior: ImagePosterior, problem: Int, draws: DrawSet,
    residual: any ResidualLaw, key: RandomKey
  ) throws(PlanError) -> [DrawnPicture] {
    let block = try PictureBlock(posterior, problem, residual, lanes: 1)
    let count = min(count, draws.chains * draws.draws)
    let rounds = (count + draws.chains - 1) / draws.chains
    return (0..<count).map { number in
      let iteration = (2 * (number / draws.chains) + 1) * draws.draws / (2 * rounds)
      let position = draws.position(
        chain: number % draws.chains, draw: min(iteration, draws.draws - 1))
      var stream = key.child(number).stream()
      return block.picture(position, &stream)
    }
  }

  /// G(u) + E(ε | u, y): the picture that belongs to one position.
  package static func picture(
    of position: [Double], posterior: ImagePosterior, problem: Int, residual: any ResidualLaw
  ) throws(PlanError) -> Tensor {
    let shape = posterior.pictureShape
    let block = try PictureBlock(posterior, problem, residual, lanes: 1)
    block.map(position)
    var sums = PictureSums(pixels: shape.count, accumulator: residual.accumulatorCount)
    block.addMoments(1, to: &sums)
    return Tensor(shape: shape, values: sums.mean.map { Float($0) })
  }
}

/// One sum for each part; during a run each part has one owner.
private final class PartialSums {
  let parts: UnsafeMutableBufferPointer<PictureSums>

  init(count: Int, pixels: Int, accumulator: Int) {
    parts = .allocate(capacity: count)
    parts.initialize(repeating: PictureSums(pixels: pixels, accumulator: accumulator))
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
  var count = 0.0
  private var sum: [Double]
  private var sumOfSquares: [Double]
  /// What the residual's law adds up for its variances.
  var accumulator: [Double]

  init(pixels: Int, accumulator: Int) {
    sum = [Double](repeating: 0, count: pixels)
    sumOfSquares = sum
    self.accumulator = [Double](repeating: 0, count: accumulator)
  }

  mutating func add(images: UnsafePointer<Float>, residualMeans: UnsafePointer<Float>) {
    count += 1
    for pixel in sum.indices {
      let value = Double(images[pixel]) + Double(residualMeans[pixel])
      sum[pixel] += value
      sumOfSquares[pixel] += value * value
    }
  }

  mutating func merge(_ other: PictureSums) {
    count += other.count
    for pixel in sum.indices {
      sum[pixel] += other.sum[pixel]
      sumOfSquares[pixel] += other.sumOfSquares[pixel]
    }
    for index in accumulator.indices { accumulator[index] += other.accumulator[index] }
  }

  var mean: [Double] { sum.map { $0 / count } }

  /// Variance of G(u) + E(ε | u, y), the first part of the law of total variance. Values are near [0, 1],
  /// so that Σx² − n x̄² keeps ten digits.
  var spread: [Double] {
    sum.indices.map { pixel in
      let average = sum[pixel] / count
      let spread = sumOfSquares[pixel] / count - average * average
      return max(0, spread) * count / max(count - 1, 1)
    }
  }

  var accumulated: [Double] { accumulator.map { $0 / count } }
}

/// One worker's plans and buffers.
private final class PictureBlock {
  private let posterior: ImagePosterior
  private let problem: Int
  private let plan: any MapPlan
  private let residual: any ResidualLawPlan
  private let pixels: Int
  /// Of what the generator gives: the picture and what may lie behind it.
  private let stride: Int
  private let latent: Int
  private let base: FloatBuffer
  private let images: FloatBuffer
  private let residualMeans: FloatBuffer
  private var levels: [NoiseLevels]

  init(
    _ posterior: ImagePosterior, _ problem: Int, _ residual: any ResidualLaw, lanes: Int
  ) throws(PlanError) {
    self.posterior = posterior
    self.problem = problem
    plan = try posterior.generator.makePlan(lanes: lanes)
    self.residual = try residual.makePlan(lanes: lanes)
    pixels = posterior.pictureShape.count
    stride = posterior.generator.codomain.count
    latent = posterior.latentDimension
    base = FloatBuffer(lanes * latent)
    images = FloatBuffer(lanes * stride)
    residualMeans = FloatBuffer(lanes * pixels)
    levels = [NoiseLevels](repeating: NoiseLevels(sigma: 1), count: lanes)
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

  /// Adds the first `count` lanes of the latest `map` with their conditional residuals.
  func addMoments(_ count: Int, to sums: inout PictureSums) {
    var means = residualMeans.buffer.mutableSpan
    residual.moments(
      images: images.buffer.span, levels: levels.span, count: count, means: &means,
      accumulator: &sums.accumulator)
    for lane in 0..<count {
      sums.add(
        images: images.pointer + lane * stride, residualMeans: residualMeans.pointer + lane * pixels
      )
    }
  }

  /// G(u) and G(u) + ε with ε drawn given u and the data.
  func picture(_ position: some Collection<Double>, _ stream: inout RandomStream) -> DrawnPicture {
    map(position)
    var residuals = [Float](repeating: 0, count: pixels)
    residual.draw(
      images: images.buffer.span, levels: levels[0], stream: &stream, into: &residuals)
    let painted = residuals.indices.map { images.pointer[$0] }
    return DrawnPicture(
      painted: painted, values: zip(painted, residuals).map { $0 + $1 },
      residualScale: levels[0].residualScale)
  }

  private func load(_ position: some Collection<Double>, lane: Int) {
    levels[lane] = posterior.levels(of: position, problem: problem)
    posterior.mapped(position, levels: levels[lane], into: base.pointer + lane * latent)
  }

  private func apply() {
    var span = images.buffer.mutableSpan
    plan.apply(base.buffer.span, into: &span)
  }
}
