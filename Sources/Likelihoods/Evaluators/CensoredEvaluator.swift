import Numerics
import Tensors

// Notation, for datum i of a lane with noise level σ and residual scale α:
//   m mean, r extra variance, s residual variance, v = σ² + r + α²s, w = 1/√v
//   with a law of intensities s is s h(m), and v' = ∂v/∂m = α²s h'(m), else v' = 0
//   measured:  d = y − m            L = −½ d²/v − ½ ln(2πv)     ∂L/∂m = d/v + ½ (d²/v − 1) v'/v
//   censored:  t = ±(c − m)w        L = ln Φ(t)                  ∂L/∂m = −h(t) (±w + ½ t v'/v)
//     y ≤ low: +, c = low;  y ≥ high: −, c = high;  h(t) = φ(t)/Φ(t)
//   with ∂v/∂ln σ = 2σ², ∂v/∂ln α = 2α²s:
//   measured:  ∂L/∂ln σ = (σ²/v)(d²/v − 1)       censored:  ∂L/∂ln σ = −(σ²/v) t h(t)
//   and the same with α²s for σ² in front.

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

  /// `means`: lanes × D; `levels`: lanes, with every v > 0; `logDensities` (nats, with all constants):
  /// lanes; `meanGradients` ∂/∂m: lanes × D; `logSigmaGradients` ∂/∂ln σ, `logScaleGradients` ∂/∂ln α:
  /// lanes.
  ///
  /// A lane whose value is not finite gets −∞ and zero gradients.
  package func evaluate(
    means: Span<Float>, levels: Span<NoiseLevels>, logDensities: inout MutableSpan<Double>,
    meanGradients: inout MutableSpan<Float>, logSigmaGradients: inout MutableSpan<Double>,
    logScaleGradients: inout MutableSpan<Double>
  ) {
    precondition(means.count == lanes * dimension && meanGradients.count == lanes * dimension)
    precondition(levels.count == lanes && logDensities.count == lanes)
    precondition(logSigmaGradients.count == lanes && logScaleGradients.count == lanes)
    for lane in 0..<lanes {
      let segment = segments[problems[lane]]
      let start = lane * dimension
      let variance = Float(levels[lane].sigma * levels[lane].sigma)
      let scale = Float(levels[lane].residualScale * levels[lane].residualScale)
      gather(means, from: start, segment)
      var terms = evaluateMeasured(segment, variance: variance, scale: scale)
      terms.add(evaluateCensored(segment, variance: variance, scale: scale))
      for index in start..<start + dimension { meanGradients[unchecked: index] = 0 }
      guard terms.value.isFinite, terms.sigmaSlope.isFinite, terms.scaleSlope.isFinite else {
        logDensities[lane] = -.infinity
        logSigmaGradients[lane] = 0
        logScaleGradients[lane] = 0
        continue
      }
      logDensities[lane] = terms.value
      logSigmaGradients[lane] = terms.sigmaSlope
      logScaleGradients[lane] = terms.scaleSlope
      scatter(into: &meanGradients, from: start, segment)
    }
  }

  /// Curvatures ≥ 0 at the means: −∂²L/∂m² with v held, 1/v where measured, h(t)(h(t) + t)/v where
  /// censored, 0 where unobserved, and where measured the Fisher information ½ (v'/v)² of m through v. The
  /// weights of a Gauss–Newton metric. Shapes as in `evaluate`.
  package func curvatures(
    means: Span<Float>, levels: Span<NoiseLevels>, into weights: inout MutableSpan<Float>
  ) {
    precondition(means.count == lanes * dimension && weights.count == lanes * dimension)
    precondition(levels.count == lanes)
    for lane in 0..<lanes {
      let segment = segments[problems[lane]]
      let start = lane * dimension
      let variance = levels[lane].sigma * levels[lane].sigma
      let scale = levels[lane].residualScale * levels[lane].residualScale
      for index in start..<start + dimension { weights[index] = 0 }
      for (position, index) in segment.measuredIndices.enumerated() {
        let extra = Double(segment.measuredVariances[position / 16][position % 16])
        var residual = scale * Double(segment.measuredResiduals[position / 16][position % 16])
        var relativeSlope = 0.0
        if let law = segment.intensityVariance {
          let curve = law.evaluate(means[start + Int(index)])
          relativeSlope = residual * Double(curve.slope)
          residual *= Double(curve.value)
        }
        let total = variance + extra + residual
        relativeSlope /= total
        weights[start + Int(index)] = Float(1 / total + 0.5 * relativeSlope * relativeSlope)
      }
      for (position, index) in segment.censoredIndices.enumerated() {
        let (block, offset) = (position / 16, position % 16)
        let curve = segment.intensityVariance?.evaluate(means[start + Int(index)]).value ?? 1
        let total =
          variance + Double(segment.censoredVariances[block][offset])
          + scale * Double(segment.censoredResiduals[block][offset]) * Double(curve)
        let gap = Double(segment.censoredTargets[block][offset]) - Double(means[start + Int(index)])
        let t = Double(segment.censoredSigns[block][offset]) * gap / total.squareRoot()
        // h(h + t) = 1 − Var(Z | Z < t).
        weights[start + Int(index)] = Float((1 - lowerTruncatedMoments(t).variance) / total)
      }
    }
  }

  /// Sums over data.
  private struct Terms {
    var value: Double
    var sigmaSlope: Double
    var scaleSlope: Double

    mutating func add(_ other: Terms) {
      value += other.value
      sigmaSlope += other.sigmaSlope
      scaleSlope += other.scaleSlope
    }
  }

  /// Σ L, Σ ∂L/∂ln σ and Σ ∂L/∂ln α of the measured elements; their means in `measured` become ∂L/∂m.
  /// `variance` is σ², `scale` α².
  private func evaluateMeasured(
    _ segment: PixelSegments, variance: Float, scale: Float
  ) -> Terms {
    var (squares, logarithms) = (BlockSum(), BlockSum())
    var (slopes, scaleSlopes) = (BlockSum(), BlockSum())
    let own = Vector(repeating: variance)
    let one = Vector(repeating: 1)
    let half = Vector(repeating: 0.5)
    let common = Vector(repeating: scale)
    let buffer = UnsafeMutableRawPointer(measured.pointer)
    let count = segment.measuredIndices.count
    for block in segment.measuredTargets.indices {
      let offset = block * MemoryLayout<Vector>.stride
      let mean = buffer.load(fromByteOffset: offset, as: Vector.self)
      var residual = segment.measuredResiduals[block] * common
      var varianceSlope = Vector(repeating: 0)
      if let law = segment.intensityVariance {
        let curve = law.evaluate(mean)
        varianceSlope = residual * curve.slope
        residual *= curve.value
      }
      let v = segment.measuredVariances[block] + residual + own
      let precision = one / v
      let d = segment.measuredTargets[block] - mean
      var gradient = d * precision
      var square = d * gradient
      var logVariance = logarithm(v)
      let pull = (square - one) * precision
      if segment.intensityVariance != nil { gradient += half * varianceSlope * pull }
      var slope = pull * own
      var scaleSlope = pull * residual
      buffer.storeBytes(of: gradient, toByteOffset: offset, as: Vector.self)
      if let weights = partialWeights(block: block, count: count) {
        square *= weights
        logVariance *= weights
        slope *= weights
        scaleSlope *= weights
      }
      squares.add(square)
      logarithms.add(logVariance)
      slopes.add(slope)
      scaleSlopes.add(scaleSlope)
    }
    return Terms(
      value: -0.5 * (squares.total + logarithms.total) - halfLogTwoPi * Double(count),
      sigmaSlope: slopes.total, scaleSlope: scaleSlopes.total)
  }

  /// The same for the censored elements.
  private func evaluateCensored(
    _ segment: PixelSegments, variance: Float, scale: Float
  ) -> Terms {
    var (values, slopes, scaleSlopes) = (BlockSum(), BlockSum(), BlockSum())
    let own = Vector(repeating: variance)
    let common = Vector(repeating: scale)
    let half = Vector(repeating: 0.5)
    let buffer = UnsafeMutableRawPointer(censored.pointer)
    let count = segment.censoredIndices.count
    for block in segment.censoredTargets.indices {
      let offset = block * MemoryLayout<Vector>.stride
      let mean = buffer.load(fromByteOffset: offset, as: Vector.self)
      var residual = segment.censoredResiduals[block] * common
      var varianceSlope = Vector(repeating: 0)
      if let law = segment.intensityVariance {
        let curve = law.evaluate(mean)
        varianceSlope = residual * curve.slope
        residual *= curve.value
      }
      let root = inverseSquareRoot(segment.censoredVariances[block] + residual + own)
      let signed = segment.censoredSigns[block] * root
      let t = (segment.censoredTargets[block] - mean) * signed
      let normal = logNormalLanes(t)
      let pull = t * normal.slope * (root * root)
      var gradient = Vector(repeating: 0) - normal.slope * signed
      if segment.intensityVariance != nil { gradient -= half * varianceSlope * pull }
      buffer.storeBytes(of: gradient, toByteOffset: offset, as: Vector.self)
      var value = normal.value
      var slope = pull * own
      var scaleSlope = pull * residual
      if let weights = partialWeights(block: block, count: count) {
        value *= weights
        slope *= weights
        scaleSlope *= weights
      }
      values.add(value)
      slopes.add(slope)
      scaleSlopes.add(scaleSlope)
    }
    return Terms(
      value: values.total, sigmaSlope: -slopes.total, scaleSlope: -scaleSlopes.total)
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
