import Foundation
import Randomness
import Tensors

/// The state of one chain of the split Gibbs sampler (Vono, Dobigeon and Chainais, IEEE TSP 2019): the picture
/// x on a canvas t − 1 pixels wider on each side, so that every mosaic of tiles covers it. A sweep:
///
///     1. a mosaic (offsets of 0 to t − 1 along rows and columns) by chance;
///     2. its tiles given x: z_i ~ p(z) N(x_i; z, ρ² I), a component, then a Gaussian, exact; their means as
///        the tiles of a smaller picture in noise of ρ/t;
///     3. x given data and tiles: ∝ p(y | x) N(x; z, ρ² I), exact.
///
/// With one mosaic only this samples the posterior whose prior is that mosaic's law convolved with N(0, ρ² I).
/// With all, as ρ → 0, each sweep is a step along the gradient of ln p(y | x) plus that of the mosaic's log
/// prior, with the noise that belongs to it: the law is ∝ p(y | x) Π_o p_o(x)^(1/t²), the geometric mean over
/// mosaics, which is what EPLL maximizes; no border of a tile has a place in it.
final class TileChain {
  /// Components of a tile that pass the screen.
  private static let mostDrawn = 16

  let channels: Int
  let height: Int
  let width: Int
  private let margin: Int
  private let canvasHeight: Int
  private let canvasWidth: Int
  /// The picture with its margin.
  private let canvas: FloatBuffer
  /// What the tiles of the latest sweep say.
  private let tiled: FloatBuffer
  /// What those of one mosaic say.
  private let one: FloatBuffer
  /// The picture's part of each, C×H×W.
  let picture: FloatBuffer
  private let target: FloatBuffer
  private let key: RandomKey
  private var sweeps = 0

  /// - Parameter start: C×H×W; beyond its borders the canvas holds the nearest pixel.
  init(start: Tensor, side: Int, key: RandomKey) {
    channels = start.shape[0]
    height = start.shape[1]
    width = start.shape[2]
    margin = side - 1
    canvasHeight = height + 2 * margin
    canvasWidth = width + 2 * margin
    canvas = FloatBuffer(channels * canvasHeight * canvasWidth)
    tiled = FloatBuffer(channels * canvasHeight * canvasWidth)
    one = FloatBuffer(channels * canvasHeight * canvasWidth)
    picture = FloatBuffer(start.values)
    target = FloatBuffer(start.count)
    self.key = key
    var place = 0
    for channel in 0..<channels {
      for row in -margin..<height + margin {
        let line = (channel * height + min(max(row, 0), height - 1)) * width
        for column in -margin..<width + margin {
          canvas.pointer[place] = start.values[line + min(max(column, 0), width - 1)]
          place += 1
        }
      }
    }
  }

  /// One sweep at ρ² = `mixtures[0].variance`; `mixtures[l]` is for pictures of means of the l-th order.
  /// - Parameters:
  ///   - mosaics: how many are drawn, each given x, before x is drawn given all: their laws multiply.
  ///   - offsets: the mosaic; by chance where it is not given.
  func sweep(
    _ mixtures: [NoisyMixture], _ worker: TileWorker, _ step: any PictureStep,
    mosaics expected: Double = 1,
    offsets: (row: Int, column: Int)? = nil
  ) {
    var stream = key.child(sweeps).stream()
    sweeps += 1
    let side = worker.prior.side
    let whole = Planes(
      canvas, channels: channels, height: canvasHeight, width: canvasWidth)
    tiled.pointer.update(repeating: 0, count: canvas.count)
    let mosaics = Int(expected) + (stream.uniform() < expected - expected.rounded(.down) ? 1 : 0)
    for _ in 0..<mosaics {
      let offset = offsets ?? (stream.index(below: side), stream.index(below: side))
      one.pointer.update(from: canvas.pointer, count: canvas.count)
      Self.drawMosaic(whole, offset, mixtures[...], worker, &stream, into: one.pointer)
      let share = 1 / Float(mosaics)
      for index in 0..<canvas.count { tiled.pointer[index] += share * one.pointer[index] }
    }
    let precision = Double(mosaics) / mixtures[0].variance
    copyInterior(of: tiled, to: target)
    step.draw(around: target.pointer, precision: precision, &stream, into: picture.pointer)
    moveMargin(1 / precision.squareRoot(), &stream)
    copyToInterior(picture)
  }

