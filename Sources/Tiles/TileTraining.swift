import CLAPACK
import Foundation
import ImageFiles
import Numerics
import Randomness
import Tensors
import Workers

/// Fits a tile prior to the pictures of a folder: principal components of tiles less their channel means, then
/// a mixture of zero-mean Gaussians on the codes by mini-batch EM (Cappé and Moulines, JRSS B 2009: running
/// averages of the sufficient statistics with steps γ_j = max((j + 2)^−0.6, 0.03)).
///
/// - Codes are multiplied by e^(0.4 N(0, 1)), one number a tile: photographs have tails that a mixture fitted to
///   a few of them lacks.
/// - Components start at tiles, chosen evenly in the logarithm of contrast: half the tile's own outer product,
///   half the covariance of all at the tile's contrast.
/// - Covariances are drawn towards that of all tiles at the component's own scale with the weight of
///   `shrinkage` tiles, and have a floor.
public struct TileTraining: Sendable, Equatable {
  public var name = "photo"
  /// 1 for grey (RGB pictures become 0.299 R + 0.587 G + 0.114 B), 3 for RGB.
  public var channels = 1
  public var side = 8
  /// K; nil for all that the means leave.
  public var latent: Int?
  public var components = 400
  public var tiles = 3_000_000
  public var batch = 100_000
  public var batches = 120
  /// Standard deviation of the logarithm of the tiles' contrast factors.
  public var contrastJitter = 0.4
  /// Intensity: half a grey level of 255.
  public var floor = 0.5 / 255
  /// In tiles.
  public var shrinkage = 20.0
  public var seed: UInt64 = 1

  public init() {}

  /// Reads the PNG files of `folder` and fits the prior to them.
  /// - Throws: `ImageFileError` of a folder or file that cannot be used; `TileError`.
  public func train(
    folder: String, pool: WorkerPool, progress: (_ batch: Int, _ nats: Double) -> Void
  ) throws -> (prior: TilePrior, record: TileDescription.Training) {
    let pictures = try read(folder)
    let rows = try sampled(pictures)
    let count = channels * side * side
    let latent = self.latent ?? count - channels
    let (basis, residual) = components(of: rows, count, latent)
    let codes = coded(rows, basis, count, latent)
    let density = try fitted(codes, latent, basis, residual, pool, progress)
    let prior = try TilePrior(
      name: name, channels: channels, side: side, basis: basis, residualVariance: residual,
      density: density)
    return (
      prior,
      .init(
        data: "photographs", pictures: pictures.count, tiles: codes.count / latent,
        batches: batches, seed: seed)
    )
  }

  private func read(_ folder: String) throws -> [Tensor] {
    guard let listed = try? FileManager.default.contentsOfDirectory(atPath: folder) else {
      throw ImageFileError.missing(path: folder, reason: "it cannot be listed as a folder")
    }
    let names = listed.filter { $0.hasSuffix(".png") && !$0.hasPrefix(".") }
      .sorted { $0.utf8.lexicographicallyPrecedes($1.utf8) }
    var pictures: [Tensor] = []
    for name in names {
      let path = folder + "/" + name
      let picture = try Picture.read(path: path).tensor
      guard min(picture.shape[1], picture.shape[2]) >= side else {
        throw ImageFileError.badData(path: path, reason: "it is smaller than a tile")
      }
      guard picture.shape[0] >= channels else {
        throw ImageFileError.badData(path: path, reason: "it is grey and the model is for colour")
      }
      pictures.append(picture.shape[0] > channels ? grey(picture) : picture)
    }
    guard !pictures.isEmpty else {
      throw ImageFileError.badData(path: folder, reason: "the folder holds no PNG files")
    }
    return pictures
  }

  /// Luma as JPEG has it.
  private func grey(_ picture: Tensor) -> Tensor {
    let area = picture.shape[1] * picture.shape[2]
    let values = picture.values
    return Tensor(
      shape: Shape(1, picture.shape[1], picture.shape[2]),
      values: (0..<area).map {
        0.299 * values[$0] + 0.587 * values[area + $0] + 0.114 * values[2 * area + $0]
      })
  }

  /// As many tiles of each picture, at random places, half of them mirrored, less their channel means; in
  /// random order. Rows of D numbers.
  private func sampled(_ pictures: [Tensor]) throws -> [Float] {
    let each = max(1, tiles / pictures.count)
    let area = side * side
    let count = channels * area
    var stream = RandomKey(seed: seed).child("tiles").stream()
    let order = stream.permutation(each * pictures.count)
    var rows = [Float](repeating: 0, count: order.count * count)
    for (number, picture) in pictures.enumerated() {
      let (height, width) = (picture.shape[1], picture.shape[2])
      for index in 0..<each {
        let row = stream.index(below: height - side + 1)
        let column = stream.index(below: width - side + 1)
        let isMirrored = stream.next() & 1 == 0
        var place = order[number * each + index] * count
        for channel in 0..<channels {
          var sum: Float = 0
          for pixel in 0..<area {
            let x = isMirrored ? side - 1 - pixel % side : pixel % side
            let value =
              picture.values[(channel * height + row + pixel / side) * width + column + x]
            rows[place + pixel] = value
            sum += value
          }
          for pixel in 0..<area { rows[place + pixel] -= sum / Float(area) }
          place += area
        }
      }
    }
    return rows
  }

