import LawCheckers
import Networks
import Numerics
import Testing

@Suite struct MatrixProductTests {
  /// Leading dimensions are larger than the rows, and what lies between rows must stay.
  /// Seen to fail: either orientation ignored; α or β left out; lda for ldb.
  @Test(
    "C = α op(A) op(B) + β C, in all orientations",
    arguments: [Orientation.plain, .transposed], [Orientation.plain, .transposed])
  func product(_ orientationA: Orientation, _ orientationB: Orientation) {
    for (m, n, k) in [(1, 1, 1), (3, 5, 7), (17, 33, 16), (1, 40, 9), (64, 1, 100), (31, 2, 257)] {
      for (alpha, beta) in [(Float(1), Float(0)), (1, 1), (-0.5, 0.25)] {
        let lda = (orientationA == .plain ? k : m) + 2
        let ldb = (orientationB == .plain ? n : k) + 3
        let ldc = n + 1
        let a = random((orientationA == .plain ? m : k) * lda, seed: 1)
        let b = random((orientationB == .plain ? k : n) * ldb, seed: 2)
        // β = 0 must not read C.
        let before = beta == 0 ? [Float](repeating: .nan, count: m * ldc) : random(m * ldc, seed: 3)
        var c = before
        multiply(
          orientationA, orientationB, m: m, n: n, k: k, alpha: alpha, a, lda: lda, b, ldb: ldb,
          beta: beta, into: &c, ldc: ldc)
        for row in 0..<m {
          for column in 0..<n {
            var (sum, size) = (0.0, 0.0)
            for inner in 0..<k {
              let left = orientationA == .plain ? a[row * lda + inner] : a[inner * lda + row]
              let right = orientationB == .plain ? b[inner * ldb + column] : b[column * ldb + inner]
              sum += Double(left) * Double(right)
              size += abs(Double(left) * Double(right))
            }
            let old = beta == 0 ? 0 : Double(before[row * ldc + column])
            let expected = Double(alpha) * sum + Double(beta) * old
            // n additions and the products round by 2⁻²⁴ of the running magnitude at most.
            let bound = Double(k + 3) * 0x1p-24 * (size + abs(old))
            #expect(abs(Double(c[row * ldc + column]) - expected) <= bound)
          }
          #expect(c[row * ldc + n].bitPattern == before[row * ldc + n].bitPattern)
        }
      }
    }
  }

  @Test("a product is the same to the last bit when repeated")
  func determinism() {
    let (a, b) = (random(100 * 300, seed: 4), random(300 * 70, seed: 5))
    let products = (0..<3).map { _ in
      var c = [Float](repeating: 0, count: 7000)
      multiply(m: 100, n: 70, k: 300, a, lda: 300, b, ldb: 70, into: &c, ldc: 70)
      return c
    }
    #expect(products[1] == products[0] && products[2] == products[0])
  }
}
