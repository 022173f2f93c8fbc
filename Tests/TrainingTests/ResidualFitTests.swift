import Foundation
import Numerics
import Randomness
import Testing

@testable import Training

@Suite struct ResidualFitTests {
  /// Pictures whose scale varies by a factor of ten, as those of a decoder do: of each element the
  /// fourth moment is about 3 exp(4·0.8²) = 39 times the squared variance.
  private static func uneven(_ stream: inout RandomStream) -> Double { exp(0.8 * stream.normal()) }
  private static func even(_ stream: inout RandomStream) -> Double { 1 }

  private func second(_ rows: [Float], _ size: Int) -> [Double] {
    var totals = [Double](repeating: 0, count: size)
    for (index, value) in rows.enumerated() {
      totals[index % size] += Double(value) * Double(value) / Double(rows.count / size)
    }
    return totals
  }

  // Fails when: a fit is scored on its own half (then 16 wins), or the last rank is the one used.
  @Test("the rank of a clear case is found, whatever the scales", arguments: [false, true])
  func trueRank(isUneven: Bool) {
    let size = 36
    let key = RandomKey(seed: 41)
    let model = FactorModel(dimension: size, rank: 8, strength: 0.5, key: key.child("model"))
    let rows = model.residuals(
      2000, key: key.child("data"), scale: isUneven ? Self.uneven : Self.even)
    let fit = ResidualFit(rows, dimension: size)
    #expect(fit.scores.map(\.rank) == [0, 4, 8, 16])
    #expect(fit.covariance.rank == 8)
    #expect(fit.score?.rank == 8)
    let gain = (fit.score?.logLikelihood ?? 0) - fit.scores[0].logLikelihood
    #expect(gain > 5)
    // The mean gain of the truth itself: ½ (Σ ln Σ_ii − ln|Σ|) where scales are even.
    let exact = dense(model.truth.variances, model.truth.factors)
    let logDeterminant = solve(exact, exact, size: size).logDeterminant
    let marginal = (0..<size).reduce(0) { $0 + log(exact[$1 * size + $1]) }
    if !isUneven { #expect(abs(gain / (0.5 * (marginal - logDeterminant)) - 1) < 0.1) }
  }

  // Fails when: a fit is scored on its own half, ln|M| is halved, or the last rank is the one used.
  @Test("noise without factors gets none, whatever the scales", arguments: [false, true])
  func noFactors(isUneven: Bool) {
    let key = RandomKey(seed: 42)
    let model = FactorModel(dimension: 36, rank: 0, strength: 0, key: key.child("model"))
    let rows = model.residuals(
      2000, key: key.child("data"), scale: isUneven ? Self.uneven : Self.even)
    let fit = ResidualFit(rows, dimension: 36)
    #expect(fit.covariance.rank == 0)
    #expect(fit.covariance.factors.isEmpty)
  }

  // Correlations of n even pictures have errors of (1 − ρ²)/√n, whose sum of squares scatters by half of
  // itself; weights keep them so for uneven ones, where plain second moments make it five times as large
  // or more, and weights under the diagonal alone nearly four. Fails when: weights are left out or not
  // taken anew, or EM ends early.
  @Test("correlations of uneven pictures are found as well as those of even ones")
  func weights() {
    let (size, count) = (60, 3000)
    let key = RandomKey(seed: 43)
    let model = FactorModel(dimension: size, rank: 4, strength: 0.3, key: key.child("model"))
    let rows = model.residuals(count, key: key.child("data"), scale: Self.uneven)
    let fit = ResidualFit(rows, dimension: size)
    #expect(fit.covariance.rank == 4)
    let exact = dense(model.truth.variances, model.truth.factors)
    let found = dense(
      fit.covariance.variances.map { Double($0) }, fit.covariance.factors.map { Double($0) })
    func correlation(_ matrix: [Double], _ i: Int, _ j: Int) -> Double {
      matrix[i * size + j] / (matrix[i * size + i] * matrix[j * size + j]).squareRoot()
    }
    var (errors, bound) = (0.0, 0.0)
    for i in 0..<size {
      for j in 0..<i {
        let rho = correlation(exact, i, j)
        let error = correlation(found, i, j) - rho
        errors += error * error
        bound += (1 - rho * rho) * (1 - rho * rho) / Double(count)
      }
    }
    #expect(errors < 2 * bound, "\(errors) of \(bound)")
  }

  // Element 0 never errs, element 1 by half a grey level, 2 is a copy of 3: without a floor its s would
  // be 0. Fails when: EM's own diagonal, that of the weighted moments, is kept; the floor is put on the
  // diagonal only.
  @Test("marginal variances are the second moments, and no element is known exactly")
  func marginals() {
    let size = 36
    let key = RandomKey(seed: 44)
    let model = FactorModel(dimension: size, rank: 8, strength: 0.5, key: key.child("model"))
    var rows = model.residuals(1600, key: key.child("data"), scale: Self.uneven)
    for start in stride(from: 0, to: rows.count, by: size) {
      rows[start] = 0
      rows[start + 1] *= 0.01
      rows[start + 2] = rows[start + 3]
    }
    let fit = ResidualFit(rows, dimension: size)
    let covariance = fit.covariance
    #expect(covariance.rank > 0)
    let floor = Float(ResidualFit.floor)
    #expect(covariance.variances.allSatisfy { $0 >= floor })
    #expect(covariance.variances[2] < 0.1 * covariance.marginalVariances[2])
    for (found, moment) in zip(covariance.marginalVariances, second(rows, size)) {
      let exact = max(moment, ResidualFit.floor)
      #expect(abs(Double(found) - exact) < 1e-5 * exact)
    }
    #expect(covariance.marginalVariances[0] == floor)
  }

  // Fails when: the best is always taken; the error is that of the likelihoods, which here differ by 100
  // nats from picture to picture, and not of their differences.
  @Test("the smallest rank within a standard error of the best is taken")
  func oneStandardError() {
    var stream = RandomKey(seed: 45).stream()
    let base = stream.normals(400).map { 100 * $0 }
    func plus(_ gain: Double) -> [Double] {
      // Differences have a deviation of 2 and the standard error 0.1, half above and half below.
      base.indices.map { base[$0] + gain + ($0 % 2 == 0 ? 2 : -2) }
    }
    #expect(ResidualFit.choose([base, plus(0.05), plus(0.09)]) == 0)
    #expect(ResidualFit.choose([base, plus(0.3)]) == 1)
    #expect(ResidualFit.choose([base, plus(1), plus(0.9)]) == 1)
    #expect(ResidualFit.choose([base, plus(1), plus(3)]) == 2)
    #expect(ResidualFit.choose([base, base.map { $0 - 1 }]) == 0)
    #expect(ResidualFit.choose([base]) == 0)
    // A constant gain has no error at all.
    #expect(ResidualFit.choose([base, base.map { $0 + 1e-3 }]) == 1)
  }

  // Fails when: the last rank is the one used; a half without pictures is fitted, which ends the process.
  @Test("few pictures, or none that errs, get a diagonal")
  func few() {
    var stream = RandomKey(seed: 46).stream()
    for count in [1, 2, 3, 9, 31] {
      let rows = stream.normals(count * 10).map { Float($0) }
      let fit = ResidualFit(rows, dimension: 10)
      #expect(fit.covariance.rank == 0)
      #expect(fit.scores.isEmpty == (count == 1) && (fit.score == nil) == (count == 1))
    }
    let still = ResidualFit([Float](repeating: 0, count: 64 * 20), dimension: 20)
    #expect(still.covariance.marginalVariances.allSatisfy { $0 == Float(ResidualFit.floor) })
    #expect(still.covariance.rank == 0)
  }
}
