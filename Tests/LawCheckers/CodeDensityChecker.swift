import Flows
import Foundation
import Randomness
import Testing

/// The laws of a `CodeDensity`: its gradient is that of central differences, and under its own draws the score
/// has mean zero, within four standard errors in each coordinate.
package func checkCodeDensity(
  _ density: some CodeDensity, at codes: [Float], draws count: Int = 4000, seed: UInt64 = 71,
  sourceLocation: SourceLocation = #_sourceLocation
) throws {
  let size = density.dimension
  let (values, gradients) = try density.scores(of: codes)
  #expect(values.count == codes.count / size, sourceLocation: sourceLocation)
  let step: Float = 0.01
  for index in codes.indices {
    var (up, down) = (codes, codes)
    up[index] += step
    down[index] -= step
    let row = index / size
    let above = try density.scores(of: up).logDensities[row]
    let below = try density.scores(of: down).logDensities[row]
    // Third derivatives of smooth densities of width above 0.1 leave 1 %.
    let slope = (above - below) / Double(up[index] - down[index])
    #expect(
      abs(slope - Double(gradients[index])) < 0.02 * (1 + abs(slope)),
      sourceLocation: sourceLocation)
  }
  let drawn = try density.draws(count, key: RandomKey(seed: seed))
  let scores = try density.scores(of: drawn).gradients
  for coordinate in 0..<size {
    let column = stride(from: coordinate, to: scores.count, by: size).map { Double(scores[$0]) }
    let mean = column.reduce(0, +) / Double(count)
    let square = column.reduce(0) { $0 + $1 * $1 } / Double(count)
    #expect(
      abs(mean) < 4 * (square / Double(count)).squareRoot(), sourceLocation: sourceLocation)
  }
}
