import Tensors

/// A masked layer of several networks in training. With dropout each item goes through one of them alone:
/// the items are cut into as many runs as there are networks, so that each network learns the density by
/// itself from its share of every batch; without, through all of them together, whose mean the layer is.
final class DividedLayer: NormalizingLayer {
  private let together: MaskedLayer
  private let alone: [Run]
  private let dimension: Int
  private let columns: Int
  private let lanes: Int
  private var isDivided = false

  /// One network's items: x, then y; the cotangent; ℓ and its cotangent. [K, columns], with padding.
  private final class Run {
    let layer: MaskedLayer
    let lanes: Range<Int>
    let columns: Int
    let x: FloatBuffer
    let y: FloatBuffer
    let logDeterminants: FloatBuffer

    init(_ layer: MaskedLayer, lanes: Range<Int>, columns: Int, dimension: Int) {
      self.layer = layer
      self.lanes = lanes
      self.columns = columns
      x = FloatBuffer(dimension * columns)
      y = FloatBuffer(dimension * columns)
      logDeterminants = FloatBuffer(columns)
    }
  }

  /// - Parameter alone: of each network a layer of its own, for ⌈lanes/count⌉ items.
  init(together: MaskedLayer, alone: [MaskedLayer], dimension: Int, columns: Int, lanes: Int) {
    self.together = together
    self.dimension = dimension
    self.columns = columns
    self.lanes = lanes
    let share = (lanes + alone.count - 1) / alone.count
    self.alone = alone.enumerated().map { number, layer in
      let first = min(number * share, lanes)
      return Run(
        layer, lanes: first..<min(first + share, lanes), columns: paddedColumns(share),
        dimension: dimension)
    }
  }

  func normalize(
    _ x: UnsafePointer<Float>, into y: UnsafeMutablePointer<Float>,
    logDeterminants: UnsafeMutablePointer<Float>, parameters: UnsafePointer<Float>,
    masks: DropoutMasks?
  ) {
    isDivided = masks != nil
    guard isDivided else {
      return together.normalize(
        x, into: y, logDeterminants: logDeterminants, parameters: parameters, masks: nil)
    }
    for row in 0..<dimension {
      (y + row * columns + lanes).update(repeating: 0, count: columns - lanes)
    }
    for run in alone {
      take(x, rows: dimension, into: run.x, of: run)
      run.logDeterminants.pointer.update(repeating: 0, count: run.columns)
      run.layer.normalize(
        run.x.pointer, into: run.y.pointer, logDeterminants: run.logDeterminants.pointer,
        parameters: parameters, masks: masks)
      put(run.y, rows: dimension, into: y, of: run)
      for (index, lane) in run.lanes.enumerated() {
        logDeterminants[lane] += run.logDeterminants.pointer[index]
      }
    }
  }

  func normalizeVJP(
    _ cotangent: UnsafeMutablePointer<Float>, _ dLogDeterminants: UnsafePointer<Float>,
    at x: UnsafePointer<Float>, parameters: UnsafePointer<Float>,
    gradient: UnsafeMutablePointer<Float>?
  ) {
    guard isDivided else {
      return together.normalizeVJP(
        cotangent, dLogDeterminants, at: x, parameters: parameters, gradient: gradient)
    }
    for run in alone {
      take(cotangent, rows: dimension, into: run.y, of: run)
      take(dLogDeterminants, rows: 1, into: run.logDeterminants, of: run)
      run.layer.normalizeVJP(
        run.y.pointer, run.logDeterminants.pointer, at: run.x.pointer, parameters: parameters,
        gradient: gradient)
      put(run.y, rows: dimension, into: cotangent, of: run)
    }
  }

  /// The lanes of a run out of rows of all lanes; padding becomes zero.
  private func take(_ all: UnsafePointer<Float>, rows: Int, into own: FloatBuffer, of run: Run) {
    for row in 0..<rows {
      let target = own.pointer + row * run.columns
      target.update(from: all + row * columns + run.lanes.lowerBound, count: run.lanes.count)
      (target + run.lanes.count).update(repeating: 0, count: run.columns - run.lanes.count)
    }
  }

  private func put(
    _ own: FloatBuffer, rows: Int, into all: UnsafeMutablePointer<Float>, of run: Run
  ) {
    for row in 0..<rows {
      (all + row * columns + run.lanes.lowerBound)
        .update(from: own.pointer + row * run.columns, count: run.lanes.count)
    }
  }
}
