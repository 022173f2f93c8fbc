import Tensors

// Notation, for datum i of a lane with noise level σ:
//   m mean, r extra variance, v = σ² + r, w = 1/√v
//   measured:  d = y − m            L = −½ d²/v − ½ ln(2πv)     ∂L/∂m = d/v
//   censored:  t = s(c − m)w        L = ln Φ(t)                  ∂L/∂m = −s h(t) w
//     y ≤ low: s = +1, c = low;  y ≥ high: s = −1, c = high
//   with ∂v/∂ln σ = 2σ²:
//   measured:  ∂L/∂ln σ = (σ²/v)(d²/v − 1)       censored:  ∂L/∂ln σ = −(σ²/v) t h(t)

/// Log density of censored white-noise data and its gradients for many lanes: the workhorse of the
/// product. Lane = (problem, chain); the data are looked up by the lane's problem, σ is per lane.
///
/// Values are single-precision terms summed exactly enough to be good to about 1e-6 of the sum of
/// their sizes. One owner, one thread at a time; allocates nothing while evaluating. What a lane
/// returns depends on that lane's inputs alone.
package final class CensoredEvaluator {
  /// Number of lanes.
  package let lanes: Int
  /// D.
  package let dimension: Int
  private let segments: [PixelSegments]
  private let problems: [Int]
  /// Gathered means, then gradients to scatter: one lane in sorted order, whole blocks.
  private let measured: FloatBuffer
  private let censored: FloatBuffer

  /// - Parameter lanes: the problem of each lane.
  /// - Precondition: at least one problem, all of one dimension; every lane names one of them.
  package init(problems: [PixelData], lanes: [Int]) {
    precondition(!problems.isEmpty && problems.allSatisfy { $0.count == problems[0].count })
    precondition(lanes.allSatisfy(problems.indices.contains))
    dimension = problems[0].count
    self.lanes = lanes.count
    self.problems = lanes
    segments = problems.map(PixelSegments.init)
    let width = PixelSegments.width
    measured = FloatBuffer(width * (segments.map(\.measuredTargets.count).max() ?? 0))
    censored = FloatBuffer(width * (segments.map(\.censoredTargets.count).max() ?? 0))
  }

  /// `means`: lanes × D; `sigmas`: lanes, each ≥ 0 with every v > 0; `logDensities` (nats, with
  /// all constants): lanes; `meanGradients` ∂/∂m: lanes × D; `logSigmaGradients` ∂/∂ln σ: lanes.
  ///
  /// A lane whose value is not finite gets −∞ and zero gradients.
  package func evaluate(
    means: Span<Float>, sigmas: Span<Double>, logDensities: inout MutableSpan<Double>,
    meanGradients: inout MutableSpan<Float>, logSigmaGradients: inout MutableSpan<Double>
  ) {
    precondition(means.count == lanes * dimension && meanGradients.count == lanes * dimension)
    precondition(sigmas.count == lanes)
    precondition(logDensities.count == lanes && logSigmaGradients.count == lanes)
    for lane in 0..<lanes {
      let segment = segments[problems[lane]]
      let start = lane * dimension
      let variance = Float(sigmas[lane] * sigmas[lane])
      gather(means, from: start, segment)
      let (first, firstSlope) = evaluateMeasured(segment, variance: variance)
      let (second, secondSlope) = evaluateCensored(segment, variance: variance)
      let (value, slope) = (first + second, firstSlope + secondSlope)
      for index in start..<start + dimension { meanGradients[unchecked: index] = 0 }
      guard value.isFinite, slope.isFinite else {
        logDensities[lane] = -.infinity
        logSigmaGradients[lane] = 0
        continue
      }
      logDensities[lane] = value
      logSigmaGradients[lane] = slope
      scatter(into: &meanGradients, from: start, segment)
    }
  }

  /// −∂²L/∂m² ≥ 0 at the means: 1/v where measured, h(t)(h(t) + t)/v where censored, 0 where
  /// unobserved. The weights of a Gauss–Newton metric. Shapes as in `evaluate`.
  package func curvatures(
    means: Span<Float>, sigmas: Span<Double>, into weights: inout MutableSpan<Float>
  ) {
    precondition(means.count == lanes * dimension && weights.count == lanes * dimension)
    precondition(sigmas.count == lanes)
    for lane in 0..<lanes {
      let segment = segments[problems[lane]]
      let start = lane * dimension
      let variance = sigmas[lane] * sigmas[lane]
      for index in start..<start + dimension { weights[index] = 0 }
      for (position, index) in segment.measuredIndices.enumerated() {
        let extra = segment.measuredVariances[position / 16][position % 16]
        weights[start + Int(index)] = Float(1 / (variance + Double(extra)))
      }
      for (position, index) in segment.censoredIndices.enumerated() {
        let (block, offset) = (position / 16, position % 16)
        let total = variance + Double(segment.censoredVariances[block][offset])
        let gap = Double(segment.censoredTargets[block][offset]) - Double(means[start + Int(index)])
        let t = Double(segment.censoredSigns[block][offset]) * gap / total.squareRoot()
        // h(h + t) = 1 − Var(Z | Z < t).
        weights[start + Int(index)] = Float((1 - lowerTruncatedMoments(t).variance) / total)
      }
    }
  }

  /// Σ L and Σ ∂L/∂ln σ of the measured elements; their means in `measured` become ∂L/∂m.
  private func evaluateMeasured(
    _ segment: PixelSegments, variance: Float
  ) -> (value: Double, slope: Double) {
    var (squares, logarithms, slopes) = (BlockSum(), BlockSum(), BlockSum())
    let buffer = UnsafeMutableRawPointer(measured.pointer)
    let count = segment.measuredIndices.count
    for block in segment.measuredTargets.indices {
      let offset = block * MemoryLayout<FloatLanes>.stride
      let mean = buffer.load(fromByteOffset: offset, as: FloatLanes.self)
      let v = segment.measuredVariances[block] + variance
      let precision = 1 / v
      let d = segment.measuredTargets[block] - mean
      let gradient = d * precision
      var square = d * gradient
      var logarithm = logLanes(v)
      var slope = (square - 1) * (precision * variance)
      buffer.storeBytes(of: gradient, toByteOffset: offset, as: FloatLanes.self)
      if let weights = partialWeights(block: block, count: count) {
        square *= weights
        logarithm *= weights
        slope *= weights
      }
      squares.add(square)
      logarithms.add(logarithm)
      slopes.add(slope)
    }
    let value = -0.5 * (squares.total + logarithms.total) - halfLogTwoPi * Double(count)
    return (value, slopes.total)
  }

  /// The same for the censored elements.
  private func evaluateCensored(
    _ segment: PixelSegments, variance: Float
  ) -> (value: Double, slope: Double) {
    var (values, slopes) = (BlockSum(), BlockSum())
    let buffer = UnsafeMutableRawPointer(censored.pointer)
    let count = segment.censoredIndices.count
    for block in segment.censoredTargets.indices {
      let offset = block * MemoryLayout<FloatLanes>.stride
      let mean = buffer.load(fromByteOffset: offset, as: FloatLanes.self)
      let root = inverseSquareRootLanes(segment.censoredVariances[block] + variance)
      let scale = segment.censoredSigns[block] * root
      let t = (segment.censoredTargets[block] - mean) * scale
      let normal = logNormalLanes(t)
      buffer.storeBytes(
        of: FloatLanes(repeating: 0) - normal.slope * scale, toByteOffset: offset,
        as: FloatLanes.self)
      var value = normal.value
      var slope = t * normal.slope * (root * root * variance)
      if let weights = partialWeights(block: block, count: count) {
        value *= weights
        slope *= weights
      }
      values.add(value)
      slopes.add(slope)
    }
    return (values.total, -slopes.total)
  }

  /// The means of one lane in sorted order, zeros in what fills the last blocks.
  private func gather(_ means: Span<Float>, from start: Int, _ segment: PixelSegments) {
    clearLastBlock(measured, count: segment.measuredIndices.count)
    clearLastBlock(censored, count: segment.censoredIndices.count)
    // Every index is below D by construction, and the spans' sizes were checked.
    let (first, second) = (measured.pointer, censored.pointer)
    for (position, index) in segment.measuredIndices.enumerated() {
      first[position] = means[unchecked: start + Int(index)]
    }
    for (position, index) in segment.censoredIndices.enumerated() {
      second[position] = means[unchecked: start + Int(index)]
    }
  }

  private func scatter(
    into gradients: inout MutableSpan<Float>, from start: Int, _ segment: PixelSegments
  ) {
    let (first, second) = (measured.pointer, censored.pointer)
    for (position, index) in segment.measuredIndices.enumerated() {
      gradients[unchecked: start + Int(index)] = first[position]
    }
    for (position, index) in segment.censoredIndices.enumerated() {
      gradients[unchecked: start + Int(index)] = second[position]
    }
  }

  /// Zeros behind the data of the last block: the gradients of another lane lay there.
  private func clearLastBlock(_ buffer: FloatBuffer, count: Int) {
    let width = PixelSegments.width
    let end = (count + width - 1) / width * width
    for position in count..<end { buffer.pointer[position] = 0 }
  }
}
