import Diagnostics
import Probability
import Testing

@Suite struct VerdictTests {
  /// Two coordinates; the second may be spoiled.
  private func draws(_ second: Trace) -> DrawSet {
    let first = Trace(seed: 10, chains: 4, draws: 500, phi: 0.1).values.flatMap { $0 }
    return DrawSet(
      chains: 4, draws: 500, dimension: 2,
      positions: zip(first, second.values.flatMap { $0 }).flatMap { [$0, $1] },
      logDensities: [Double](repeating: 0, count: 2000))
  }
  private let good = Trace(seed: 12, chains: 4, draws: 500, phi: 0.1)
  private let energies = Trace(seed: 13, chains: 4, draws: 500, phi: 0.1).values

  @Test("good draws pass")
  func good_() {
    let verdict = Verdict(draws: draws(good), energies: energies, divergences: 0)
    #expect(verdict.isOK && verdict.reasons.isEmpty)
    #expect(verdict.rHatMaximum < 1.01 && verdict.bulkESSMinimum > 400)
    #expect(verdict.tailESSMinimum > 400 && verdict.eBFMIMinimum > 0.3)
  }

  // Fails when: only the first coordinate is looked at; a comparison turns round.
  @Test("chains that disagree fail, with the number")
  func shifted() {
    let bad = Trace(seed: 12, chains: 4, draws: 500, phi: 0.1, shift: 0.3)
    let verdict = Verdict(draws: draws(bad), energies: energies, divergences: 0)
    #expect(!verdict.isOK)
    #expect(verdict.reasons[0].hasPrefix("R-hat is 1."))
    #expect(verdict.reasons[0].contains("in 1 of 2 coordinates"))
    #expect(verdict.coordinates.map { $0.rHat > 1.01 } == [false, true])
  }

  // Fails when: the traces' size stands where draws repeat; R-hat decides for draws of no chain.
  @Test("independent draws are worth what is said of them")
  func independent() {
    let bad = Trace(seed: 12, chains: 4, draws: 500, phi: 0.1, shift: 0.3)
    let verdict = Verdict(independent: draws(bad), effectiveSampleSize: 450)
    #expect(verdict.isOK && verdict.bulkESSMinimum <= 450 && verdict.rHatMaximum > 1.01)
    let few = Verdict(independent: draws(good), effectiveSampleSize: 175)
    #expect(few.reasons.count == 1 && few.reasons[0].contains("worth 175 independent ones"))
    #expect(few.bulkESSMinimum == 175 && few.tailESSMinimum == 175)
  }

  @Test("slow chains fail for their sizes")
  func slow() {
    let bad = Trace(seed: 12, chains: 4, draws: 500, phi: 0.95)
    let verdict = Verdict(draws: draws(bad), energies: energies, divergences: 0)
    #expect(verdict.bulkESSMinimum < 400)
    #expect(verdict.reasons.contains { $0.hasPrefix("the bulk effective sample size is ") })
    #expect(verdict.reasons.contains { $0.hasPrefix("the tail effective sample size is ") })
  }

  @Test("divergences and heavy energy tails fail")
  func energy() {
    let sticky = Trace(seed: 13, chains: 4, draws: 500, phi: 0.97).values
    let verdict = Verdict(draws: draws(good), energies: sticky, divergences: 3)
    #expect(verdict.reasons.count == 2)
    #expect(verdict.reasons[0].hasPrefix("3 of 2000 transitions diverged"))
    #expect(verdict.reasons[1].hasPrefix("E-BFMI is 0."))
  }

  // Fails when: NaN passes a comparison.
  @Test("what cannot be computed fails")
  func notComputable() {
    let one = DrawSet(
      chains: 1, draws: 3, dimension: 1, positions: [1, 2, 3], logDensities: [0, 0, 0])
    let verdict = Verdict(draws: one, energies: [[1, 1, 1]], divergences: 0)
    #expect(verdict.reasons.count == 4)
    #expect(verdict.rHatMaximum.isNaN && verdict.bulkESSMinimum.isNaN)
    #expect(verdict.eBFMIMinimum.isNaN)
  }

  @Test("a method without energies is judged by its draws")
  func withoutEnergies() {
    #expect(Verdict(draws: draws(good), energies: [], divergences: 0).isOK)
  }
}