  /// The K principal components, one a row, the largest first, and the mean variance of the directions left.
  private func components(
    of rows: [Float], _ count: Int, _ latent: Int
  ) -> (basis: [Float], residual: Double) {
    let number = rows.count / count
    var matrix = [Double](repeating: 0, count: count * count)
    var part = [Float](repeating: 0, count: count * count)
    // Partial sums in single precision stay short.
    rows.withUnsafeBufferPointer { rows in
      for start in stride(from: 0, to: number, by: 4096) {
        let first = rows.baseAddress! + start * count
        multiply(
          .transposed, .plain, m: count, n: count, k: min(4096, number - start), first, lda: count,
          first, ldb: count, into: &part, ldc: count)
        for index in matrix.indices { matrix[index] += Double(part[index]) / Double(number) }
      }
    }
    var values = [Double](repeating: 0, count: count)
    let status = LAPACKE_dsyevd(
      LAPACK_COL_MAJOR, 0x56 /* V */, 0x55 /* U */, Int32(count), &matrix, Int32(count), &values)
    precondition(status == 0, "a finite symmetric matrix has eigenvectors")
    // Columns in rising order; the C smallest are the means' own, of no variance.
    var basis: [Float] = []
    for index in 0..<latent {
      let column = count - 1 - index
      basis += matrix[column * count..<(column + 1) * count].map(Float.init)
    }
    let left = count - channels - latent
    let residual = left == 0 ? 0 : values[channels..<channels + left].reduce(0, +) / Double(left)
    return (basis, left == 0 ? 0 : max(residual, floor * floor))
  }

  /// Rows of codes, contrast jittered.
  private func coded(_ rows: [Float], _ basis: [Float], _ count: Int, _ latent: Int) -> [Float] {
    let number = rows.count / count
    var codes = [Float](repeating: 0, count: number * latent)
    multiply(
      .plain, .transposed, m: number, n: latent, k: count, rows, lda: count, basis, ldb: count,
      into: &codes, ldc: latent)
    var stream = RandomKey(seed: seed).child("contrast").stream()
    for row in 0..<number {
      let factor = Float(exp(contrastJitter * stream.normal()))
      for index in row * latent..<(row + 1) * latent { codes[index] *= factor }
    }
    return codes
  }

  private func fitted(
    _ codes: [Float], _ latent: Int, _ basis: [Float], _ residual: Double, _ pool: WorkerPool,
    _ progress: (Int, Double) -> Void
  ) throws -> GaussianMixtureDensity {
    let number = codes.count / latent
    let size = latent * latent
    let all = covariance(codes, latent)
    var trace = 0.0
    for index in 0..<latent { trace += all[index * latent + index] }
    let scale = trace / Double(latent)
    var covariances = seeds(codes, latent).flatMap { seed -> [Double] in
      let contrast = max(
        seed.reduce(0) { $0 + Double($1) * Double($1) } / Double(latent), 1 / (255.0 * 255))
      return (0..<size).map {
        0.5 * Double(seed[$0 / latent]) * Double(seed[$0 % latent]) + 0.5 * contrast / scale
          * all[$0]
          + ($0 / latent == $0 % latent ? floor * floor : 0)
      }
    }
    var weights = [Double](repeating: 1 / Double(components), count: components)
    let perBatch = min(batch, number)
    var masses = [Double](repeating: Double(perBatch) / Double(components), count: components)
    var sums = (0..<components * size).map { covariances[$0] * masses[$0 / size] }
    for step in 0..<batches {
      let density = try mixture(latent, weights, covariances)
      let prior = try TilePrior(
        name: name, channels: channels, side: side, basis: basis, residualVariance: residual,
        density: density)
      // The floor is noise enough; what is added here only keeps the type.
      let noisy = NoisyMixture(prior, variance: 1e-9, parts: .allScores, pool: pool)
      let first = (step * perBatch) % max(number - perBatch + 1, 1)
      let (scatter, nats) = statistics(noisy, codes, first..<first + perBatch, pool)
      let gain = step == 0 ? 1 : max(pow(Double(step) + 2, -0.6), 0.03)
      for component in 0..<components {
        masses[component] += gain * (scatter.masses[component] - masses[component])
        let place = component * size
        for index in place..<place + size {
          sums[index] += gain * (Double(scatter.sums.pointer[index]) - sums[index])
        }
        update(&covariances, place, masses[component], sums, all, scale, latent)
      }
      weights = masses.map { max($0, 1e-3) }
      progress(step + 1, nats)
    }
    return try mixture(latent, weights, covariances)
  }

