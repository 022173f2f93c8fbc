import Randomness
import Testing

@testable import Diagnostics
@testable import Numerics

@Suite struct ROCAreaTests {
  private let key = RandomKey(seed: 71)

  // Pairs (a, b) of {3, 1, 2} and {0, 2, 5, 1}: 3 beats 0, 2, 1; 1 beats 0 and ties 1; 2 beats 0 and 1 and ties
  // 2. Six wins and two ties of twelve pairs are 7/12. Fails when: a tie counts a whole.
  @Test("a case by hand")
  func byHand() {
    let area = ROCArea(inside: [3, 1, 2], outside: [0, 2, 5, 1], key: key)
    #expect(area.value == 7.0 / 12)
  }

  // U/(n m) with U = R − n(n + 1)/2, R the sum of the mean ranks of `inside` among all, as SciPy's mannwhitneyu
  // has it. Scores in 40 steps, so that many tie. Fails when: levels of equal scores differ.
  @Test("the area is Mann and Whitney's statistic", arguments: [1, 2, 3] as [UInt64])
  func ranks(seed: UInt64) {
    var stream = RandomKey(seed: seed).stream()
    let inside = (0..<150).map { _ in (10 * stream.normal()).rounded() / 10 + 0.5 }
    let outside = (0..<230).map { _ in (10 * stream.normal()).rounded() / 10 }
    let all = inside + outside
    let rankSum = inside.reduce(0.0) { sum, value in
      sum + Double(all.count { $0 < value }) + Double(all.count { $0 == value } + 1) / 2
    }
    let expected = (rankSum - 150 * 151 / 2) / (150 * 230)
    #expect(abs(ROCArea(inside: inside, outside: outside, key: key).value - expected) < 1e-14)
  }

  // Fails when: a tie counts a whole; levels of equal scores differ.
  @Test("sets apart, equal sets, and scores that are not finite")
  func ends() {
    let (low, high) = ([-Double.infinity, 0, 1], [2.0, 3])
    let apart = ROCArea(inside: high, outside: low, key: key)
    #expect(apart.value == 1 && apart.error == 0)
    #expect(ROCArea(inside: low, outside: high, key: key).value == 0)
    #expect(ROCArea(inside: low, outside: low, key: key).value == 0.5)
    #expect(ROCArea(inside: [1], outside: [-.infinity], key: key).value == 1)
  }

  // Of N(1, 1) against N(0, 1) the area is Φ(1/√2) = 0.76025; 60 pairs of sets: the error's mean is their
  // scatter within 4/√120, and so is their mean. Fails when: errors are variances.
  @Test("the error is the scatter of areas")
  func scatter() {
    let areas = (0..<60).map { set in
      var stream = key.child(set).stream()
      let inside = stream.normals(80).map { $0 + 1 }
      return ROCArea(inside: inside, outside: stream.normals(120), key: key.child("replicates"))
    }
    let mean = areas.reduce(0) { $0 + $1.value } / 60
    let squares = areas.reduce(0) { $0 + ($1.value - mean) * ($1.value - mean) }
    let deviation = (squares / 59).squareRoot()
    let error = areas.reduce(0) { $0 + $1.error } / 60
    #expect(abs(mean - 0.7602499389) < 4 * deviation / 60.0.squareRoot())
    #expect(abs(error / deviation - 1) < 4 / 120.0.squareRoot())
  }
}
