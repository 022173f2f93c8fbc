import Foundation
import Numerics
import Randomness
import Tensors

/// The place of a tile's first pixel.
struct TilePlace: Equatable {
  var row: Int32
  var column: Int32
}

/// Planes of a picture, C×H×W, row-major; keeps their memory alive.
struct Planes {
  let owner: FloatBuffer
  let channels: Int
  let height: Int
  let width: Int

  /// - Precondition: `owner` holds C·H·W numbers.
  init(_ owner: FloatBuffer, channels: Int, height: Int, width: Int) {
    precondition(owner.count == channels * height * width)
    self.owner = owner
    self.channels = channels
    self.height = height
    self.width = width
  }

  var values: UnsafeMutablePointer<Float> { owner.pointer }
  var area: Int { height * width }
}

/// A block of tiles of one picture and one prior, on one thread: their codes, what the components of a
/// mixture make of them, and what becomes of them. Owns its buffers; one owner at a time.
final class TileWorker {
  /// Tiles of a block: as many as let a component have a few tens of them on its list.
  static let capacity = 512
  /// Components with less of a tile's probability are left out of sums over them; what is left out is
  /// divided out.
  static let leastShare: Float = 1e-3
  /// Components of a tile that a screen lets pass, and how far (in nats) they may be behind the first of it.
  static let mostPassed = 32
  static let passingMargin: Float = 12
  /// The same without a screen, where it only saves work: e⁻¹⁶ is 1e-7.
  private static let margin: Float = 16

  let prior: TilePrior
  /// Tiles of the block.
  private(set) var count = 0
  /// ln p(y) of each tile's codes; of a screened mixture over what passed the screen.
  private(set) var logEvidence: [Double]
  /// The components that have a share in a tile.
  let pairs: TilePairs

  /// Pixels of the tiles, capacity × D.
  let tiles: FloatBuffer
  /// B times them, capacity × K.
  let codes: FloatBuffer
  private let features: FloatBuffer
  private let logits: FloatBuffer
  /// Numbers from one row of the codes of pairs to the next: K rounded up to whole vectors, zeros behind.
  let rowLength: Int
  /// Codes of pairs as they came and as they leave, and their pixels: grown as pairs need.
  private var gathered = FloatBuffer(0)
  private var filtered = FloatBuffer(0)
  private var painted = FloatBuffer(0)
  /// Whether `filtered` holds the posterior means of the pairs.
  private var isFiltered = false
  /// The largest logit of each tile, then the sum of shares.
  private let tops: FloatBuffer
  private let sums: FloatBuffer
  /// Σ shares · pixels, and Σ shares · (pixels² + variances): capacity × D.
  let means: FloatBuffer
  let squares: FloatBuffer

  init(_ prior: TilePrior) {
    self.prior = prior
    let (capacity, size) = (Self.capacity, prior.latent)
    rowLength = (size + 15) / 16 * 16
    logEvidence = [Double](repeating: 0, count: capacity)
    let columns = (prior.density.componentCount + 15) / 16 * 16
    pairs = TilePairs(
      mostTiles: capacity, components: prior.density.componentCount, rowLength: columns)
    tops = FloatBuffer(capacity)
    sums = FloatBuffer(capacity)
    tiles = FloatBuffer(capacity * prior.tileCount)
    codes = FloatBuffer(capacity * size)
    features = FloatBuffer(capacity * (prior.density.triangle + size))
    logits = FloatBuffer(capacity * columns)
    means = FloatBuffer(capacity * prior.tileCount)
    squares = FloatBuffer(capacity * prior.tileCount)
  }

  /// Takes the tiles at `places` out of a picture.
  /// - Precondition: at most `capacity` places, each tile inside the picture.
  func load(_ picture: Planes, at places: ArraySlice<TilePlace>) {
    let side = prior.side
    let pixels = prior.tileCount
    precondition(places.count <= Self.capacity && picture.channels == prior.channels)
    count = places.count
    var output = tiles.pointer
    for place in places {
      for channel in 0..<prior.channels {
        let start = channel * picture.area + Int(place.row) * picture.width + Int(place.column)
        for row in 0..<side {
          output.update(from: picture.values + start + row * picture.width, count: side)
          output += side
        }
      }
    }
    multiply(
      .plain, .transposed, m: count, n: prior.latent, k: pixels, tiles.pointer, lda: pixels,
      prior.basis, ldb: pixels, into: codes.pointer, ldc: prior.latent)
  }

  /// Takes codes as they are; for what is no picture.
  func load(codes rows: UnsafePointer<Float>, count: Int) {
    precondition(count <= Self.capacity)
    self.count = count
    codes.pointer.update(from: rows, count: count * prior.latent)
  }

