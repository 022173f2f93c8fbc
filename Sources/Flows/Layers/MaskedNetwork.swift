import Numerics
import Tensors

/// θ(x) of a masked layer, feature by feature; formula at `MaskedKind`. With fixed numbers it also goes
/// degree by degree in either direction, and reads each weight once all the same.
final class MaskedNetwork {
  private let slots: MaskedSlots
  private let packed: PackedMaskedNetwork?
  private let columns: Int
  private let lanes: Int
  private let index: Int
  private let firstStage: Int
  /// Of each block, and after the last: h, then its silu and the slope of that; [H, columns].
  private let stream: [FloatBuffer]
  private let active: [FloatBuffer]
  private let slope: [FloatBuffer]
  /// Inside each block: the inner silu and its slope, both times the dropout mask.
  private let inner: [FloatBuffer]
  private let innerSlope: [FloatBuffer]
  private let mask: FloatBuffer
  /// Cotangents of `stream`, and of the inner pre-activations.
  private let dStream: [FloatBuffer]
  private let dInner: [FloatBuffer]
  private let scratch: FloatBuffer
  /// In training: every layer's whole matrix, input first, and scratch for its gradient.
  private let matrices: [FloatBuffer]
  private let gradientScratch: FloatBuffer
  /// θ and its cotangent, [K·P, columns], in buffers of the layer, which outlive the network.
  private let output: UnsafeMutablePointer<Float>
  private let dOutput: UnsafeMutablePointer<Float>

  var dimension: Int { slots.degrees.dimension }

  /// - Parameters:
  ///   - index, firstStage: the layer's index in the flow and the network's first block in the layer, which
  ///     separate its dropout masks from the others'.
  ///   - packed: the numbers, when they are fixed.
  init(
    _ slots: MaskedSlots, columns: Int, lanes: Int, index: Int, firstStage: Int,
    packed: PackedMaskedNetwork?, output: UnsafeMutablePointer<Float>,
    dOutput: UnsafeMutablePointer<Float>
  ) {
    self.output = output
    self.dOutput = dOutput
    self.slots = slots
    self.packed = packed
    self.columns = columns
    self.lanes = lanes
    self.index = index
    self.firstStage = firstStage
    let size = slots.degrees.width * columns
    func buffers(_ count: Int) -> [FloatBuffer] { (0..<count).map { _ in FloatBuffer(size) } }
    let blocks = slots.blocks.count
    stream = buffers(blocks + 1)
    active = buffers(blocks + 1)
    slope = buffers(blocks + 1)
    inner = buffers(blocks)
    innerSlope = buffers(blocks)
    mask = FloatBuffer(size)
    dStream = buffers(blocks + 1)
    dInner = buffers(blocks)
    scratch = FloatBuffer(size)
    let sizes = packed == nil ? slots.dense.map { $0.stairs.rows * $0.stairs.inner } : []
    matrices = sizes.map { FloatBuffer($0) }
    gradientScratch = FloatBuffer(sizes.max() ?? 0)
  }

  /// output = θ(x). `x`: [K, columns].
  func apply(
    _ x: UnsafePointer<Float>, parameters: UnsafePointer<Float>, masks: DropoutMasks?
  ) {
    let units = 0..<slots.degrees.width
    if packed != nil {
      advance(x, units)
      outputs(0..<slots.output.stairs.rows)
      return
    }
    for (dense, matrix) in zip(slots.dense, matrices) {
      dense.stairs.unpack(parameters + dense.weight, into: matrix.pointer)
    }
    /// Layers in the order of `slots.dense`.
    func product(
      _ layer: Int, _ dense: MaskedDense, _ x: UnsafePointer<Float>,
      into y: UnsafeMutablePointer<Float>
    ) {
      dense.stairs.product(
        matrices[layer].pointer, x, columns: columns, bias: parameters + dense.bias, into: y)
    }
    product(0, slots.input, x, into: stream[0].pointer)
    for (block, pair) in slots.blocks.enumerated() {
      activate(units, stream[block], into: active[block], slope: slope[block])
      product(2 * block + 1, pair.inner, active[block].pointer, into: scratch.pointer)
      activate(units, scratch, into: inner[block], slope: innerSlope[block])
      if let masks {
        masks.fill(mask.pointer, count: mask.count, layer: index, stage: firstStage + block)
        for buffer in [inner[block], innerSlope[block]] {
          forEachVector(mask.count, buffer.pointer, mask.pointer, into: buffer.pointer) { $0 * $1 }
        }
      }
      product(2 * block + 2, pair.outer, inner[block].pointer, into: stream[block + 1].pointer)
      add(units, stream[block], to: stream[block + 1])
    }
    let last = slots.blocks.count
    activate(units, stream[last], into: active[last], slope: slope[last])
    product(2 * last + 1, slots.output, active[last].pointer, into: output)
  }

