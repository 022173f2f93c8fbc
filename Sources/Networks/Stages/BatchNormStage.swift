import Tensors

/// Batch normalization over rows × channels.
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
  private let mean: FloatBuffer
  private let variance: FloatBuffer
  private let inverseDeviation: FloatBuffer
  private let sums: FloatBuffer

  init(
    rows: Int, channels: Int, weights: UnsafePointer<Float>,
    offsets: (weight: Int, bias: Int, mean: Int, variance: Int), usesBatchStatistics: Bool
  ) {
    self.rows = rows
    self.channels = channels
    self.weights = weights
    self.offsets = offsets
    self.usesBatchStatistics = usesBatchStatistics
    mean = FloatBuffer(channels)
    variance = FloatBuffer(channels)
    inverseDeviation = FloatBuffer(channels)
    sums = FloatBuffer(2 * channels)
  }

  func forward(_ x: UnsafePointer<Float>, _ y: UnsafeMutablePointer<Float>) {
    if usesBatchStatistics {
      measure(x)
    } else {
      mean.pointer.update(from: weights + offsets.mean, count: channels)
      variance.pointer.update(from: weights + offsets.variance, count: channels)
    }
    for channel in 0..<channels {
      inverseDeviation.pointer[channel] =
        1
        / (variance.pointer[channel] + batchNormEpsilon)
        .squareRoot()
    }
    let weight = weights + offsets.weight
    let bias = weights + offsets.bias
    for row in 0..<rows {
      let offset = row &* channels
      for channel in 0..<channels {
        let centred = x[offset &+ channel] - mean.pointer[channel]
        y[offset &+ channel] =
          weight[channel] * (centred * inverseDeviation.pointer[channel]) + bias[channel]
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
      let offset = row &* channels
      for channel in 0..<channels {
        let normalized =
          (x[offset &+ channel] - mean.pointer[channel]) * inverseDeviation.pointer[channel]
        dBias[channel] += dy[offset &+ channel]
        dWeight[channel] += dy[offset &+ channel] * normalized
      }
    }
    if let dx { propagate(x, dy, dx, dBias, dWeight) }
    if let gradients {
      for channel in 0..<channels {
        gradients[offsets.weight + channel] += dWeight[channel]
        gradients[offsets.bias + channel] += dBias[channel]
        guard usesBatchStatistics else { continue }
        gradients[offsets.mean + channel] += mean.pointer[channel]
        gradients[offsets.variance + channel] +=
          variance.pointer[channel] * Float(rows) / Float(max(rows - 1, 1))
      }
    }
  }

  private func propagate(
    _ x: UnsafePointer<Float>, _ dy: UnsafePointer<Float>, _ dx: UnsafeMutablePointer<Float>,
    _ dBias: UnsafePointer<Float>, _ dWeight: UnsafePointer<Float>
  ) {
    let weight = weights + offsets.weight
    let share = usesBatchStatistics ? 1 / Float(rows) : 0
    for row in 0..<rows {
      let offset = row &* channels
      for channel in 0..<channels {
        let scale = inverseDeviation.pointer[channel]
        let normalized = (x[offset &+ channel] - mean.pointer[channel]) * scale
        let centred =
          dy[offset &+ channel] - share * (dBias[channel] + normalized * dWeight[channel])
        dx[offset &+ channel] = weight[channel] * scale * centred
      }
    }
  }

  /// Two passes: the mean, then the mean square about it, which does not cancel.
  private func measure(_ x: UnsafePointer<Float>) {
    mean.pointer.update(repeating: 0, count: channels)
    variance.pointer.update(repeating: 0, count: channels)
    addColumnSums(x, rows: rows, channels: channels, into: mean.pointer)
    for channel in 0..<channels { mean.pointer[channel] /= Float(rows) }
    for row in 0..<rows {
      let offset = row &* channels
      for channel in 0..<channels {
        let centred = x[offset &+ channel] - mean.pointer[channel]
        variance.pointer[channel] += centred * centred
      }
    }
    for channel in 0..<channels { variance.pointer[channel] /= Float(rows) }
  }
}