  /// The components' shares in each tile as numbers up to a factor, and `logEvidence`; then one of `takeShares`,
  /// `takeMostProbable` and `takeDrawn`.
  /// - Parameter most: how many components of a tile a screen lets pass.
  func score(_ mixture: NoisyMixture, atMost most: Int = mostPassed) {
    let columns = mixture.paddedComponents
    fillFeatures(mixture)
    multiply(
      m: count, n: columns, k: mixture.featureCount, features.pointer, lda: mixture.featureCount,
      mixture.scores.pointer, ldb: columns, into: logits.pointer, ldc: columns)
    isFiltered = false
    list(mixture, atMost: mixture.isScreened ? most : columns)
    if mixture.isScreened {
      filter(mixture)
      rescore(mixture)
    }
    takeExponentials()
  }

  private func fillFeatures(_ mixture: NoisyMixture) {
    let (size, lead) = (prior.latent, mixture.lead)
    for tile in 0..<count {
      let code = codes.pointer + tile * size
      var output = features.pointer + tile * mixture.featureCount
      for row in 0..<lead {
        let factor = code[row]
        let rest = lead - row
        for column in 0..<rest { output[column] = factor * code[row + column] }
        output += rest
      }
      for row in lead..<size { output[row - lead] = code[row] * code[row] }
      if !mixture.isCentred { (output + size - lead).update(from: code, count: size) }
    }
  }

  /// Pairs of each tile with the components whose logits are within a margin of its largest, at most so many
  /// (ties and what is closer than 1/128 of the margin aside), `shares` their logits.
  private func list(_ mixture: NoisyMixture, atMost most: Int) {
    let columns = mixture.paddedComponents
    let (rows, offsets) = (logits.pointer, mixture.offsets.pointer)
    let thresholds = tops.pointer
    let margin = mixture.isScreened ? Self.passingMargin : Self.margin
    for tile in 0..<count {
      let row = rows + tile * columns
      var largest = Vector(repeating: -.infinity)
      for place in stride(from: 0, to: columns, by: 16) {
        let value = Numerics.load(row + place) + Numerics.load(offsets + place)
        store(value, row + place)
        largest = pointwiseMax(largest, value)
      }
      var (low, high) = (largest.max() - margin, largest.max())
      if Self.count(row, columns, from: low) > most {
        for _ in 0..<7 {
          let middle = 0.5 * (low + high)
          if Self.count(row, columns, from: middle) > most { low = middle } else { high = middle }
        }
        low = high
      }
      thresholds[tile] = low
    }
    pairs.list(count, rows, rowLength: columns, thresholds: thresholds)
    if gathered.count < pairs.count * rowLength {
      gathered = FloatBuffer(pairs.count * rowLength)
      filtered = FloatBuffer(pairs.count * rowLength)
    }
  }

  /// How many of a row's numbers are at least `least`.
  private static func count(_ row: UnsafePointer<Float>, _ columns: Int, from least: Float) -> Int {
    let threshold = all(least)
    var counts = Vector.zero
    for place in stride(from: 0, to: columns, by: 16) {
      counts += Vector.zero.replacing(with: 1, where: Numerics.load(row + place) .>= threshold)
    }
    return Int(counts.sum())
  }

  /// The logits of the pairs, from their posterior means: constant − (y − μ)·(y − E[z | y, m])/2v.
  private func rescore(_ mixture: NoisyMixture) {
    let size = prior.latent
    let factor = Float(-0.5 / mixture.variance)
    let (inputs, outputs, shares) = (gathered.pointer, filtered.pointer, pairs.shares)
    for component in 0..<prior.density.componentCount {
      let constant = mixture.constants.pointer[component]
      for pair in pairs.starts[component]..<pairs.starts[component + 1] {
        let input = inputs + pair * rowLength
        let output = outputs + pair * rowLength
        var products = Vector.zero
        for place in stride(from: 0, to: rowLength, by: 16) {
          let value = Numerics.load(input + place)
          products = multiplyAdd(value, value - Numerics.load(output + place), products)
        }
        var form = products.sum()
        if !mixture.isCentred {
          for code in 0..<size {
            form -= prior.density.means[component * size + code] * (input[code] - output[code])
          }
        }
        shares[pair] = constant + factor * form
      }
    }
  }

