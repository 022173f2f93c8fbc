import Maps
import Randomness
import Tensors

// Notation: as in DiagonalizedMeasurement.swift; y' = Vᵀy, w = 1/(λ + σ²), t = y' − M m.
//
//   E(ε | y, m) = Σ Mᵀ (w t)          Var(ε | y, m)_pp = Σ_pp − Σ_d w_d (MΣ)²_dp
//   a draw: ε₀ ~ N(0, Σ), n ~ noise;  ε = ε₀ + Σ Mᵀ w (t − M ε₀ − Vᵀn)

/// What the decoder cannot paint, given the mean image and data of any linear instrument: Gaussian, with
/// moments and draws in closed form. Draws are by conditioning a joint draw of ε and data (Matheron's
/// rule: Journel and Huijbregts, Mining Geostatistics, 1978).
package struct LinearResidualConditional: ResidualLaw {
  let instrument: DiagonalizedMeasurement
  /// M in single precision.
  let map: any DifferentiableMap
  /// y', D.
  let data: PixelData
  /// (MΣ)²_dp, D×P.
  private let squares: [Double]

  /// - Parameters:
  ///   - map: M of `instrument` as a map from pictures to turned data.
  ///   - data: the turned data of one picture.
  package init(
    instrument: DiagonalizedMeasurement, map: any DifferentiableMap, data: PixelData
  ) {
    precondition(map.codomain.count == instrument.count && data.count == instrument.count)
    self.instrument = instrument
    self.map = map
    self.data = data
    let residual = instrument.measurement.residual
    squares = residual.applied(toRowsOf: instrument.matrix).map { $0 * $0 }
  }

  package var accumulatorCount: Int { instrument.count }

  package func variances(averaged weights: [Double]) -> [Double] {
    let residual = instrument.measurement.residual
    let explained = product(weights, squares, 1, instrument.count, residual.count)
    return zip(residual.marginalVariances, explained).map { max(0, Double($0) - $1) }
  }

  package func makePlan(lanes: Int) throws(PlanError) -> any ResidualLawPlan {
    LinearResidualPlan(self, plan: try map.makePlan(lanes: lanes), lanes: lanes)
  }
}

final class LinearResidualPlan: ResidualLawPlan {
  private let law: LinearResidualConditional
  private let plan: any MapPlan
  private let pixels: Int
  private let turned: FloatBuffer
  private let pulls: FloatBuffer

  init(_ law: LinearResidualConditional, plan: any MapPlan, lanes: Int) {
    self.law = law
    self.plan = plan
    pixels = law.map.domain.count
    turned = FloatBuffer(lanes * law.instrument.count)
    pulls = FloatBuffer(lanes * pixels)
  }

  func moments(
    images: Span<Float>, sigmas: Span<Double>, count: Int, means: inout MutableSpan<Float>,
    accumulator: inout [Double]
  ) {
    let (data, variances) = (law.data, law.instrument.variances)
    var turnedSpan = turned.buffer.mutableSpan
    plan.apply(images, into: &turnedSpan)
    for lane in 0..<count {
      let squared = sigmas[lane] * sigmas[lane]
      for datum in variances.indices {
        let index = lane * variances.count + datum
        let weight = 1 / (variances[datum] + squared)
        turned.pointer[index] = Float(
          weight * (Double(data.values[datum]) - Double(turned.pointer[index])))
        accumulator[datum] += weight
      }
    }
    var pullSpan = pulls.buffer.mutableSpan
    plan.vjp(turned.buffer.span, into: &pullSpan)
    for lane in 0..<count {
      let row = Array(pulls.buffer[lane * pixels..<(lane + 1) * pixels])
      let residual = law.instrument.measurement.residual.applied(to: row.map { Double($0) })
      for pixel in 0..<pixels { means[lane * pixels + pixel] = Float(residual[pixel]) }
    }
  }

  func draw(
    images: Span<Float>, sigma: Double, stream: inout RandomStream, into residuals: inout [Float]
  ) {
    let instrument = law.instrument
    let covariance = instrument.measurement.residual
    let own = covariance.draw(&stream)
    let noise = instrument.drawNoise(sigma: instrument.includedSigma ?? sigma, stream: &stream)
    let picture = (0..<pixels).map { Double(images[$0]) + own[$0] }
    let painted = product(instrument.matrix, picture, instrument.count, pixels, 1)
    let pull = instrument.variances.indices.map { datum in
      (Double(law.data.values[datum]) - painted[datum] - noise[datum])
        / (instrument.variances[datum] + sigma * sigma)
    }
    let correction = covariance.applied(
      to: product(pull, instrument.matrix, 1, instrument.count, pixels))
    for pixel in 0..<pixels { residuals[pixel] = Float(own[pixel] + correction[pixel]) }
  }
}

extension ResidualCovariance {
  /// Σ v.
  func applied(to vector: [Double]) -> [Double] {
    var result = zip(variances, vector).map { Double($0) * $1 }
    for factor in 0..<rank {
      let start = factor * count
      var common = 0.0
      for index in 0..<count { common += Double(factors[start + index]) * vector[index] }
      for index in 0..<count { result[index] += common * Double(factors[start + index]) }
    }
    return result
  }

  /// M Σ for a matrix of rows of P elements.
  func applied(toRowsOf matrix: [Double]) -> [Double] {
    var result = matrix
    for index in result.indices { result[index] *= Double(variances[index % count]) }
    guard rank > 0 else { return result }
    let rows = matrix.count / count
    let wide = factors.map { Double($0) }
    let common = product(
      productTransposed(matrix, wide, rows, count, rank), wide, rows, rank, count)
    for index in result.indices { result[index] += common[index] }
    return result
  }

  /// One draw of ε.
  func draw(_ stream: inout RandomStream) -> [Double] {
    var result = zip(variances, stream.normals(count)).map { Double($0).squareRoot() * $1 }
    for (factor, amount) in stream.normals(rank).enumerated() {
      for index in 0..<count { result[index] += amount * Double(factors[factor * count + index]) }
    }
    return result
  }
}
