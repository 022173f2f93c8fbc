import Maps
import Networks
import Numerics
import Tensors
import Workers

/// AdamW (Loshchilov and Hutter 2019, algorithm 2) with clipping of the gradient's global norm and an
/// exponential moving average of the weights, in two passes over memory.
///
/// With g the clipped gradient, t = 1, 2, …: m ← β₁m + (1−β₁)g, v ← β₂v + (1−β₂)g²,
/// w ← w − η (m̂/(√v̂ + ε) + λw), m̂ = m/(1−β₁ᵗ), v̂ = v/(1−β₂ᵗ); λ acts on the slots named to decay.
/// average ← d·average + (1−d)·w with d = min(decay, (1+t)/(10+t)), so that the start is forgotten.
///
/// Slots named "…runningMean" and "…runningVariance" are statistics, not weights: their "gradient" is
/// this step's measurement, and they move towards it by a tenth (PyTorch's convention).
package final class Optimizer {
  package struct Options: Codable, Sendable, Equatable {
    package var beta1 = 0.9
    package var beta2 = 0.999
    package var epsilon = 1e-8
    package var weightDecay = 1e-4
    /// The largest norm of a step's gradient; a larger one is scaled down to it.
    package var clipNorm = 1e3
    package var averageDecay = 0.999
    package init() {}
  }

  package let options: Options
  package let weights: FloatBuffer
  package let firstMoment: FloatBuffer
  package let secondMoment: FloatBuffer
  package let average: FloatBuffer
  package private(set) var steps: Int
  /// Steps whose gradient was clipped.
  package private(set) var clippedSteps = 0
  private let segments: [Segment]
  private let pool: WorkerPool

  private struct Segment {
    let range: Range<Int>
    let decays: Bool
    let isStatistic: Bool
  }

  package init(
    weights: FloatBuffer, layout: ParameterLayout, options: Options, pool: WorkerPool,
    decays: (ParameterSlot) -> Bool
  ) {
    self.options = options
    self.weights = weights
    self.pool = pool
    firstMoment = FloatBuffer(weights.count)
    secondMoment = FloatBuffer(weights.count)
    average = FloatBuffer(weights.array)
    steps = 0
    segments = Self.segments(layout, decays)
  }

  /// Goes on from a stored state.
  package func restore(
    weights: [Float], first: [Float], second: [Float], average: [Float], steps: Int
  ) {
    for (buffer, values) in [
      (self.weights, weights), (firstMoment, first), (secondMoment, second),
      (self.average, average),
    ] {
      precondition(values.count == buffer.count)
      buffer.pointer.update(from: values, count: values.count)
    }
    self.steps = steps
  }

  /// What every training asks at the end of an epoch.
  /// - Parameter before: `steps` when the epoch began.
  /// - Throws: `TrainingError.diverged` when a weight is not finite, or more than half of the epoch's steps
  ///   were skipped.
  func check(epoch: Int, stepsBefore before: Int, of count: Int) throws(TrainingError) {
    guard weights.array.allSatisfy(\.isFinite), 2 * (steps - before) >= count else {
      throw .diverged(epoch: epoch)
    }
  }

  /// One step. `gradients` are those of the shards; their mean is the step's gradient.
  /// - Returns: the norm of the gradient before clipping; a step whose norm is not finite is skipped.
  @discardableResult
  package func step(_ gradients: [FloatBuffer], rate: Double) -> Double {
    let norm = averageShards(gradients)
    guard norm.isFinite else { return norm }
    steps += 1
    if norm > options.clipNorm { clippedSteps += 1 }
    let scale = Float(norm > options.clipNorm ? options.clipNorm / norm : 1)
    let (beta1, beta2) = (Float(options.beta1), Float(options.beta2))
    let stepSize = Float(rate / (1 - power(options.beta1, steps)))
    let secondScale = Float(1 / (1 - power(options.beta2, steps)))
    let epsilon = Float(options.epsilon)
    let decay = Float(
      min(options.averageDecay, Double(1 + steps) / Double(10 + steps)))
    let g = gradients[0].pointer
    let (w, m, v, a) = (
      weights.pointer, firstMoment.pointer, secondMoment.pointer, average.pointer
    )
    pool.run(segments.count) { [segments, options, decay] item in
      let segment = segments[item]
      let shrink = Float(segment.decays ? rate * options.weightDecay : 0)
      let range = segment.range
      if segment.isStatistic {
        for index in range {
          w[index] += 0.1 * (g[index] - w[index])
          a[index] = decay * a[index] + (1 - decay) * w[index]
        }
        return
      }
      var index = range.lowerBound
      while index &+ 16 <= range.upperBound {
        let gradient = load(g + index) * all(scale)
        let first = multiplyAdd(load(m + index), all(beta1), gradient * all(1 - beta1))
        let second = multiplyAdd(
          load(v + index), all(beta2), gradient * gradient * all(1 - beta2))
        let old = load(w + index)
        let new =
          old - first * all(stepSize) / (squareRoot(second * all(secondScale)) + all(epsilon))
          - old * all(shrink)
        store(first, m + index)
        store(second, v + index)
        store(new, w + index)
        store(multiplyAdd(load(a + index), all(decay), new * all(1 - decay)), a + index)
        index &+= 16
      }
      while index < range.upperBound {
        let gradient = g[index] * scale
        m[index] = m[index] * beta1 + gradient * (1 - beta1)
        v[index] = v[index] * beta2 + gradient * gradient * (1 - beta2)
        let old = w[index]
        w[index] =
          old - m[index] * stepSize / ((v[index] * secondScale).squareRoot() + epsilon)
          - old * shrink
        a[index] = a[index] * decay + w[index] * (1 - decay)
        index &+= 1
      }
    }
    return norm
  }

  /// Leaves the shards' mean in the first of them and returns its norm over the weights proper.
  private func averageShards(_ gradients: [FloatBuffer]) -> Double {
    let share = all(1 / Float(gradients.count))
    var squares = [Double](repeating: 0, count: segments.count)
    squares.withUnsafeMutableBufferPointer { squares in
      nonisolated(unsafe) let squares = squares
      pool.run(segments.count) { [segments] item in
        let segment = segments[item]
        let g = gradients[0].pointer
        for other in gradients.dropFirst() {
          forEachVector(
            segment.range.count, g + segment.range.lowerBound,
            other.pointer + segment.range.lowerBound, into: g + segment.range.lowerBound
          ) { $0 + $1 }
        }
        // Sixteen single-precision partial sums of at most 64 squares each, accumulated in double.
        var sum = 0.0
        var index = segment.range.lowerBound
        while index < segment.range.upperBound {
          let end = min(index + 1024, segment.range.upperBound)
          var partial = Vector(repeating: 0)
          forEachVector(end - index, g + index, into: g + index) {
            let value = $0 * share
            partial = multiplyAdd(value, value, partial)
            return value
          }
          sum += Double(partial.sum())
          index = end
        }
        squares[item] = segment.isStatistic ? 0 : sum
      }
    }
    return accurateSum(squares).squareRoot()
  }

  /// The flat vector cut at slot boundaries and into pieces of at most 2¹⁵, so that workers share the
  /// work and the sums do not depend on their number.
  private static func segments(
    _ layout: ParameterLayout, _ decays: (ParameterSlot) -> Bool
  ) -> [Segment] {
    layout.slots.flatMap { slot in
      let slotDecays = decays(slot)
      let isStatistic =
        slot.name.hasSuffix("runningMean") || slot.name.hasSuffix("runningVariance")
      return stride(from: 0, to: slot.shape.count, by: 1 << 15).map { start in
        let end = min(start + (1 << 15), slot.shape.count)
        return Segment(
          range: slot.offset + start..<slot.offset + end, decays: slotDecays,
          isStatistic: isStatistic)
      }
    }
  }
}

private func power(_ base: Double, _ exponent: Int) -> Double {
  var (result, factor, rest) = (1.0, base, exponent)
  while rest > 0 {
    if rest & 1 == 1 { result *= factor }
    factor *= factor
    rest >>= 1
  }
  return result
}
