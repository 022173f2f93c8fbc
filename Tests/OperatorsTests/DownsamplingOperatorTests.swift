import LawCheckers
import Maps
import Operators
import Randomness
import Tensors
import Testing

@Suite("downsampling")
struct DownsamplingOperatorTests {
  private let cases = [(4, 6, 2), (9, 3, 3), (1, 7, 1), (5, 10, 5), (8, 4, 4), (7, 7, 7)]

  // Fails when: the vjp's scale is lost; the last lane is skipped.
  @Test("⟨Ax, y⟩ = ⟨x, Aᵀy⟩", arguments: [1, 3])
  func adjoint(_ channels: Int) throws {
    for (height, width, factor) in cases {
      let map = try DownsamplingOperator(shape: Shape(channels, height, width), factor: factor)
      #expect(try checkAdjoint(map, key: RandomKey(seed: 23)) < adjointBound)
    }
  }

  // Fails when: the mean is a sum; rows of a block are taken for columns.
  @Test("every pixel is the mean of its block")
  func means() throws {
    for (height, width, factor) in cases {
      let map = try DownsamplingOperator(shape: Shape(2, height, width), factor: factor)
      let (rows, columns) = (height / factor, width / factor)
      #expect(map.codomain == Shape(2, rows, columns))
      let x = randomValues(3 * 2 * height * width, seed: 24)
      var expected = [Double](repeating: 0, count: 3 * 2 * rows * columns)
      for index in x.indices {
        let (grid, i, j) = (index / (height * width), index / width % height, index % width)
        let block = (grid * rows + i / factor) * columns + j / factor
        expected[block] += Double(x[index]) / Double(factor * factor)
      }
      #expect(largestDifference(try image(map, x), expected) < 1e-6)
    }
  }

  // Fails when: the check is left out or one divisor is missing.
  @Test("a factor that does not divide is refused, with those that do")
  func refusals() {
    for factor in [3, 0, -2, 8, .max] {
      #expect(
        refusal { _ = try DownsamplingOperator(shape: Shape(1, 12, 8), factor: factor) }
          == "a picture of 12×8 cannot be downsampled by \(factor); factors that divide both "
          + "sides: 1, 2, 4")
    }
  }
}
