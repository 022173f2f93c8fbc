import Randomness

package func random(_ count: Int, seed: UInt64) -> [Float] {
  var stream = RandomKey(seed: seed).stream()
  return stream.normals(count).map { Float($0) }
}
