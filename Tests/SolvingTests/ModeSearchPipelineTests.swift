import Foundation
import Randomness
import SmallModels
import Testing

@testable import Numerics
@testable import Sampling
@testable import Solving

@Suite struct ModeSearchPipelineTests {
  private static let covariance = [0.5, -0.3, -0.3, 0.4]

  private func modes(_ weights: [Double]) throws -> ModeSet {
    let metric = try #require(DenseMetric(covariance: Self.covariance, dimension: 2))
    return ModeSet(
      entries: weights.enumerated().map { index, weight in
        .init(
          mode: Mode(
            position: [100 * Double(index), -3], logDensity: -Double(index), starts: 1),
          metric: metric, weight: weight)
      }, isConverged: true)
  }

  /// Chains that start near each mode, in order.
  private func shares(_ weights: [Double], count: Int) throws -> [Int] {
    let starts = try modes(weights).chainStarts(count: count, key: RandomKey(seed: 1))
    #expect(starts.count == count)
    let nearest = starts.map { Int((($0[0]) / 100).rounded()) }
    #expect(nearest == nearest.sorted(), "chains lie in the order of modes")
    return weights.indices.map { index in nearest.count { $0 == index } }
  }

  // Fails when: shares are rounded one by one, the remainders go to the smallest, or ties go to the
  // last.
  @Test(
    "each mode gets its share of the chains",
    arguments: [
      ([1], 16, [16]), ([0.62, 0.38], 16, [10, 6]), ([0.62, 0.38], 4, [2, 2]),
      ([0.62, 0.38], 1, [1, 0]), ([0.5, 0.5], 3, [2, 1]), ([0.5, 0.3, 0.2], 8, [4, 2, 2]),
      ([0.34, 0.33, 0.33], 4, [2, 1, 1]), ([0.97, 0.01, 0.01, 0.01], 16, [16, 0, 0, 0]),
      ([0.4, 0.35, 0.25], 0, [0, 0, 0]), ([1 - 1e-16, 1e-16], 7, [7, 0]),
      ([1.0 / 3, 1.0 / 3, 1.0 / 3], 3, [1, 1, 1]),
    ] as [([Double], Int, [Int])])
  func chainShares(_ weights: [Double], _ count: Int, _ expected: [Int]) throws {
    #expect(try shares(weights, count: count) == expected)
  }

  // 20 000 starts: the error of a mean is √(Σᵢᵢ/n), of a covariance √((ΣᵢᵢΣⱼⱼ + Σᵢⱼ²)/n). Fails when:
  // the factor is transposed, the starts are not moved to the mode, or two chains share numbers.
  @Test("chains start from the mode's Gaussian approximation")
  func spread() throws {
    let count = 20_000
    let starts = try modes([1]).chainStarts(count: count, key: RandomKey(seed: 7))
    #expect(Set(starts).count == count)
    let mean = (0..<2).map { i in starts.reduce(0) { $0 + $1[i] } / Double(count) }
    let c = Self.covariance
    for (i, center) in [0.0, -3].enumerated() {
      #expect(abs(mean[i] - center) < 4 * (c[3 * i] / Double(count)).squareRoot())
      for j in 0...i {
        let found =
          starts.reduce(0) { $0 + ($1[i] - mean[i]) * ($1[j] - mean[j]) } / Double(count)
        let error = ((c[3 * i] * c[3 * j] + c[2 * i + j] * c[2 * i + j]) / Double(count))
          .squareRoot()
        #expect(abs(found - c[2 * i + j]) < 4 * error)
      }
    }
    #expect(try modes([1]).chainStarts(count: 5, key: RandomKey(seed: 7)) == Array(starts[..<5]))
  }

  // Fails when: the factor 2 or the sign is wrong.
  @Test("half the log determinant of a covariance")
  func logDeterminant() throws {
    let metric = try #require(DenseMetric(covariance: Self.covariance, dimension: 2))
    #expect(abs(metric.halfLogDeterminant - 0.5 * log(0.5 * 0.4 - 0.09)) < 1e-14)
  }

  // The heaviest mode is not always the highest. Fails when: the MAP is the first entry.
  @Test("the MAP is the mode of the highest density, the metric that of the heaviest")
  func best() throws {
    let set = try modes([0.6, 0.4])
    #expect(set.best.position == [0, -3])
    let turned = ModeSet(entries: set.entries.reversed(), isConverged: true)
    #expect(turned.best.position == [0, -3])
    #expect(turned.metric == turned.entries[0].metric)
  }

  // The candidates are drawn behind the fifteen starts, and their log density is known: −½|u|² − ½|y − x|²/σ².
  // Fails when: the least probable are taken, or others' densities; candidates are not the problem's own.
  @Test("climbs start from the most probable of many prior draws too")
  func starts() throws {
    let model = try linearModel()
    let solver = PosteriorSolver(model, sigma: 0.2)
    let data: [Float] = [1.5, -0.7, 0.1, 0]
    let (posterior, picture) = try solver.posterior(of: data, sigma: 0.2)
    let search = ModeSearchPipeline(model: model, posterior: posterior, pool: solver.pool)
    let key = RandomKey(seed: 5)
    let starts = try search.starts(for: [picture], key: key)[0]
    #expect(starts.count == 1 + 15 + 16)
    var stream = key.child(0).stream()
    _ = stream.normals(15 * 2)
    let candidates = (0..<512).map { _ in stream.normals(2) }
    func density(_ u: [Double]) -> Double {
      let squares = pow(Double(data[0]) - u[0], 2) + pow(Double(data[1]) - u[1], 2)
      return -0.5 * (u[0] * u[0] + u[1] * u[1]) - 0.5 * squares / 0.04
    }
    let best = candidates.sorted { density($0) > density($1) }.prefix(16)
    #expect(Array(starts.suffix(16)) == Array(best))
  }
}
