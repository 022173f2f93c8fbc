import Maps
import Noise
import Numerics
import Randomness
import Tensors

// Notation: as in DiagonalizedMeasurement.swift; y' = Vᵀy, w = 1/(α²λ + σ²), t = y' − M m.
//
//   E(ε | y, m) = α²Σ Mᵀ (w t)        Var(ε | y, m)_pp = α²Σ_pp − α⁴ Σ_d w_d (MΣ)²_dp
//   a draw: ε₀ ~ N(0, α²Σ), n ~ noise;  ε = ε₀ + α²Σ Mᵀ w (t − M ε₀ − Vᵀn)

/// What the decoder cannot paint, given the mean image and data of any linear instrument: Gaussian, with
/// moments and draws in closed form. Draws are by conditioning a joint draw of ε and data (Matheron's
/// rule: Journel and Huijbregts, Mining Geostatistics, 1978).
package struct LinearResidualConditional: ResidualLaw {
  let instrument: DiagonalizedMeasurement
  /// M in single precision, or (M | −Vᵀ) for pictures with values before clipping behind them.
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

  /// α⁴ w for each datum, then α².
  package var accumulatorCount: Int { instrument.count + 1 }

  package func variances(averaged accumulator: [Double]) -> [Double] {
    let residual = instrument.measurement.residual
    let scale = accumulator[instrument.count]
    let explained = matrixProduct(
      Array(accumulator.prefix(instrument.count)), squares, rows: 1, inner: instrument.count,
      columns: residual.count)
    return zip(residual.marginalVariances, explained).map { max(0, scale * Double($0) - $1) }
  }

  /// w of a datum.
  func precision(_ datum: Int, _ levels: NoiseLevels) -> Double {
    1 / data.variance(datum, mean: 0, levels)
  }

  package func makePlan(lanes: Int) throws(PlanError) -> any ResidualLawPlan {
    LinearResidualPlan(self, plan: try map.makePlan(lanes: lanes), lanes: lanes)
  }
}

final class LinearResidualPlan: ResidualLawPlan {
  private let law: LinearResidualConditional
  private let plan: any MapPlan
  private let pixels: Int
  private let stride: Int
  private let turned: FloatBuffer
  private let pulls: FloatBuffer

  init(_ law: LinearResidualConditional, plan: any MapPlan, lanes: Int) {
    self.law = law
    self.plan = plan
    pixels = law.instrument.measurement.residual.count
    stride = law.map.domain.count
    turned = FloatBuffer(lanes * law.instrument.count)
    pulls = FloatBuffer(lanes * stride)
  }

  func moments(
    images: Span<Float>, levels: Span<NoiseLevels>, count: Int, means: inout MutableSpan<Float>,
    accumulator: inout [Double]
  ) {
    let data = law.data
    var turnedSpan = turned.buffer.mutableSpan
    plan.apply(images, into: &turnedSpan)
    for lane in 0..<count {
      let scale = levels[lane].residualScale * levels[lane].residualScale
      for datum in 0..<data.count {
        let index = lane * data.count + datum
        let weight = scale * law.precision(datum, levels[lane])
        turned.pointer[index] = Float(
          weight * (Double(data.values[datum]) - Double(turned.pointer[index])))
        accumulator[datum] += scale * weight
      }
      accumulator[data.count] += scale
    }
    var pullSpan = pulls.buffer.mutableSpan
    plan.vjp(turned.buffer.span, into: &pullSpan)
    var rows = [Double](repeating: 0, count: count * pixels)
    for lane in 0..<count {
      for pixel in 0..<pixels {
        rows[lane * pixels + pixel] = Double(pulls.pointer[lane * stride + pixel])
      }
    }
    let residuals = law.instrument.measurement.residual.applied(toRowsOf: rows)
    for index in residuals.indices { means[index] = Float(residuals[index]) }
  }

  func draw(
    images: Span<Float>, levels: NoiseLevels, stream: inout RandomStream,
    into residuals: inout [Float]
  ) {
    let instrument = law.instrument
    let covariance = instrument.measurement.residual
    let own = covariance.draw(&stream).map { levels.residualScale * $0 }
    let noise = instrument.drawNoise(
      sigma: instrument.includedSigma ?? levels.sigma, stream: &stream)
    var turnedSpan = turned.buffer.mutableSpan
    plan.apply(images, into: &turnedSpan)
    let painted = matrixProduct(
      instrument.matrix, own, rows: instrument.count, inner: pixels, columns: 1)
    let scale = levels.residualScale * levels.residualScale
    let pull = painted.indices.map { datum in
      (Double(law.data.values[datum]) - Double(turned.pointer[datum]) - painted[datum]
        - noise[datum]) * scale * law.precision(datum, levels)
    }
    let correction = covariance.applied(
      toRowsOf: matrixProduct(
        pull, instrument.matrix, rows: 1, inner: instrument.count, columns: pixels))
    for pixel in 0..<pixels { residuals[pixel] = Float(own[pixel] + correction[pixel]) }
  }
}

extension ResidualCovariance {
  /// M Σ for a matrix of rows of P elements.
  func applied(toRowsOf matrix: [Double]) -> [Double] {
    var result = matrix
    let rows = matrix.count / count
    for row in 0..<rows {
      for index in 0..<count { result[row * count + index] *= Double(variances[index]) }
    }
    guard rank > 0 else { return result }
    let wide = factors.map { Double($0) }
    let common = matrixProduct(
      matrixProductTransposed(matrix, wide, rows: rows, inner: count, columns: rank), wide,
      rows: rows, inner: rank, columns: count)
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
