import Diagnostics
import Flows
import Foundation
import Inversion
import Probability
import Testing

@testable import Judging
@testable import Numerics

@Suite struct PriorMisfitTests {
  /// z = e^(−s) u + mean, two variables: ln p(z) = −½‖u‖² − ln 2π + Σ s.
  private func reference() throws -> PriorReference {
    try PriorReference(
      flow: NormalizingFlow(
        layers: [.affine], dimension: 2, parameters: [0.3, -2, 0.5, 0.25]))
  }

  // Fails when: the determinant, its sign or the constant is lost; rows beyond the first plan's are left
  // out. −½‖u‖² of single-precision codes is good to 1e-5.
  @Test("ln p(z) of an affine flow is a normal density times its determinant")
  func density() throws {
    let reference = try reference()
    let base = (0..<250).map { Double($0) / 100 - 1.25 }
    let found = try reference.evaluate(base)
    #expect(found.count == 125)
    for (row, value) in found.enumerated() {
      let norm = pow(base[2 * row], 2) + pow(base[2 * row + 1], 2)
      #expect(abs(value - (0.75 - 0.5 * norm - log(2 * Double.pi))) < 1e-5)
    }
  }

  // P(ln p > c) = P(‖u‖² < t) = 1 − e^(−t/2) at c = ln p of ‖u‖² = t; 2,000 draws leave a standard error of
  // at most 1.12 per cent. Fails when: less probable draws are counted; ends are 0 or 100.
  @Test("the percentile of a density is the share of draws above it")
  func percentile() throws {
    let reference = try reference()
    for t in [0.2, 1, 2, 4] {
      let value = 0.75 - 0.5 * t - log(2 * Double.pi)
      #expect(abs(reference.percentile(value) - 100 * (1 - exp(-t / 2))) < 4 * 1.12)
    }
    #expect(abs(reference.percentile(-1e9) - 100 * 2000.5 / 2001) < 1e-9)
    #expect(reference.percentile(1e9) > 0)
  }

  private func misfit(norm: Double, logScale: Double?, reading: Double? = nil) throws -> PriorMisfit
  {
    let positions = [norm.squareRoot(), 0, 70, logScale ?? 0, 0, -norm.squareRoot(), -70]
    let set = DrawSet(
      chains: 1, draws: 2, dimension: 4, positions: positions + [logScale ?? 0],
      logDensities: [0, 0])
    return try PriorMisfit(
      draws: set, prior: reference(),
      scale: logScale.map { _ in ResidualScale(mean: 0.2, deviation: 0.5) }, reading: reading)
  }

  // P(χ²₂ ≤ t) = 1 − e^(−t/2). Fails when: ln σ is counted in the norm; a bound moves.
  @Test("the norm of the draws is held against χ²_K")
  func norm() throws {
    for (norm, verdict) in [
      (1.0, PriorMisfit.Verdict.inFamily), (11, .inFamily), (15, .doubtful), (40, .outOfFamily),
      (1000, .outOfFamily),
    ] {
      let misfit = try misfit(norm: norm, logScale: nil)
      #expect(abs(misfit.normPercentile - 100 * (1 - exp(-norm / 2))) < 1e-9)
      #expect(misfit.verdict == verdict && misfit.scalePercentile == nil)
      #expect(misfit.reason.contains("far out") == (misfit.normPercentile >= 99.9))
    }
  }

  // Φ of whole standard deviations. Fails when: α's prior mean or deviation is left out; small α is as
  // suspicious as large; the last coordinate is not ln α.
  @Test("the residual's scale is held against its prior, and joined with the density")
  func scale() throws {
    for (logScale, percentile) in [
      (0.2, 50.0), (-0.8, 2.275013194817921), (0.7, 84.1344746068543), (1.2, 97.7249868051821),
      (2.2, 99.9968328758167),
    ] {
      let misfit = try misfit(norm: 1, logScale: logScale)
      let found = try #require(misfit.scalePercentile)
      #expect(abs(found - percentile) < 1e-9)
      // S = (d + a/2)/√1.25. Fails when: w or the normalization is another.
      let d = normalQuantile(misfit.densityPercentile / 100)
      let joint = (d + (logScale - 0.2)) / 1.25.squareRoot()
      #expect(abs(normalQuantile(misfit.percentile / 100) - joint) < 1e-6)
      let verdict: PriorMisfit.Verdict =
        percentile > 99.9 || misfit.percentile >= 99.99
        ? .outOfFamily : misfit.percentile >= 99.9 ? .doubtful : .inFamily
      #expect(misfit.verdict == verdict)
      #expect(misfit.reason.contains("paints it badly") == (percentile > 99.9))
    }
  }

  // S of two and a half standard deviations, half from the code, half from α. Fails when: a bound on S moves;
  // without α S is not the density's.
  @Test("an improbable code painted badly is doubtful")
  func improbable() throws {
    let misfit = try misfit(norm: 11, logScale: 1.3)
    #expect(misfit.normPercentile < 99.9 && misfit.verdict == .doubtful)
    #expect(misfit.reason.contains("more probable codes"))
    let plain = try self.misfit(norm: 8, logScale: nil)
    #expect(abs(plain.percentile - plain.densityPercentile) < 1e-9)
    #expect(plain.verdict == .inFamily)
  }

  // Fails when: a bound on the reading moves, or it is not asked for.
  @Test("a picture that the encoder reads otherwise is doubtful, or out of the family")
  func reading() throws {
    for (reading, verdict) in [
      (nil, PriorMisfit.Verdict.inFamily), (82.9, .inFamily), (83.1, .doubtful),
      (94.9, .doubtful), (95.1, .outOfFamily),
    ] as [(Double?, PriorMisfit.Verdict)] {
      let misfit = try misfit(norm: 1, logScale: 0.2, reading: reading)
      #expect(misfit.verdict == verdict && misfit.readingPercentile == reading)
      #expect(misfit.reason.contains("another picture") == (verdict != .inFamily))
    }
  }
}