  /// Adds (∂θ/∂x)ᵀ dθ to `dx`, where `dOutput` holds dθ, at the latest `apply`. `training`: the x of
  /// that `apply`, and the flat vector that the weights' cotangents are added to.
  func vjp(
    addingTo dx: UnsafeMutablePointer<Float>, parameters: UnsafePointer<Float>,
    training: (input: UnsafePointer<Float>, gradient: UnsafeMutablePointer<Float>)?
  ) {
    if packed != nil {
      retreat(0..<slots.degrees.width)
      inputs(0..<dimension, addingTo: dx)
      return
    }
    let size = slots.degrees.width * columns
    func transposed(
      _ layer: Int, _ dense: MaskedDense, _ dy: UnsafePointer<Float>,
      into dx: UnsafeMutablePointer<Float>
    ) {
      dx.update(repeating: 0, count: size)
      dense.stairs.addTransposedProduct(matrices[layer].pointer, dy, columns: columns, to: dx)
    }
    func addGradient(
      _ dense: MaskedDense, _ dy: UnsafePointer<Float>, _ x: UnsafePointer<Float>
    ) {
      guard let gradient = training?.gradient else { return }
      dense.stairs.addOuterProduct(
        dy, x, columns: columns, scratch: gradientScratch.pointer, to: gradient + dense.weight)
      for row in 0..<dense.stairs.rows {
        gradient[dense.bias + row] += sum(dy + row * columns, columns)
      }
    }
    let last = slots.blocks.count
    addGradient(slots.output, dOutput, active[last].pointer)
    let dLast = dStream[last].pointer
    transposed(2 * last + 1, slots.output, dOutput, into: dLast)
    forEachVector(size, dLast, slope[last].pointer, into: dLast) { $0 * $1 }
    for (block, pair) in slots.blocks.enumerated().reversed() {
      let (above, below) = (dStream[block + 1].pointer, dStream[block].pointer)
      let dPre = dInner[block].pointer
      addGradient(pair.outer, above, inner[block].pointer)
      transposed(2 * block + 2, pair.outer, above, into: dPre)
      forEachVector(size, dPre, innerSlope[block].pointer, into: dPre) { $0 * $1 }
      addGradient(pair.inner, dPre, active[block].pointer)
      transposed(2 * block + 1, pair.inner, dPre, into: below)
      forEachVector(size, below, slope[block].pointer, into: below) { $0 * $1 }
      forEachVector(size, below, above, into: below) { $0 + $1 }
    }
    if let training { addGradient(slots.input, dStream[0].pointer, training.input) }
    slots.input.stairs.addTransposedProduct(
      matrices[0].pointer, dStream[0].pointer, columns: columns, to: dx)
  }
}

// Degree by degree, with fixed numbers.
extension MaskedNetwork {
  /// θ of coordinate i, whose units of lower degrees are there.
  func outputs(ofCoordinate i: Int) {
    let count = slots.parametersPerElement
    outputs(i * count..<(i + 1) * count)
  }

  /// The units that see coordinates up to i (0 ..< K) and no further.
  func advance(_ x: UnsafePointer<Float>, past i: Int) {
    advance(x, slots.degrees.units(ofDegree: i + 1))
  }

  /// Adds what the coordinates above i say of x_i to its cotangent: `dOutput` of those is there.
  func retreat(to i: Int, addingTo dx: UnsafeMutablePointer<Float>) {
    retreat(slots.degrees.units(ofDegree: i + 1))
    inputs(i..<i + 1, addingTo: dx)
  }

  /// Everything of some hidden units, once the units of lower degrees are there.
  private func advance(_ x: UnsafePointer<Float>, _ units: Range<Int>) {
    let packed = fixed
    packed.input.apply(x, self, units, into: stream[0].pointer)
    for (block, pair) in packed.blocks.enumerated() {
      activate(units, stream[block], into: active[block], slope: slope[block])
      pair.inner.apply(active[block].pointer, self, units, into: scratch.pointer)
      activate(units, scratch, into: inner[block], slope: innerSlope[block])
      pair.outer.apply(inner[block].pointer, self, units, into: stream[block + 1].pointer)
      add(units, stream[block], to: stream[block + 1])
    }
    let last = packed.blocks.count
    activate(units, stream[last], into: active[last], slope: slope[last])
  }

  private func outputs(_ rows: Range<Int>) {
    fixed.output.apply(active[slots.blocks.count].pointer, self, rows, into: output)
  }

