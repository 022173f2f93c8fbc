import Foundation
import Randomness
import Testing

@testable import Training

@Suite struct FactorAnalysisTests {
  private static let floor = 1e-9

  /// EM from PCA until a step gains less than `tolerance` nats.
  private func fit(
    _ moments: SecondMoments, rank: Int, floor: Double = floor, tolerance: Double = 1e-11
  ) -> (fit: FactorAnalysis, values: [Double]) {
    let axes = PrincipalAxes(moments, count: rank, floor: floor)
    var fit = FactorAnalysis(moments, axes: axes, rank: rank, floor: floor)
    let values = fit.fit(moments, floor: floor, tolerance: tolerance, limit: 5000)
    return (fit, values)
  }

  private func moments(_ rows: [Float], dimension: Int) -> SecondMoments {
    SecondMoments(
      rows[...], dimension: dimension,
      weights: [Double](repeating: 1, count: rows.count / dimension))
  }

  // The maximum of the likelihood is efficient: (n/2) tr (Σ⁻¹(Σ̂ − Σ))², which is Fisher's information in
  // the direction of the error, is χ² of as many degrees as there are free parameters,
  // d = P + P R − R(R − 1)/2, with mean d and deviation √(2d). Fails when: M⁻¹ is left out of the scores'
  // second moments, EM starts from the smallest axes, moments of the last block have another weight.
  @Test("EM recovers a known covariance within its sampling error", arguments: [1, 3])
  func recovery(rank: Int) {
    let (size, count) = (30, 4000)
    let key = RandomKey(seed: 31).child(rank)
    let model = FactorModel(dimension: size, rank: rank, strength: 0.5, key: key.child("model"))
    let rows = model.residuals(count, key: key.child("data"))
    let (fit, values) = fit(moments(rows, dimension: size), rank: rank)
    #expect(values.count < 5000)
    let exact = dense(model.truth.variances, model.truth.factors)
    let found = dense(fit.variances, fit.factors)
    let (error, _) = solve(exact, zip(found, exact).map { $0 - $1 }, size: size)
    var trace = 0.0
    for i in 0..<size {
      for j in 0..<size { trace += error[i * size + j] * error[j * size + i] }
    }
    let statistic = 0.5 * Double(count) * trace
    let degrees = Double(size + size * rank - rank * (rank - 1) / 2)
    #expect(abs(statistic - degrees) < 4 * (2 * degrees).squareRoot(), "\(statistic) of \(degrees)")
  }

  // Four elements have less variance than the floor. Fails when: s falls below the floor, M⁻¹ is left
  // out of the scores' second moments, ln|M| is halved, or the sign of the factors' part is turned.
  @Test("the likelihood never falls, and is the mean of the pictures' densities")
  func monotone() throws {
    let (size, count, floor) = (40, 300, 1e-3)
    let key = RandomKey(seed: 32)
    let model = FactorModel(dimension: size, rank: 6, strength: 0.4, key: key.child("model"))
    var rows = model.residuals(count, key: key.child("data"))
    for index in rows.indices where index % size < 4 { rows[index] *= 0.05 }
    let moments = moments(rows, dimension: size)
    for rank in [1, 5, 12] {
      let (end, values) = fit(moments, rank: rank, floor: floor, tolerance: 1e-7)
      #expect(values.count > 20)
      for (before, after) in zip(values, values.dropFirst()) {
        #expect(after >= before - 1e-10, "rank \(rank): \(before) to \(after)")
      }
      #expect(end.variances.allSatisfy { $0 >= floor })
      #expect(end.variances.prefix(4).allSatisfy { $0 == floor })
      var again = end
      let mean = end.logDensities(of: rows[...]).reduce(0, +) / Double(count)
      #expect(abs(again.step(moments, floor: floor) - mean) < 1e-9 * abs(mean))
      #expect(mean >= values[values.count - 1])
    }
    // From a start that is no fit at all.
    var stream = key.child("start").stream()
    var bad = FactorAnalysis(
      variances: [Double](repeating: 1, count: size), factors: stream.normals(3 * size))
    let values = bad.fit(moments, floor: floor, tolerance: 1e-6, limit: 2000)
    #expect(zip(values, values.dropFirst()).allSatisfy { $1 >= $0 - 1e-10 })
    let best = try #require(fit(moments, rank: 3, floor: floor).values.last)
    #expect(abs(values[values.count - 1] - best) < 0.05)
  }

  // Fails when: ln|M| is halved, the sign of the factors' part is turned.
  @Test("densities are those of the dense covariance", arguments: [0, 3])
  func densities(rank: Int) {
    let size = 12
    let model = FactorModel(dimension: size, rank: rank, strength: 2, key: RandomKey(seed: 33))
    let rows = [Float](repeating: 9, count: size) + model.residuals(7, key: RandomKey(seed: 34))
    let found = model.truth.logDensities(of: rows[size...])
    #expect(found.count == 7)
    let matrix = dense(model.truth.variances, model.truth.factors)
    for row in 0..<7 {
      let r = rows[(row + 1) * size..<(row + 2) * size].map { Double($0) }
      let (moved, logDeterminant) = solve(matrix, r, size: size)
      let distance = zip(r, moved).reduce(0) { $0 + $1.0 * $1.1 }
      let exact = -0.5 * (Double(size) * log(2 * Double.pi) + logDeterminant + distance)
      #expect(abs(found[row] - exact) < 1e-9 * abs(exact))
    }
  }

  // Fails when: the smallest come first.
  @Test("principal axes are the largest eigenvectors of the scaled moments")
  func axes() {
    let size = 9
    let model = FactorModel(dimension: size, rank: 2, strength: 1, key: RandomKey(seed: 35))
    let moments = moments(model.residuals(500, key: RandomKey(seed: 36)), dimension: size)
    let all = PrincipalAxes(moments, count: size, floor: Self.floor)
    let some = PrincipalAxes(moments, count: 3, floor: Self.floor)
    #expect(abs(all.values.reduce(0, +) - Double(size)) < 1e-9 && abs(all.trace - 9) < 1e-9)
    for axis in 0..<3 {
      #expect(abs(some.values[axis] - all.values[axis]) < 1e-9)
      #expect(all.values[axis] > all.values[axis + 1])
      let vector = some.vectors[axis * size..<(axis + 1) * size]
      for i in 0..<size {
        let image = (0..<size).reduce(0.0) {
          $0 + moments.matrix[i * size + $1] / some.scales[i] / some.scales[$1]
            * vector[vector.startIndex + $1]
        }
        #expect(abs(image - some.values[axis] * vector[vector.startIndex + i]) < 1e-9)
      }
    }
  }
}
