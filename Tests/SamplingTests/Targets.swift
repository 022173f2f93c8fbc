import Foundation
import Probability
import Randomness
import Sampling
import Workers

/// A density written as a function of one position; problems differ by what the function makes of
/// their number.
struct FunctionTarget: LogDensity {
  let dimension: Int
  var problemCount = 1
  /// (problem, position, gradient to fill) → value.
  let function: @Sendable (Int, [Double], inout [Double]) -> Double

  func makeEvaluator(problems: [Int]) throws -> any LogDensityEvaluator {
    FunctionEvaluator(target: self, problems: problems)
  }
}

final class FunctionEvaluator: LogDensityEvaluator {
  let target: FunctionTarget
  let problems: [Int]
  private var position: [Double]
  private var gradient: [Double]

  init(target: FunctionTarget, problems: [Int]) {
    self.target = target
    self.problems = problems
    position = [Double](repeating: 0, count: target.dimension)
    gradient = position
  }

  func evaluate(
    _ positions: Span<Double>, values: inout MutableSpan<Double>,
    gradients: inout MutableSpan<Double>
  ) {
    let d = target.dimension
    for lane in problems.indices {
      for i in 0..<d { position[i] = positions[lane * d + i] }
      values[lane] = target.function(problems[lane], position, &gradient)
      for i in 0..<d { gradients[lane * d + i] = gradient[i] }
    }
  }
}

/// N(mean + shift · problem, Σ) with Σ = A Aᵀ, log density without its constant.
struct GaussianTarget {
  let mean: [Double]
  /// Σ, D × D.
  let covariance: [Double]
  /// Σ⁻¹, D × D.
  let precision: [Double]
  var dimension: Int { mean.count }

  init(mean: [Double], covariance: [Double]) {
    self.mean = mean
    self.covariance = covariance
    // DenseMetric(precision:) inverts; it is itself tested against a product.
    precision = DenseMetric(precision: covariance, dimension: mean.count)!.covariance
  }

  /// Standard deviations from 0.03 to 3 and correlations of both signs; mean 1, 2, 3, …
  static func correlated(dimension: Int, seed: UInt64 = 5) -> GaussianTarget {
    var stream = RandomKey(seed: seed).child("target").stream()
    let mixing = stream.normals(dimension * dimension)
    var covariance = [Double](repeating: 0, count: dimension * dimension)
    for i in 0..<dimension {
      for j in 0..<dimension {
        var sum = i == j ? 1.0 : 0
        for k in 0..<dimension {
          sum += mixing[i * dimension + k] * mixing[j * dimension + k] / Double(dimension)
        }
        let scale = pow(10, -1.5 + 2 * Double(i) / Double(max(1, dimension - 1)))
        let otherScale = pow(10, -1.5 + 2 * Double(j) / Double(max(1, dimension - 1)))
        covariance[i * dimension + j] = sum * scale * otherScale
      }
    }
    return GaussianTarget(mean: (0..<dimension).map { Double($0 + 1) }, covariance: covariance)
  }

  func density(problems: Int = 1, shift: Double = 0) -> FunctionTarget {
    let (mean, precision, d) = (mean, precision, dimension)
    return FunctionTarget(dimension: d, problemCount: problems) { problem, x, gradient in
      var value = 0.0
      for i in 0..<d { gradient[i] = 0 }
      for j in 0..<d {
        let difference = x[j] - mean[j] - shift * Double(problem)
        for i in 0..<d { gradient[i] -= precision[j * d + i] * difference }
      }
      for j in 0..<d { value += 0.5 * (x[j] - mean[j] - shift * Double(problem)) * gradient[j] }
      return value
    }
  }
}

/// Runs `body` in a single lane of the density and returns what it leaves in the box.
func inOneLane<Result: Sendable>(
  _ density: any LogDensity, _ body: @escaping @Sendable (Lane) async -> Result
) throws -> Result {
  let batch = try LaneBatch(
    density: density, problems: [0], lanesPerBlock: 1, pool: WorkerPool(threads: 1))
  let box = Box<Result>()
  batch.run { lane in box.value = await body(lane) }
  return box.value!
}

final class Box<Value>: @unchecked Sendable {
  var value: Value?
}
