import Networks
import Numerics
import Tensors

/// θ(c): the small network of a coupling layer, feature by feature. Formula at
/// `CouplingKind`; in training the silu of each hidden layer is multiplied by a dropout
/// mask before the residual is added.
final class Conditioner {
  private let dense: [DenseSlots]
  /// The weights laid out once, when they are fixed; products then take them from here.
  private let packed: [PackedDense]?
  private let columns: Int
  private let lanes: Int
  /// The layer's index in the flow, which separates its dropout masks from the others'.
  private let index: Int
  /// Per hidden layer: its value h, and ∂h/∂(pre-activation) without the residual; [width, columns].
  private let hidden: [FloatBuffer]
  private let slope: [FloatBuffer]
  private let mask: FloatBuffer
  /// Cotangents of a hidden layer, of the one below, and of a pre-activation.
  private let dUpper: FloatBuffer
  private let dLower: FloatBuffer
  private let dPre: FloatBuffer
  /// θ and its cotangent, [d·P, columns].
  let output: FloatBuffer
  let dOutput: FloatBuffer

  init(
    _ dense: [DenseSlots], columns: Int, lanes: Int, index: Int, packed: [PackedDense]?
  ) {
    self.lanes = lanes
    self.dense = dense
    self.packed = packed
    self.columns = columns
    self.index = index
    let widths = dense.dropLast().map(\.outputs)
    hidden = widths.map { FloatBuffer($0 * columns) }
    slope = widths.map { FloatBuffer($0 * columns) }
    let widest = (widths.max() ?? 0) * columns
    mask = FloatBuffer(widest)
    dUpper = FloatBuffer(widest)
    dLower = FloatBuffer(widest)
    dPre = FloatBuffer(widest)
    output = FloatBuffer((dense.last?.outputs ?? 0) * columns)
    dOutput = FloatBuffer(output.count)
  }

  /// output = θ(c). `input`: c, [inputs, columns].
  func apply(
    _ input: UnsafePointer<Float>, parameters: UnsafePointer<Float>, masks: DropoutMasks?
  ) {
    let last = dense.count - 1
    for stage in 0..<last {
      let layer = dense[stage]
      let below = stage == 0 ? input : UnsafePointer(hidden[stage - 1].pointer)
      product(stage, below, parameters, into: hidden[stage].pointer)
      activate(stage, parameters + layer.bias)
      let count = layer.outputs * columns
      let h = hidden[stage].pointer
      if let masks {
        masks.fill(mask.pointer, count: count, layer: index, stage: stage)
        forEachVector(count, h, mask.pointer, into: h) { $0 * $1 }
        forEachVector(count, slope[stage].pointer, mask.pointer, into: slope[stage].pointer) {
          $0 * $1
        }
      }
      if hasResidual(stage) { forEachVector(count, h, below, into: h) { $0 + $1 } }
    }
    let below = last == 0 ? input : UnsafePointer(hidden[last - 1].pointer)
    product(last, below, parameters, bias: parameters + dense[last].bias, into: output.pointer)
  }

  /// Adds (∂θ/∂c)ᵀ dθ to `dInput`, where `dOutput` holds dθ, at the latest `apply`. `training`:
  /// the c of that `apply`, and the flat vector that the weights' cotangents are added to.
  func vjp(
    addingTo dInput: UnsafeMutablePointer<Float>, parameters: UnsafePointer<Float>,
    training: (input: UnsafePointer<Float>, gradient: UnsafeMutablePointer<Float>)?
  ) {
    var dy = dOutput.pointer
    var upper = dUpper.pointer
    var lower = dLower.pointer
    for stage in (0..<dense.count).reversed() {
      let layer = dense[stage]
      if stage < dense.count - 1 {
        dy = dPre.pointer
        forEachVector(layer.outputs * columns, upper, slope[stage].pointer, into: dy) { $0 * $1 }
      }
      if let training {
        let below = stage == 0 ? training.input : UnsafePointer(hidden[stage - 1].pointer)
        addWeightGradient(layer, dy, below, to: training.gradient)
      }
      if stage == 0 {
        transposedProduct(stage, dy, parameters, adds: true, into: dInput)
      } else if hasResidual(stage) {
        // The residual hands dh on as it is; the product is added to it.
        transposedProduct(stage, dy, parameters, adds: true, into: upper)
      } else {
        transposedProduct(stage, dy, parameters, adds: false, into: lower)
        swap(&upper, &lower)
      }
    }
  }

  private func hasResidual(_ stage: Int) -> Bool {
    stage > 0 && stage < dense.count - 1 && dense[stage].inputs == dense[stage].outputs
  }

  /// h = a·σ(a) over a = h + bias; slope = σ(a)·(1 + a·(1 − σ(a))).
  private func activate(_ stage: Int, _ bias: UnsafePointer<Float>) {
    for row in 0..<dense[stage].outputs {
      let h = hidden[stage].pointer + row * columns
      let slopes = slope[stage].pointer + row * columns
      let shift = Vector(repeating: bias[row])
      for column in stride(from: 0, to: columns, by: 16) {
        let a = load(h + column) + shift
        let sigma = logistic(a)
        let value = a * sigma
        store(value, h + column)
        store(multiplyAdd(value, all(1) - sigma, sigma), slopes + column)
      }
    }
  }

  /// y = W x (+ bias).
  private func product(
    _ stage: Int, _ x: UnsafePointer<Float>, _ parameters: UnsafePointer<Float>,
    bias: UnsafePointer<Float>? = nil, into y: UnsafeMutablePointer<Float>
  ) {
    let layer = dense[stage]
    if let packed {
      packed[stage].plain.multiply(
        x, columns: columns, lanes: lanes, from: bias.map { .bias($0) } ?? .zero, into: y)
      return
    }
    if let bias {
      for row in 0..<layer.outputs {
        (y + row * columns).update(repeating: bias[row], count: columns)
      }
    }
    multiply(
      m: layer.outputs, n: columns, k: layer.inputs, parameters + layer.weight,
      lda: layer.inputs, x, ldb: columns, beta: bias == nil ? 0 : 1, into: y, ldc: columns)
  }

  /// dx = Wᵀ dy, or dx += Wᵀ dy.
  private func transposedProduct(
    _ stage: Int, _ dy: UnsafePointer<Float>, _ parameters: UnsafePointer<Float>, adds: Bool,
    into dx: UnsafeMutablePointer<Float>
  ) {
    let layer = dense[stage]
    if let packed {
      packed[stage].transposed.multiply(
        dy, columns: columns, lanes: lanes, from: adds ? .present : .zero, into: dx)
      return
    }
    multiply(
      .transposed, .plain, m: layer.inputs, n: columns, k: layer.outputs,
      parameters + layer.weight, lda: layer.inputs, dy, ldb: columns, beta: adds ? 1 : 0, into: dx,
      ldc: columns)
  }

  private func addWeightGradient(
    _ layer: DenseSlots, _ dy: UnsafePointer<Float>, _ x: UnsafePointer<Float>,
    to gradient: UnsafeMutablePointer<Float>
  ) {
    multiply(
      .plain, .transposed, m: layer.outputs, n: layer.inputs, k: columns, dy, lda: columns, x,
      ldb: columns, beta: 1, into: gradient + layer.weight, ldc: layer.inputs)
    for row in 0..<layer.outputs { gradient[layer.bias + row] += sum(dy + row * columns, columns) }
  }
}
