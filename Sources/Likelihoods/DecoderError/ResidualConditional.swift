import Maps
import Numerics
import Randomness
import Tensors

/// The law of what the decoder cannot paint, ε_i ~ N(0, α²s) with s = s_i h(m_i), given its mean m_i and the
/// datum: y*_i = m_i + ε_i + n_i with total variance v_i = σ² + r_i + α²s. With a law of intensities that knows
/// of rounding, read α²s + ρ for α²s.
///
/// - measured:   ε | y ~ N(g(y − m), α²s(1 − g)), gain g = α²s/v
/// - censored:   y* is normal cut off at the end of the range, then ε | y* as above
/// - unobserved: ε ~ N(0, α²s)
///
/// Elements are independent, so draws and moments are exact and cost O(D).
package struct ResidualConditional: ResidualLaw {
  package let data: PixelData

  /// - Parameter data: with the residual's variances s_i.
  package init(data: PixelData) { self.data = data }

  /// E(ε | y, m) and Var(ε | y, m). `means`, `conditionalMeans`, `conditionalVariances`: D.
  /// - Precondition: the spans have D elements; every total variance is positive.
  package func moments(
    means: Span<Float>, levels: NoiseLevels, conditionalMeans: inout MutableSpan<Float>,
    conditionalVariances: inout MutableSpan<Float>
  ) {
    precondition(means.count == data.count)
    precondition(conditionalMeans.count == data.count && conditionalVariances.count == data.count)
    for index in means.indices {
      let pixel = pixel(index, mean: means[index], levels)
      var (gap, spread) = (0.0, 0.0)
      switch data.kinds[index] {
      case .unobserved:
        conditionalMeans[index] = 0
        conditionalVariances[index] = Float(pixel.residual)
        continue
      case .measured: gap = pixel.gap(to: data.values[index])
      case .belowLow:
        let cut = lowerTruncatedMoments(pixel.gap(to: data.low) / pixel.deviation)
        (gap, spread) = (pixel.deviation * cut.mean, pixel.variance * cut.variance)
      case .aboveHigh:
        let cut = lowerTruncatedMoments(-pixel.gap(to: data.high) / pixel.deviation)
        (gap, spread) = (-pixel.deviation * cut.mean, pixel.variance * cut.variance)
      }
      conditionalMeans[index] = Float(pixel.gain * gap)
      conditionalVariances[index] = Float(
        pixel.residual * (1 - pixel.gain) + pixel.gain * pixel.gain * spread)
    }
  }

  /// One exact draw of ε given the means and the data. `means`, `residuals`: D.
  /// - Precondition: the spans have D elements; every total variance is positive.
  package func draw(
    means: Span<Float>, levels: NoiseLevels, stream: inout RandomStream,
    into residuals: inout MutableSpan<Float>
  ) {
    precondition(means.count == data.count && residuals.count == data.count)
    for index in means.indices {
      let pixel = pixel(index, mean: means[index], levels)
      let gap: Double
      switch data.kinds[index] {
      case .unobserved:
        residuals[index] = Float(pixel.residual.squareRoot() * stream.normal())
        continue
      case .measured: gap = pixel.gap(to: data.values[index])
      case .belowLow:
        let cut = pixel.gap(to: data.low) / pixel.deviation
        gap = pixel.deviation * stream.normal(below: cut)
      case .aboveHigh:
        let cut = -pixel.gap(to: data.high) / pixel.deviation
        gap = -pixel.deviation * stream.normal(below: cut)
      }
      let rest = (pixel.residual * (1 - pixel.gain)).squareRoot()
      residuals[index] = Float(pixel.gain * gap + rest * stream.normal())
    }
  }

  package var accumulatorCount: Int { data.count }

  package func variances(averaged accumulator: [Double]) -> [Double] { accumulator }

  package func makePlan(lanes: Int) throws(PlanError) -> any ResidualLawPlan {
    IndependentResidualPlan(self)
  }

  private func pixel(_ index: Int, mean: Float, _ levels: NoiseLevels) -> Pixel {
    let residual = data.residualVariance(index, mean: mean, levels)
    return Pixel(
      mean: Double(mean),
      variance: levels.sigma * levels.sigma + Double(data.extraVariances[index]) + residual,
      residual: residual)
  }
}

final class IndependentResidualPlan: ResidualLawPlan {
  private let law: ResidualConditional
  private let laneMeans: FloatBuffer
  private let laneVariances: FloatBuffer

  init(_ law: ResidualConditional) {
    self.law = law
    laneMeans = FloatBuffer(law.data.count)
    laneVariances = FloatBuffer(law.data.count)
  }

  func moments(
    images: Span<Float>, levels: Span<NoiseLevels>, count: Int, means: inout MutableSpan<Float>,
    accumulator: inout [Double]
  ) {
    let pixels = law.data.count
    for lane in 0..<count {
      var meanSpan = laneMeans.buffer.mutableSpan
      var varianceSpan = laneVariances.buffer.mutableSpan
      law.moments(
        means: images.extracting(lane * pixels..<(lane + 1) * pixels), levels: levels[lane],
        conditionalMeans: &meanSpan, conditionalVariances: &varianceSpan)
      for pixel in 0..<pixels {
        means[lane * pixels + pixel] = laneMeans.pointer[pixel]
        accumulator[pixel] += Double(laneVariances.pointer[pixel])
      }
    }
  }

  func draw(
    images: Span<Float>, levels: NoiseLevels, stream: inout RandomStream,
    into residuals: inout [Float]
  ) {
    var span = residuals.mutableSpan
    law.draw(
      means: images.extracting(0..<law.data.count), levels: levels, stream: &stream, into: &span)
  }
}

/// The numbers of one element: m, v, α²s.
private struct Pixel {
  let mean: Double
  let variance: Double
  let residual: Double

  var deviation: Double { variance.squareRoot() }
  var gain: Double { residual / variance }
  func gap(to value: Float) -> Double { Double(value) - mean }
}
