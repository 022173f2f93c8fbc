import Noise
import Numerics

// JᵀWJ from the means at the differences of all directions: lane k holds the means at +h along direction
// k, lane K + k those at −h.

extension GaussNewtonMetric {
  /// JᵀWJ, K×K, its lower triangle.
  func independentInformation(_ means: [Float], weights: [Float]) -> [Double] {
    let (latent, count) = (posterior.latentDimension, weights.count)
    let scale = 1 / (2 * Double(Self.differenceStep))
    // √W J, one row for each base variable.
    var jacobian = [Double](repeating: 0, count: latent * count)
    for k in 0..<latent {
      for datum in 0..<count where weights[datum] > 0 {
        let difference = means[k * count + datum] - means[(latent + k) * count + datum]
        jacobian[k * count + datum] =
          Double(difference) * scale * Double(weights[datum]).squareRoot()
      }
    }
    return Self.products(jacobian, jacobian, rows: latent)
  }

  /// JᵀC⁻¹J, K×K, its lower triangle.
  func correlatedInformation(_ means: [Float], _ plan: any NoisePlan) -> [Double] {
    let latent = posterior.latentDimension
    let count = posterior.meanMap.codomain.count
    let scale = 1 / (2 * Double(Self.differenceStep))
    let jacobian = (0..<latent * count).map { index in
      Double(means[index] - means[latent * count + index]) * scale
    }
    var values = [Double](repeating: 0, count: latent)
    var pulls = jacobian
    var valueSpan = values.mutableSpan
    var pullSpan = pulls.mutableSpan
    plan.evaluate(jacobian.span, logDensities: &valueSpan, gradients: &pullSpan)
    return Self.products(jacobian, pulls.map { -$0 }, rows: latent)
  }

  /// A Bᵀ of two matrices with `rows` rows, its lower triangle.
  private static func products(_ a: [Double], _ b: [Double], rows: Int) -> [Double] {
    let count = a.count / rows
    var result = [Double](repeating: 0, count: rows * rows)
    for row in 0..<rows {
      for column in 0...row {
        var sum = 0.0
        for datum in 0..<count { sum += a[row * count + datum] * b[column * count + datum] }
        result[row * rows + column] = sum
      }
    }
    return result
  }
}
