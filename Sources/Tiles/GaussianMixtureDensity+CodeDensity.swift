import CLAPACK
import Flows
import Foundation
import Numerics
import Randomness

extension GaussianMixtureDensity: CodeDensity {
  /// ln Σ_m w_m N(z; μ_m, Σ_m) and −Σ_m r_m Σ_m⁻¹(z − μ_m), r_m the components' shares. Cost: M K² a code and
  /// M K³ once.
  public func scores(of codes: [Float]) -> (logDensities: [Double], gradients: [Float]) {
    precondition(codes.count % dimension == 0, "codes are rows of \(dimension) numbers")
    let (size, number) = (dimension, codes.count / dimension)
    var parts = [Double](repeating: -.infinity, count: number * componentCount)
    var pulls = [Double](repeating: 0, count: codes.count * componentCount)
    var offset = [Double](repeating: 0, count: size)
    for component in 0..<componentCount where weights[component] > 0 {
      guard let (upper, logDeterminant) = factor(component, adding: 0) else {
        preconditionFailure("a mixture's covariances are positive definite")
      }
      let constant =
        log(weights[component]) - 0.5 * logDeterminant - halfLogTwoPi * Double(size)
      for row in 0..<number {
        for index in 0..<size {
          offset[index] =
            Double(codes[row * size + index]) - Double(means[component * size + index])
        }
        var pull = offset
        _ = LAPACKE_dpotrs_work(
          LAPACK_COL_MAJOR, 0x55 /* U */, Int32(size), 1, upper, Int32(size), &pull, Int32(size))
        var form = 0.0
        for index in 0..<size { form += offset[index] * pull[index] }
        parts[row * componentCount + component] = constant - 0.5 * form
        let start = (row * componentCount + component) * size
        for index in 0..<size { pulls[start + index] = pull[index] }
      }
    }
    var (values, gradients) = ([Double](), [Float](repeating: 0, count: codes.count))
    for row in 0..<number {
      let range = row * componentCount..<(row + 1) * componentCount
      let top = parts[range].max()!
      let sum = parts[range].reduce(0) { $0 + exp($1 - top) }
      values.append(top + log(sum))
      for index in 0..<size {
        var gradient = 0.0
        for part in range { gradient -= exp(parts[part] - top) / sum * pulls[part * size + index] }
        gradients[row * size + index] = Float(gradient)
      }
    }
    return (values, gradients)
  }

  /// A component by its weight, then μ + Uᵀ n with UᵀU = Σ.
  public func draws(_ count: Int, key: RandomKey) -> [Float] {
    var stream = key.stream()
    let chosen = (0..<count).map { _ in
      var left = stream.uniform()
      for component in 0..<componentCount {
        left -= weights[component]
        if left < 0 { return component }
      }
      return weights.lastIndex { $0 > 0 }!
    }
    var factors: [Int: [Double]] = [:]
    var codes: [Float] = []
    codes.reserveCapacity(count * dimension)
    for component in chosen {
      if factors[component] == nil { factors[component] = factor(component, adding: 0)?.upper }
      let upper = factors[component]!
      let white = stream.normals(dimension)
      for row in 0..<dimension {
        // Column by column, Uᵀ has row `row` of U's column.
        var value = Double(means[component * dimension + row])
        for index in 0...row { value += upper[row * dimension + index] * white[index] }
        codes.append(Float(value))
      }
    }
    return codes
  }
}