  /// The cotangents of some hidden units, once those of higher degrees are there.
  private func retreat(_ units: Range<Int>) {
    let packed = fixed
    let last = packed.blocks.count
    packed.output.pullBack(dOutput, self, units, into: dStream[last].pointer)
    scale(units, dStream[last], by: slope[last])
    for (block, pair) in packed.blocks.enumerated().reversed() {
      let (above, below) = (dStream[block + 1], dStream[block])
      pair.outer.pullBack(above.pointer, self, units, into: dInner[block].pointer)
      scale(units, dInner[block], by: innerSlope[block])
      pair.inner.pullBack(dInner[block].pointer, self, units, into: below.pointer)
      scale(units, below, by: slope[block])
      add(units, above, to: below)
    }
  }

  private func inputs(_ coordinates: Range<Int>, addingTo dx: UnsafeMutablePointer<Float>) {
    fixed.input.matrix.addTransposed(
      dStream[0].pointer, columns: columns, lanes: lanes, only: coordinates, to: dx)
  }

  private var fixed: PackedMaskedNetwork {
    guard let packed else {
      preconditionFailure("degree by degree goes a network of fixed numbers")
    }
    return packed
  }

  /// value = a·σ(a), slope = σ(a)·(1 + a·(1 − σ(a))) over some units' a.
  private func activate(
    _ units: Range<Int>, _ a: FloatBuffer, into value: FloatBuffer, slope: FloatBuffer
  ) {
    let start = units.lowerBound * columns
    for index in stride(from: start, to: units.upperBound * columns, by: 16) {
      let x = load(a.pointer + index)
      let sigma = logistic(x)
      let y = x * sigma
      store(y, value.pointer + index)
      store(multiplyAdd(y, all(1) - sigma, sigma), slope.pointer + index)
    }
  }

  private func add(_ units: Range<Int>, _ a: FloatBuffer, to b: FloatBuffer) {
    let start = units.lowerBound * columns
    forEachVector(
      units.count * columns, b.pointer + start, a.pointer + start, into: b.pointer + start
    ) {
      $0 + $1
    }
  }

  private func scale(_ units: Range<Int>, _ a: FloatBuffer, by b: FloatBuffer) {
    let start = units.lowerBound * columns
    forEachVector(
      units.count * columns, a.pointer + start, b.pointer + start, into: a.pointer + start
    ) {
      $0 * $1
    }
  }

  fileprivate var extent: (columns: Int, lanes: Int) { (columns, lanes) }
}

/// A masked network whose numbers are fixed, laid out for the kernels; immutable.
struct PackedMaskedNetwork: Sendable {
  let input: PackedStairs
  let blocks: [(inner: PackedStairs, outer: PackedStairs)]
  let output: PackedStairs

  init(_ slots: MaskedSlots, _ parameters: [Float]) {
    func pack(_ dense: MaskedDense) -> PackedStairs { PackedStairs(dense, parameters) }
    input = pack(slots.input)
    blocks = slots.blocks.map { (pack($0.inner), pack($0.outer)) }
    output = pack(slots.output)
  }
}

/// W and b of one dense layer of a masked network.
struct PackedStairs: @unchecked Sendable {
  let matrix: PackedMatrix
  /// Owned here, never written again.
  let bias: FloatBuffer

  init(_ dense: MaskedDense, _ parameters: [Float]) {
    let stairs = dense.stairs
    bias = FloatBuffer(Array(parameters[dense.bias..<dense.bias + stairs.rows]))
    let matrix = FloatBuffer(stairs.rows * stairs.inner)
    parameters.withUnsafeBufferPointer {
      stairs.unpack($0.baseAddress! + dense.weight, into: matrix.pointer)
    }
    self.matrix = PackedMatrix(matrix.pointer, rows: stairs.rows, inner: stairs.inner) {
      0..<stairs.limits[$0]
    }
  }

  /// Some rows of y = W x + b.
  fileprivate func apply(
    _ x: UnsafePointer<Float>, _ network: MaskedNetwork, _ rows: Range<Int>,
    into y: UnsafeMutablePointer<Float>
  ) {
    let (columns, lanes) = network.extent
    matrix.multiply(
      x, columns: columns, lanes: lanes, from: .bias(bias.pointer), only: rows, into: y)
  }

  /// Some rows of dx = Wᵀ dy.
  fileprivate func pullBack(
    _ dy: UnsafePointer<Float>, _ network: MaskedNetwork, _ rows: Range<Int>,
    into dx: UnsafeMutablePointer<Float>
  ) {
    let (columns, lanes) = network.extent
    (dx + rows.lowerBound * columns).update(repeating: 0, count: rows.count * columns)
    matrix.addTransposed(dy, columns: columns, lanes: lanes, only: rows, to: dx)
  }
}