  /// Σ ← (10 S + ν (tr Σ̂/tr Σ_all) Σ_all)/(10 n + ν) + floor: statistics of a batch stand for about ten.
  private func update(
    _ covariances: inout [Double], _ place: Int, _ mass: Double, _ sums: [Double], _ all: [Double],
    _ scale: Double, _ latent: Int
  ) {
    var trace = 0.0
    for index in 0..<latent { trace += sums[place + index * latent + index] }
    let own = trace / max(mass, 1e-9) / Double(latent) / scale
    let total = 10 * mass + shrinkage
    for index in 0..<latent * latent {
      covariances[place + index] = (10 * sums[place + index] + shrinkage * own * all[index]) / total
    }
    for index in 0..<latent { covariances[place + index * latent + index] += floor * floor }
  }

  private func mixture(
    _ latent: Int, _ weights: [Double], _ covariances: [Double]
  ) throws -> GaussianMixtureDensity {
    var triangles: [Float] = []
    triangles.reserveCapacity(components * GaussianMixtureDensity.triangle(latent))
    for component in 0..<components {
      for row in 0..<latent {
        let line = (component * latent + row) * latent
        for column in row..<latent { triangles.append(Float(covariances[line + column])) }
      }
    }
    return try GaussianMixtureDensity(
      dimension: latent, weights: weights,
      means: [Float](repeating: 0, count: components * latent), covariances: triangles)
  }

  /// Second moments of the codes about zero.
  private func covariance(_ codes: [Float], _ latent: Int) -> [Double] {
    let number = codes.count / latent
    var matrix = [Double](repeating: 0, count: latent * latent)
    var part = [Float](repeating: 0, count: latent * latent)
    codes.withUnsafeBufferPointer { codes in
      for start in stride(from: 0, to: number, by: 4096) {
        let first = codes.baseAddress! + start * latent
        multiply(
          .transposed, .plain, m: latent, n: latent, k: min(4096, number - start), first,
          lda: latent, first, ldb: latent, into: &part, ldc: latent)
        for index in matrix.indices { matrix[index] += Double(part[index]) / Double(number) }
      }
    }
    return matrix
  }

  /// One tile a component: a cell of the logarithm of contrast, then a tile of it.
  private func seeds(_ codes: [Float], _ latent: Int) -> [[Float]] {
    let number = min(codes.count / latent, 500_000)
    let cells = 40
    let logs = (0..<number).map { row -> Double in
      var sum = 0.0
      for index in row * latent..<(row + 1) * latent {
        sum += Double(codes[index]) * Double(codes[index])
      }
      return log(max((sum / Double(latent)).squareRoot(), floor))
    }
    let (low, high) = (logs.min()!, logs.max()!)
    var members = [[Int]](repeating: [], count: cells)
    for (row, value) in logs.enumerated() {
      let cell = high > low ? Int(Double(cells) * (value - low) / (high - low)) : 0
      members[min(cell, cells - 1)].append(row)
    }
    // A cell of a handful of tiles has no say: its tiles would be taken over and over.
    let rich = members.filter { $0.count >= 50 }
    let pools = rich.isEmpty ? [Array(0..<number)] : rich
    var stream = RandomKey(seed: seed).child("components").stream()
    return (0..<components).map { component in
      let pool = pools[component % pools.count]
      let row = pool[stream.index(below: pool.count)]
      return Array(codes[row * latent..<(row + 1) * latent])
    }
  }

  /// The E step on some rows: their scatter, and the mean log density in nats.
  private func statistics(
    _ mixture: NoisyMixture, _ codes: [Float], _ rows: Range<Int>, _ pool: WorkerPool
  ) -> (TileScatter, nats: Double) {
    let latent = mixture.prior.latent
    // Two parts whatever the threads, so that these do not matter.
    let parts = (0..<2).map { _ in TileScatter(mixture.prior.density) }
    let workers = parts.map { _ in TileWorker(mixture.prior) }
    var sums = [0.0, 0.0]
    sums.withUnsafeMutableBufferPointer { buffer in
      // Each part writes its own sum.
      nonisolated(unsafe) let output = buffer
      pool.run(parts.count) { part in
        let worker = workers[part]
        var start = rows.lowerBound + part * TileWorker.capacity
        while start < rows.upperBound {
          let count = min(TileWorker.capacity, rows.upperBound - start)
          codes.withUnsafeBufferPointer {
            worker.load(codes: $0.baseAddress! + start * latent, count: count)
          }
          worker.score(mixture)
          worker.takeShares()
          parts[part].add(worker)
          output[part] += worker.logEvidence[0..<count].reduce(0, +)
          start += parts.count * TileWorker.capacity
        }
      }
    }
    parts[0].add(parts[1])
    return (parts[0], (sums[0] + sums[1]) / Double(rows.count))
  }
}
