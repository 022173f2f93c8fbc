import Randomness
import Testing

@testable import Training

@Suite struct SecondMomentsTests {
  // 700 rows are a whole block and a part of one; the mean is far from zero. Fails when: the last block
  // is scaled by its own length, a weight is not rooted, a slice is read from the array's beginning.
  @Test("second moments are the direct sum over weighted rows")
  func directSum() {
    let (count, size) = (700, 5)
    var stream = RandomKey(seed: 21).stream()
    let rows = stream.normals((count + 1) * size).map { Float(0.7 + $0) }
    let weights = (0..<count).map { _ in 0.1 + stream.uniform() }
    let moments = SecondMoments(rows[size...], dimension: size, weights: weights)
    for i in 0..<size {
      for j in 0..<size {
        let exact = (0..<count).reduce(0.0) {
          let start = ($1 + 1) * size
          return $0 + weights[$1] * Double(rows[start + i]) * Double(rows[start + j])
        }
        #expect(abs(moments.matrix[i * size + j] - exact / Double(count)) < 1e-12)
      }
      #expect(moments.diagonal[i] == moments.matrix[i * size + i])
    }
  }
}
