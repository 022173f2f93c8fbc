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
  /// Tiles of a block: their features (4 MB for 63 codes) stay in the second-level cache.
  static let capacity = 512
  /// Components with less of a tile's probability are left out of sums over them; what is left out is
  /// divided out.
  static let leastShare: Float = 1e-3

  let prior: TilePrior
  /// Tiles of the block.
  private(set) var count = 0
  /// ln p(y) of each tile's codes.
  private(set) var logEvidence: [Double]
  /// Pairs of a tile and a component that has a share in it, ordered by component and then tile.
  private(set) var pairTiles: [Int32] = []
  private(set) var pairShares: [Float] = []
  /// Where the pairs of a component begin; M + 1 numbers.
  private(set) var pairStarts: [Int]

  /// Pixels of the tiles, capacity × D.
  let tiles: FloatBuffer
  /// B times them, capacity × K.
  let codes: FloatBuffer
  private let features: FloatBuffer
  private let logits: FloatBuffer
  /// Codes of pairs as they came and as they leave, and their pixels: grown as pairs need.
  private var gathered = FloatBuffer(0)
  private var filtered = FloatBuffer(0)
  private var painted = FloatBuffer(0)
  /// Σ shares · pixels, and Σ shares · (pixels² + variances): capacity × D.
  let means: FloatBuffer
  let squares: FloatBuffer

  init(_ prior: TilePrior) {
    self.prior = prior
    let (capacity, size) = (Self.capacity, prior.latent)
    logEvidence = [Double](repeating: 0, count: capacity)
    pairStarts = [Int](repeating: 0, count: prior.density.componentCount + 1)
    tiles = FloatBuffer(capacity * prior.tileCount)
    codes = FloatBuffer(capacity * size)
    features = FloatBuffer(capacity * (prior.density.triangle + size))
    logits = FloatBuffer(capacity * ((prior.density.componentCount + 15) / 16 * 16))
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

  /// The components' shares in each tile as numbers up to a factor, and `logEvidence`.
  func score(_ mixture: NoisyMixture) {
    let (size, columns) = (prior.latent, mixture.paddedComponents)
    for tile in 0..<count {
      let code = codes.pointer + tile * size
      var output = features.pointer + tile * mixture.featureCount
      for row in 0..<size {
        let factor = code[row]
        let rest = size - row
        for column in 0..<rest { output[column] = factor * code[row + column] }
        output += rest
      }
      output.update(from: code, count: size)
    }
    multiply(
      m: count, n: columns, k: mixture.featureCount, features.pointer, lda: mixture.featureCount,
      mixture.scores.pointer, ldb: columns, into: logits.pointer, ldc: columns)
    for tile in 0..<count { logEvidence[tile] = exponentiate(tile, mixture) }
  }

  /// Row `tile` of `logits` becomes e^(logit − largest); returns ln Σ e^logit.
  private func exponentiate(_ tile: Int, _ mixture: NoisyMixture) -> Double {
    let columns = mixture.paddedComponents
    let row = UnsafeMutableRawPointer(logits.pointer + tile * columns)
    let offsets = UnsafeRawPointer(mixture.offsets.pointer)
    let step = MemoryLayout<Vector>.stride
    var largest = Vector(repeating: -.infinity)
    for place in stride(from: 0, to: columns * 4, by: step) {
      let value =
        row.loadUnaligned(fromByteOffset: place, as: Vector.self)
        + offsets.loadUnaligned(fromByteOffset: place, as: Vector.self)
      row.storeBytes(of: value, toByteOffset: place, as: Vector.self)
      largest = pointwiseMax(largest, value)
    }
    let top = largest.max()
    var sums = Vector.zero
    for place in stride(from: 0, to: columns * 4, by: step) {
      let value = exponential(
        row.loadUnaligned(fromByteOffset: place, as: Vector.self) - all(top))
      row.storeBytes(of: value, toByteOffset: place, as: Vector.self)
      sums += value
    }
    return Double(top) + log(Double(sums.sum()))
  }

  /// Pairs with every component that has at least `leastShare` of a tile, shares summing to one.
  func takeShares(_ mixture: NoisyMixture) {
    pairTiles.removeAll(keepingCapacity: true)
    pairShares.removeAll(keepingCapacity: true)
    let columns = mixture.paddedComponents
    var found: [(tile: Int32, component: Int32, share: Float)] = []
    found.reserveCapacity(count * 4)
    for tile in 0..<count {
      let row = logits.pointer + tile * columns
      var total: Float = 0
      for component in 0..<columns { total += row[component] }
      let least = Self.leastShare * total
      let first = found.count
      var kept: Float = 0
      for component in 0..<prior.density.componentCount where row[component] >= least {
        found.append((Int32(tile), Int32(component), row[component]))
        kept += row[component]
      }
      for index in first..<found.count { found[index].share /= kept }
    }
    order(found)
  }

  /// One pair a tile: the component of the largest share.
  func takeMostProbable(_ mixture: NoisyMixture) {
    let columns = mixture.paddedComponents
    order(
      (0..<count).map { tile in
        let row = logits.pointer + tile * columns
        var best = 0
        for component in 0..<prior.density.componentCount where row[component] > row[best] {
          best = component
        }
        return (Int32(tile), Int32(best), 1)
      })
  }

  /// One pair a tile: a component drawn by its share.
  func takeDrawn(_ mixture: NoisyMixture, _ stream: inout RandomStream) {
    let columns = mixture.paddedComponents
    var found: [(tile: Int32, component: Int32, share: Float)] = []
    for tile in 0..<count {
      let row = logits.pointer + tile * columns
      var total: Float = 0
      for component in 0..<columns { total += row[component] }
      var left = Float(stream.uniform()) * total
      var drawn = 0
      for component in 0..<prior.density.componentCount where row[component] > 0 {
        drawn = component
        left -= row[component]
        if left < 0 { break }
      }
      found.append((Int32(tile), Int32(drawn), 1))
    }
    order(found)
  }

  /// Counting sort by component.
  private func order(_ found: [(tile: Int32, component: Int32, share: Float)]) {
    for index in pairStarts.indices { pairStarts[index] = 0 }
    for pair in found { pairStarts[Int(pair.component) + 1] += 1 }
    for index in 1..<pairStarts.count { pairStarts[index] += pairStarts[index - 1] }
    var next = pairStarts
    pairTiles = [Int32](repeating: 0, count: found.count)
    pairShares = [Float](repeating: 0, count: found.count)
    for pair in found {
      let place = next[Int(pair.component)]
      next[Int(pair.component)] += 1
      pairTiles[place] = pair.tile
      pairShares[place] = pair.share
    }
    if gathered.count < found.count * prior.latent {
      gathered = FloatBuffer(found.count * prior.latent)
      filtered = FloatBuffer(found.count * prior.latent)
      painted = FloatBuffer(found.count * prior.tileCount)
    }
  }

  /// The codes of the pairs, gathered by component: rows of K numbers.
  func gather() -> UnsafeMutablePointer<Float> {
    let size = prior.latent
    for (place, tile) in pairTiles.enumerated() {
      (gathered.pointer + place * size).update(
        from: codes.pointer + Int(tile) * size, count: size)
    }
    return gathered.pointer
  }

  /// E[z | y, m] of each pair; with a stream, a draw of z | y, m instead. Then their pixels Bᵀz.
  /// Returns pairs × D, valid until the next call.
  private func paint(_ mixture: NoisyMixture, _ stream: inout RandomStream?)
    -> UnsafeMutablePointer<Float>
  {
    let size = prior.latent
    let input = gather()
    for component in 0..<prior.density.componentCount {
      let (first, end) = (pairStarts[component], pairStarts[component + 1])
      guard first < end else { continue }
      let output = filtered.pointer + first * size
      let shift = mixture.shifts.pointer + component * size
      for row in 0..<end - first { (output + row * size).update(from: shift, count: size) }
      multiply(
        m: end - first, n: size, k: size, input + first * size, lda: size,
        mixture.gains.pointer + component * size * size, ldb: size, beta: 1, into: output,
        ldc: size)
      guard stream != nil else { continue }
      let white = input + first * size
      for index in 0..<(end - first) * size { white[index] = Float(stream!.normal()) }
      multiply(
        .plain, .transposed, m: end - first, n: size, k: size, white, lda: size,
        mixture.roots.pointer + component * size * size, ldb: size, beta: 1, into: output,
        ldc: size)
    }
    let pixels = prior.tileCount
    if !pairTiles.isEmpty {
      multiply(
        m: pairTiles.count, n: pixels, k: size, filtered.pointer, lda: size, prior.basis,
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
      for pair in pairStarts[component]..<pairStarts[component + 1] {
        let share = pairShares[pair]
        let row = rows + pair * pixels
        let mean = means.pointer + Int(pairTiles[pair]) * pixels
        if withSquares {
          let square = squares.pointer + Int(pairTiles[pair]) * pixels
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
    for index in 0..<count * pixels { tiles.pointer[index] = Float(deviation * stream.normal()) }
    multiply(
      .plain, .transposed, m: count, n: size, k: pixels, tiles.pointer, lda: pixels, prior.basis,
      ldb: pixels, into: codes.pointer, ldc: size)
    takeResiduals()
    for index in 0..<count * pixels { means.pointer[index] += tiles.pointer[index] }
  }
}
