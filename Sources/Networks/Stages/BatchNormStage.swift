import Numerics
import Tensors

/// y = a(batchNorm(x)) over rows × channels: batch normalization with the activation behind it.
///
/// Training: the statistics are those of the items of this plan ("ghost" batches where a step is
/// split over workers; Hoffer, Hubara and Soudry 2017), and `backward` puts the batch's mean and
/// unbiased variance where the gradients of the running averages would be: the optimizer moves the
/// averages towards them. Inference: the running averages, an affine map.
final class BatchNormStage: Stage {
  private let rows: Int
  private let channels: Int
  private let weights: UnsafePointer<Float>
  /// Offsets of weight, bias, running mean and running variance in the packed vector.
  private let offsets: (weight: Int, bias: Int, mean: Int, variance: Int)
  private let usesBatchStatistics: Bool
  private let activation: Activation
  private let mean: FloatBuffer
  private let variance: FloatBuffer
  private let inverseDeviation: FloatBuffer
  /// weight / √(variance + ε).
  private let scale: FloatBuffer
  private let sums: FloatBuffer
  /// a′, rows × channels; empty without an activation.
  private let derivative: FloatBuffer

  init(
    rows: Int, channels: Int, weights: UnsafePointer<Float>,
    offsets: (weight: Int, bias: Int, mean: Int, variance: Int), usesBatchStatistics: Bool,
    activation: Activation
  ) {
    self.rows = rows
    self.channels = channels
    self.weights = weights
    self.offsets = offsets
    self.usesBatchStatistics = usesBatchStatistics
    self.activation = activation
    mean = FloatBuffer(channels)
    variance = FloatBuffer(channels)
    inverseDeviation = FloatBuffer(channels)
    scale = FloatBuffer(channels)
    sums = FloatBuffer(2 * channels)
    derivative = FloatBuffer(activation == .identity ? 0 : rows * channels)
  }

  func forward(_ x: UnsafePointer<Float>, _ y: UnsafeMutablePointer<Float>) {
    if usesBatchStatistics {
      measure(x)
    } else {
      mean.pointer.update(from: weights + offsets.mean, count: channels)
      variance.pointer.update(from: weights + offsets.variance, count: channels)
    }
    let weight = weights + offsets.weight
    let bias = weights + offsets.bias
    for channel in 0..<channels {
      let inverse = 1 / (variance.pointer[channel] + batchNormEpsilon).squareRoot()
      inverseDeviation.pointer[channel] = inverse
      scale.pointer[channel] = weight[channel] * inverse
    }
    for row in 0..<rows {
      let source = x + row &* channels
      let normalized =
        (activation == .identity ? y : derivative.pointer) + row &* channels
      forEachBlock { index, left in
        let value = multiplyAdd(
          self.block(source, index, left) - self.block(self.mean.pointer, index, left),
          self.block(self.scale.pointer, index, left), self.block(bias, index, left))
        self.put(value, normalized, index, left)
      }
      if activation != .identity {
        activation.apply(
          rows: channels, channels: 1, bias: nil, z: normalized, y: y + row &* channels)
      }
    }
  }

  /// With x̂ the normalized input, n rows and g = weight: dweight = Σ dy·x̂, dbias = Σ dy, and
  /// dx = g/√(v+ε) (dy − dbias/n − x̂·dweight/n); without batch statistics dx = g/√(v+ε) dy.
  func backward(
    _ x: UnsafePointer<Float>, _ dy: UnsafeMutablePointer<Float>,
    _ dx: UnsafeMutablePointer<Float>?,
    gradients: UnsafeMutablePointer<Float>?
  ) {
    let dBias = sums.pointer
    let dWeight = sums.pointer + channels
    sums.pointer.update(repeating: 0, count: 2 * channels)
    for row in 0..<rows {
      let cotangent = dy + row &* channels
      let source = x + row &* channels
      let slope = derivative.pointer + (activation == .identity ? 0 : row &* channels)
      forEachBlock { index, left in
        var d = self.block(cotangent, index, left)
        if self.activation != .identity {
          d *= self.block(slope, index, left)
          self.put(d, cotangent, index, left)
        }
        let normalized = self.normalized(source, index, left)
        self.put(self.block(dBias, index, left) + d, dBias, index, left)
        self.put(
          multiplyAdd(d, normalized, self.block(dWeight, index, left)), dWeight, index, left)
      }
    }
    if let dx { propagate(x, dy, dx, dBias, dWeight) }
    if let gradients {
      let unbiased = Float(rows) / Float(max(rows - 1, 1))
      for channel in 0..<channels {
        gradients[offsets.weight + channel] = dWeight[channel]
        gradients[offsets.bias + channel] = dBias[channel]
        gradients[offsets.mean + channel] = usesBatchStatistics ? mean.pointer[channel] : 0
        gradients[offsets.variance + channel] =
          usesBatchStatistics ? variance.pointer[channel] * unbiased : 0
      }
    }
  }

  private func propagate(
    _ x: UnsafePointer<Float>, _ dy: UnsafePointer<Float>, _ dx: UnsafeMutablePointer<Float>,
    _ dBias: UnsafePointer<Float>, _ dWeight: UnsafePointer<Float>
  ) {
    let share = all(usesBatchStatistics ? -1 / Float(rows) : 0)
    for row in 0..<rows {
      let source = x + row &* channels
      let (from, to) = (dy + row &* channels, dx + row &* channels)
      forEachBlock { index, left in
        let pull = multiplyAdd(
          self.normalized(source, index, left), self.block(dWeight, index, left),
          self.block(dBias, index, left))
        let centred = multiplyAdd(share, pull, self.block(from, index, left))
        self.put(self.block(self.scale.pointer, index, left) * centred, to, index, left)
      }
    }
  }

  /// Two passes: the mean, then the mean square about it, which does not cancel.
  private func measure(_ x: UnsafePointer<Float>) {
    variance.pointer.update(repeating: 0, count: channels)
    storeColumnSums(x, rows: rows, channels: channels, into: mean.pointer)
    for channel in 0..<channels { mean.pointer[channel] /= Float(rows) }
    for row in 0..<rows {
      let source = x + row &* channels
      forEachBlock { index, left in
        let centred =
          self.block(source, index, left) - self.block(self.mean.pointer, index, left)
        self.put(
          multiplyAdd(centred, centred, self.block(self.variance.pointer, index, left)),
          self.variance.pointer, index, left)
      }
    }
    for channel in 0..<channels { variance.pointer[channel] /= Float(rows) }
  }

  /// x̂.
  @inline(__always)
  private func normalized(_ x: UnsafePointer<Float>, _ index: Int, _ left: Int) -> Vector {
    (block(x, index, left) - block(mean.pointer, index, left))
      * block(inverseDeviation.pointer, index, left)
  }

  /// Calls `body` for each sixteen channels, and the number of those that are left.
  @inline(__always)
  private func forEachBlock(_ body: (_ index: Int, _ left: Int) -> Void) {
    var index = 0
    while index < channels {
      body(index, channels &- index)
      index &+= 16
    }
  }

  @inline(__always)
  private func block(_ p: UnsafePointer<Float>, _ index: Int, _ left: Int) -> Vector {
    left >= 16 ? load(p + index) : loadPartial(p + index, left)
  }

  @inline(__always)
  private func put(_ v: Vector, _ p: UnsafeMutablePointer<Float>, _ index: Int, _ left: Int) {
    if left >= 16 { store(v, p + index) } else { storePartial(v, p + index, left) }
  }
}