  /// Logits become e^(logit − the tile's largest), with their sums.
  private func takeExponentials() {
    let (largest, totals) = (tops.pointer, sums.pointer)
    let (number, owners, shares) = (pairs.count, pairs.tiles, pairs.shares)
    largest.update(repeating: -.infinity, count: count)
    totals.update(repeating: 0, count: count)
    for pair in 0..<number {
      largest[Int(owners[pair])] = max(largest[Int(owners[pair])], shares[pair])
    }
    for pair in 0..<number { shares[pair] -= largest[Int(owners[pair])] }
    forEachVector(number, shares, into: shares, exponential)
    for pair in 0..<number { totals[Int(owners[pair])] += shares[pair] }
    for tile in 0..<count { logEvidence[tile] = Double(largest[tile]) + log(Double(totals[tile])) }
  }

  /// Pairs with every component that has at least `leastShare` of a tile, shares summing to one.
  func takeShares() {
    let totals = sums.pointer
    let (owners, shares) = (pairs.tiles, pairs.shares)
    keep { shares[$0] >= Self.leastShare * totals[Int(owners[$0])] }
    totals.update(repeating: 0, count: count)
    for pair in 0..<pairs.count { totals[Int(owners[pair])] += shares[pair] }
    for pair in 0..<pairs.count { shares[pair] /= totals[Int(owners[pair])] }
  }

  /// One pair a tile: the component of the largest share.
  func takeMostProbable() {
    var best = [Int](repeating: -1, count: count)
    for pair in 0..<pairs.count {
      let tile = Int(pairs.tiles[pair])
      if best[tile] < 0 || pairs.shares[pair] > pairs.shares[best[tile]] { best[tile] = pair }
    }
    takeOne(best)
  }

  /// One pair a tile: a component drawn by its share.
  func takeDrawn(_ stream: inout RandomStream) {
    var left = (0..<count).map { Float(stream.uniform()) * sums.pointer[$0] }
    var drawn = [Int](repeating: -1, count: count)
    for pair in 0..<pairs.count {
      let tile = Int(pairs.tiles[pair])
      guard left[tile] >= 0, pairs.shares[pair] > 0 else { continue }
      drawn[tile] = pair
      left[tile] -= pairs.shares[pair]
    }
    takeOne(drawn)
  }

  private func takeOne(_ chosen: [Int]) {
    let owners = pairs.tiles
    keep { chosen[Int(owners[$0])] == $0 }
    pairs.shares.update(repeating: 1, count: pairs.count)
  }

  private func keep(_ isKept: (Int) -> Bool) {
    let (rows, isFiltered, rowLength, size) = (
      filtered.pointer, isFiltered, rowLength, prior.latent
    )
    pairs.keep(isKept) { pair, place in
      guard isFiltered else { return }
      (rows + place * rowLength).update(from: rows + pair * rowLength, count: size)
    }
  }

  /// The codes of the pairs, gathered by component: rows of `rowLength` numbers.
  func gather() -> UnsafeMutablePointer<Float> {
    let (size, length, rows, source) = (prior.latent, rowLength, gathered.pointer, codes.pointer)
    for pair in 0..<pairs.count {
      let row = rows + pair * length
      row.update(from: source + Int(pairs.tiles[pair]) * size, count: size)
      for index in size..<length { row[index] = 0 }
    }
    return rows
  }

  /// `filtered` becomes E[z | y, m] of each pair.
  private func filter(_ mixture: NoisyMixture) {
    let size = prior.latent
    let input = gather()
    for component in 0..<prior.density.componentCount {
      let (first, end) = (pairs.starts[component], pairs.starts[component + 1])
      guard first < end else { continue }
      let output = filtered.pointer + first * rowLength
      if !mixture.isCentred {
        let shift = mixture.shifts.pointer + component * size
        for row in 0..<end - first { (output + row * rowLength).update(from: shift, count: size) }
      }
      multiply(
        m: end - first, n: size, k: size, input + first * rowLength, lda: rowLength,
        mixture.gains.pointer + component * size * size, ldb: size,
        beta: mixture.isCentred ? 0 : 1, into: output, ldc: rowLength)
    }
    isFiltered = true
  }

  /// E[z | y, m] of each pair; with a stream, a draw of z | y, m instead. Then their pixels Bᵀz.
  /// Returns pairs × D, valid until the next call.
  private func paint(_ mixture: NoisyMixture, _ stream: inout RandomStream?)
    -> UnsafeMutablePointer<Float>
  {
    let size = prior.latent
    if !isFiltered { filter(mixture) }
    if stream != nil {
      let white = gathered.pointer
      stream!.fillNormals(white, count: pairs.count * rowLength)
      for component in 0..<prior.density.componentCount {
        let (first, end) = (pairs.starts[component], pairs.starts[component + 1])
        guard first < end else { continue }
        multiply(
          .plain, .transposed, m: end - first, n: size, k: size, white + first * rowLength,
          lda: rowLength, mixture.roots.pointer + component * size * size, ldb: size, beta: 1,
          into: filtered.pointer + first * rowLength, ldc: rowLength)
      }
      isFiltered = false
    }
    let pixels = prior.tileCount
    if painted.count < pairs.count * pixels {
      painted = FloatBuffer(pairs.count * pixels)
    }
    if pairs.count > 0 {
      multiply(
        m: pairs.count, n: pixels, k: size, filtered.pointer, lda: rowLength, prior.basis,
        ldb: pixels, into: painted.pointer, ldc: pixels)
    }
    return painted.pointer
  }