  /// The tiles of a mosaic that lie inside the picture, drawn given it in white noise of the first mixture's
  /// variance; pixels that none covers are left as they are in `output`.
  private static func drawMosaic(
    _ picture: Planes, _ offset: (row: Int, column: Int), _ mixtures: ArraySlice<NoisyMixture>,
    _ worker: TileWorker, _ stream: inout RandomStream, into output: UnsafeMutablePointer<Float>
  ) {
    let side = worker.prior.side
    let rows = (picture.height - offset.row) / side
    let columns = (picture.width - offset.column) / side
    let places = (0..<rows).flatMap { row in
      (0..<columns).map {
        TilePlace(
          row: Int32(offset.row + row * side), column: Int32(offset.column + $0 * side))
      }
    }
    let mixture = mixtures.first!
    let means = FloatBuffer(picture.channels * places.count)
    defer { withExtendedLifetime(means) {} }
    takeMeans(picture, places, side, into: means)
    drawMeans(
      Planes(means, channels: picture.channels, height: rows, width: columns),
      mixture.variance / Double(side * side), mixtures.dropFirst(), worker, &stream)
    for start in stride(from: 0, to: places.count, by: TileWorker.capacity) {
      let block = places[start..<min(start + TileWorker.capacity, places.count)]
      worker.load(picture, at: block)
      worker.score(mixture, atMost: Self.mostDrawn)
      worker.takeDrawn(&stream)
      worker.draw(mixture, &stream)
      var input = worker.means.pointer
      for (tile, place) in block.enumerated() {
        for channel in 0..<picture.channels {
          let mean = means.pointer[channel * places.count + start + tile]
          let first =
            channel * picture.area + Int(place.row) * picture.width + Int(place.column)
          for row in 0..<side {
            let line = output + first + row * picture.width
            for column in 0..<side { line[column] = input[column] + mean }
            input += side
          }
        }
      }
    }
  }

  /// The channel means of tiles: C × count.
  private static func takeMeans(
    _ picture: Planes, _ places: [TilePlace], _ side: Int, into means: FloatBuffer
  ) {
    let scale = 1 / Float(side * side)
    for channel in 0..<picture.channels {
      for (index, place) in places.enumerated() {
        var sum: Float = 0
        for row in 0..<side {
          let line =
            picture.values + channel * picture.area + (Int(place.row) + row) * picture.width
            + Int(place.column)
          for column in 0..<side { sum += line[column] }
        }
        means.pointer[channel * places.count + index] = sum * scale
      }
    }
  }

  /// Draws a picture of means given itself in white noise of `variance`: tiles of a mosaic by chance where
  /// whole ones fit and there is a mixture for them, else and around them under a flat prior.
  private static func drawMeans(
    _ means: Planes, _ variance: Double, _ mixtures: ArraySlice<NoisyMixture>, _ worker: TileWorker,
    _ stream: inout RandomStream
  ) {
    let side = worker.prior.side
    let count = means.channels * means.area
    let deviation = variance.squareRoot()
    let drawn = FloatBuffer(count)
    defer { withExtendedLifetime(drawn) {} }
    for index in 0..<count {
      drawn.pointer[index] = means.values[index] + Float(deviation * stream.normal())
    }
    if !mixtures.isEmpty, min(means.height, means.width) >= side {
      let offset = (
        row: stream.index(below: min(side, means.height - side + 1)),
        column: stream.index(below: min(side, means.width - side + 1))
      )
      drawMosaic(means, offset, mixtures, worker, &stream, into: drawn.pointer)
    }
    means.values.update(from: drawn.pointer, count: count)
  }

  /// Beyond the picture there are no data: there x is what the tiles say, or was, and noise.
  private func moveMargin(_ deviation: Double, _ stream: inout RandomStream) {
    for channel in 0..<channels {
      for row in 0..<canvasHeight {
        let inside = row >= margin && row < margin + height
        for column in 0..<canvasWidth {
          if inside && column >= margin && column < margin + width { continue }
          let place = (channel * canvasHeight + row) * canvasWidth + column
          canvas.pointer[place] = tiled.pointer[place] + Float(deviation * stream.normal())
        }
      }
    }
  }

  private func copyInterior(of source: FloatBuffer, to output: FloatBuffer) {
    for line in 0..<channels * height {
      let start = (line / height * canvasHeight + margin + line % height) * canvasWidth + margin
      (output.pointer + line * width).update(from: source.pointer + start, count: width)
    }
  }

  private func copyToInterior(_ source: FloatBuffer) {
    for line in 0..<channels * height {
      let start = (line / height * canvasHeight + margin + line % height) * canvasWidth + margin
      (canvas.pointer + start).update(from: source.pointer + line * width, count: width)
    }
  }
}
