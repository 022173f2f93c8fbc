import Maps
import Randomness
import Tensors

/// The law of what the decoder cannot paint, ε_i ~ N(0, s_i), given its mean m_i and the datum:
/// y*_i = m_i + ε_i + n_i with total variance v_i = σ² + r_i, where r_i includes s_i.
///
/// - measured:   ε | y ~ N(g(y − m), s(1 − g)), gain g = s/v
/// - censored:   y* is normal cut off at the end of the range, then ε | y* as above
/// - unobserved: ε ~ N(0, s)
///
/// Elements are independent, so draws and moments are exact and cost O(D).
package struct ResidualConditional: ResidualLaw {
  package let data: PixelData
  /// s_i, D variances, included in the data's extra variances.
  package let residualVariances: [Float]

  /// - Precondition: D variances, 0 ≤ s_i ≤ r_i.
  package init(data: PixelData, residualVariances: [Float]) {
    precondition(residualVariances.count == data.count)
    precondition(zip(residualVariances, data.extraVariances).allSatisfy { $0 >= 0 && $0 <= $1 })
    self.data = data
    self.residualVariances = residualVariances
  }

  /// E(ε | y, m) and Var(ε | y, m). `means`, `conditionalMeans`, `conditionalVariances`: D.
  /// - Precondition: the spans have D elements; `sigma` ≥ 0, with every total variance positive.
  package func moments(
    means: Span<Float>, sigma: Double, conditionalMeans: inout MutableSpan<Float>,
    conditionalVariances: inout MutableSpan<Float>
  ) {
    precondition(sigma >= 0 && means.count == data.count)
    precondition(conditionalMeans.count == data.count && conditionalVariances.count == data.count)
    for index in means.indices {
      let pixel = pixel(index, mean: means[index], sigma: sigma)
      var (gap, spread) = (0.0, 0.0)
      switch data.kinds[index] {
      case .unobserved:
        conditionalMeans[index] = 0
        conditionalVariances[index] = residualVariances[index]
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
  /// - Precondition: the spans have D elements; `sigma` ≥ 0, with every total variance positive.
  package func draw(
    means: Span<Float>, sigma: Double, stream: inout RandomStream,
    into residuals: inout MutableSpan<Float>
  ) {
    precondition(sigma >= 0 && means.count == data.count && residuals.count == data.count)
    for index in means.indices {
      let pixel = pixel(index, mean: means[index], sigma: sigma)
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

  private func pixel(_ index: Int, mean: Float, sigma: Double) -> Pixel {
    Pixel(
      mean: Double(mean), variance: sigma * sigma + Double(data.extraVariances[index]),
      residual: Double(residualVariances[index]))
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
    images: Span<Float>, sigmas: Span<Double>, count: Int, means: inout MutableSpan<Float>,
    accumulator: inout [Double]
  ) {
    let pixels = law.data.count
    for lane in 0..<count {
      var meanSpan = laneMeans.buffer.mutableSpan
      var varianceSpan = laneVariances.buffer.mutableSpan
      law.moments(
        means: images.extracting(lane * pixels..<(lane + 1) * pixels), sigma: sigmas[lane],
        conditionalMeans: &meanSpan, conditionalVariances: &varianceSpan)
      for pixel in 0..<pixels {
        means[lane * pixels + pixel] = laneMeans.pointer[pixel]
        accumulator[pixel] += Double(laneVariances.pointer[pixel])
      }
    }
  }

  func draw(
    images: Span<Float>, sigma: Double, stream: inout RandomStream, into residuals: inout [Float]
  ) {
    var span = residuals.mutableSpan
    law.draw(
      means: images.extracting(0..<law.data.count), sigma: sigma, stream: &stream, into: &span)
  }
}

/// The numbers of one element: m, v, s.
private struct Pixel {
  let mean: Double
  let variance: Double
  let residual: Double

  var deviation: Double { variance.squareRoot() }
  var gain: Double { residual / variance }
  func gap(to value: Float) -> Double { Double(value) - mean }
}