  /// `means` becomes the posterior mean of Bᵀz + e of each tile; `squares` its second moments when the
  /// mixture has pixel variances and they are wanted.
  func average(_ mixture: NoisyMixture, withSquares: Bool) {
    var none: RandomStream?
    accumulate(mixture, paint(mixture, &none), withSquares: withSquares)
    addResiduals(mixture, withSquares: withSquares)
  }

  /// `means` becomes one draw of Bᵀz + e of each tile.
  func draw(_ mixture: NoisyMixture, _ stream: inout RandomStream) {
    var source: RandomStream? = stream
    accumulate(mixture, paint(mixture, &source), withSquares: false)
    stream = source!
    addResiduals(mixture, withSquares: false)
    if !prior.isComplete { drawResiduals(mixture, &stream) }
  }

  private func accumulate(
    _ mixture: NoisyMixture, _ rows: UnsafePointer<Float>, withSquares: Bool
  ) {
    let pixels = prior.tileCount
    means.pointer.update(repeating: 0, count: count * pixels)
    if withSquares { squares.pointer.update(repeating: 0, count: count * pixels) }
    for component in 0..<prior.density.componentCount {
      let variances = mixture.pixelVariances.pointer + (withSquares ? component * pixels : 0)
      for pair in pairs.starts[component]..<pairs.starts[component + 1] {
        let share = pairs.shares[pair]
        let row = rows + pair * pixels
        let mean = means.pointer + Int(pairs.tiles[pair]) * pixels
        if withSquares {
          let square = squares.pointer + Int(pairs.tiles[pair]) * pixels
          for pixel in 0..<pixels {
            let value = row[pixel]
            mean[pixel] += share * value
            square[pixel] += share * (value * value + variances[pixel])
          }
        } else {
          for pixel in 0..<pixels { mean[pixel] += share * row[pixel] }
        }
      }
    }
  }

  /// The part of a tile without means and codes, r = (I − Bᵀ B − means) y, in `tiles` afterwards.
  private func takeResiduals() {
    let (pixels, size, area) = (prior.tileCount, prior.latent, prior.side * prior.side)
    multiply(
      m: count, n: pixels, k: size, alpha: -1, codes.pointer, lda: size, prior.basis, ldb: pixels,
      beta: 1, into: tiles.pointer, ldc: pixels)
    for group in 0..<count * prior.channels {
      let start = tiles.pointer + group * area
      var sum: Float = 0
      for pixel in 0..<area { sum += start[pixel] }
      let mean = sum / Float(area)
      for pixel in 0..<area { start[pixel] -= mean }
    }
  }

  /// Σ ‖r‖² over the tiles of the block, r what neither means nor codes span; `tiles` are lost.
  func residualSquare() -> Double {
    takeResiduals()
    var sum = 0.0
    for index in 0..<count * prior.tileCount {
      sum += Double(tiles.pointer[index]) * Double(tiles.pointer[index])
    }
    return sum
  }

  /// E[e | y] added to the means; its square to the squares, with the cross term.
  private func addResiduals(_ mixture: NoisyMixture, withSquares: Bool) {
    guard !prior.isComplete else { return }
    takeResiduals()
    let gain = mixture.residualGain
    for index in 0..<count * prior.tileCount {
      let value = gain * tiles.pointer[index]
      if withSquares { squares.pointer[index] += value * (value + 2 * means.pointer[index]) }
      means.pointer[index] += value
    }
  }

  /// Adds a draw of e less its mean: white noise of variance v ε²/(ε² + v), projected.
  private func drawResiduals(_ mixture: NoisyMixture, _ stream: inout RandomStream) {
    let (pixels, size) = (prior.tileCount, prior.latent)
    let deviation = (mixture.variance * Double(mixture.residualGain)).squareRoot()
    stream.fillNormals(tiles.pointer, count: count * pixels)
    for index in 0..<count * pixels { tiles.pointer[index] *= Float(deviation) }
    multiply(
      .plain, .transposed, m: count, n: size, k: pixels, tiles.pointer, lda: pixels, prior.basis,
      ldb: pixels, into: codes.pointer, ldc: size)
    takeResiduals()
    for index in 0..<count * pixels { means.pointer[index] += tiles.pointer[index] }
  }
}
