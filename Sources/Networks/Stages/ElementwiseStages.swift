import Numerics
import Randomness
import Tensors

/// y = a(x) where no product comes directly before.
final class ActivationStage: Stage {
  private let count: Int
  private let activation: Activation
  private let derivative: FloatBuffer

  /// `count`: elements of all items together.
  init(count: Int, activation: Activation) {
    self.count = count
    self.activation = activation
    derivative = FloatBuffer(count)
  }

  func forward(_ x: UnsafePointer<Float>, _ y: UnsafeMutablePointer<Float>) {
    derivative.pointer.update(from: x, count: count)
    activation.apply(rows: count, channels: 1, bias: nil, z: derivative.pointer, y: y)
  }

  func backward(
    _ x: UnsafePointer<Float>, _ dy: UnsafeMutablePointer<Float>,
    _ dx: UnsafeMutablePointer<Float>?,
    gradients: UnsafeMutablePointer<Float>?
  ) {
    guard let dx else { return }
    forEachVector(count, dy, derivative.pointer, into: dx) { $0 * $1 }
  }
}

/// y = x · mask, mask = 1/(1 − rate) with probability 1 − rate, else 0 (training only). The mask
/// comes from the key given by `draw`, so a step can be repeated exactly.
final class DropoutStage: Stage {
  private let count: Int
  private let rate: Double
  private let mask: FloatBuffer

  init(count: Int, rate: Double) {
    self.count = count
    self.rate = rate
    mask = FloatBuffer(count)
  }

  func draw(_ key: RandomKey) {
    var stream = key.stream()
    let keep = Float(1 / (1 - rate))
    // Sixteen bits decide one element: the rate is honoured to 1.5e-5.
    let threshold = UInt64((rate * 65536).rounded())
    var index = 0
    while index < count {
      var bits = stream.next()
      for _ in 0..<min(4, count - index) {
        mask.pointer[index] = bits & 0xFFFF < threshold ? 0 : keep
        bits >>= 16
        index += 1
      }
    }
  }

  func forward(_ x: UnsafePointer<Float>, _ y: UnsafeMutablePointer<Float>) {
    forEachVector(count, x, mask.pointer, into: y) { $0 * $1 }
  }

  func backward(
    _ x: UnsafePointer<Float>, _ dy: UnsafeMutablePointer<Float>,
    _ dx: UnsafeMutablePointer<Float>?,
    gradients: UnsafeMutablePointer<Float>?
  ) {
    guard let dx else { return }
    forEachVector(count, dy, mask.pointer, into: dx) { $0 * $1 }
  }
}

/// Channels first to channels last, or back: [rows, columns] → [columns, rows] for each item.
final class TranspositionStage: Stage {
  private let lanes: Int
  private let rows: Int
  private let columns: Int

  init(lanes: Int, rows: Int, columns: Int) {
    self.lanes = lanes
    self.rows = rows
    self.columns = columns
  }

  func forward(_ x: UnsafePointer<Float>, _ y: UnsafeMutablePointer<Float>) {
    transpose(x, y, rows, columns)
  }

  func backward(
    _ x: UnsafePointer<Float>, _ dy: UnsafeMutablePointer<Float>,
    _ dx: UnsafeMutablePointer<Float>?,
    gradients: UnsafeMutablePointer<Float>?
  ) {
    guard let dx else { return }
    transpose(dy, dx, columns, rows)
  }

  private func transpose(
    _ source: UnsafePointer<Float>, _ target: UnsafeMutablePointer<Float>, _ rows: Int,
    _ columns: Int
  ) {
    let count = rows &* columns
    for lane in 0..<lanes {
      let from = source + lane &* count
      let to = target + lane &* count
      for column in 0..<columns {
        for row in 0..<rows { to[column &* rows &+ row] = from[row &* columns &+ column] }
      }
    }
  }
}
