import Diagnostics
import Randomness
import Testing

@Suite struct CalibrationTests {
  @Test("ranks count smaller draws and share out ties")
  func rank() {
    #expect(calibrationRank(of: 2.5, among: [1, 2, 3], tieBreaker: 0) == 2)
    #expect(calibrationRank(of: 0, among: [1, 2, 3], tieBreaker: 0.9) == 0)
    #expect(calibrationRank(of: 9, among: [1, 2, 3], tieBreaker: 0.9) == 3)
    #expect(calibrationRank(of: 2, among: [1, 2, 2, 3], tieBreaker: 0) == 1)
    #expect(calibrationRank(of: 2, among: [1, 2, 2, 3], tieBreaker: 0.5) == 2)
    #expect(calibrationRank(of: 2, among: [1, 2, 2, 3], tieBreaker: 0.99) == 3)
  }

  // χ² with 9 degrees of freedom exceeds 33.7 once in 10⁴. Fails when: ranks run to draws − 1.
  @Test("calibrated ranks are uniform, ranks of a narrow posterior are not")
  func chiSquared() {
    var stream = RandomKey(seed: 3).child("calibration").stream()
    func ranks(deviation: Double) -> [Int] {
      (0..<2000).map { _ in
        let truth = stream.normal()
        let draws = (0..<99).map { _ in deviation * stream.normal() }
        return calibrationRank(of: truth, among: draws, tieBreaker: stream.uniform())
      }
    }
    #expect(rankChiSquared(ranks(deviation: 1), maximumRank: 99, bins: 10) < 33.7)
    #expect(rankChiSquared(ranks(deviation: 0.8), maximumRank: 99, bins: 10) > 33.7)
  }

  @Test("χ² of known counts")
  func knownCounts() {
    #expect(rankChiSquared([0, 0, 0, 1], maximumRank: 1, bins: 2) == 1)
  }

  // Binomial error of 2000 at 0.9: 0.0067. Fails when: one side takes the mass of both.
  @Test("central intervals cover their mass")
  func covers() {
    var stream = RandomKey(seed: 4).child("coverage").stream()
    let truths = stream.normals(2000)
    let draws = (0..<2000).map { _ in stream.normals(400) }
    #expect(abs(coverage(of: truths, by: draws, mass: 0.9) - 0.9) < 4 * 0.0067)
    #expect(isCovered(2, by: [1, 2, 3], mass: 0.5))
    #expect(!isCovered(3, by: [1, 2, 3], mass: 0.5))
  }
}
