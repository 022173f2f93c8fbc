import Foundation
import Numerics

/// The frequencies between which an estimated ln P is linear.
package enum RadialNodes {
  /// |k| of each bin of an H×W grid in FFT order, cycles per pixel.
  static func frequencies(height: Int, width: Int) -> [Double] {
    (0..<height * width).map { index in
      let (row, column) = (index / width, index % width)
      let y = Double(min(row, height - row)) / Double(height)
      let x = Double(min(column, width - column)) / Double(width)
      return (x * x + y * y).squareRoot()
    }
  }

  /// From the longest wave to the shortest: each 1.5 times the one before and no nearer to it than the
  /// longest wave's frequency, since a grid has few modes there; or `count` of them in one ratio. The
  /// longest wave is the grid's, or the side of the square that the used pixels would fill.
  package static func standard(
    height: Int, width: Int, usedCount: Int, count: Int? = nil
  ) -> [Double] {
    let last = frequencies(height: height, width: width).max() ?? 0.5
    let longest = 1 / Double(max(height, width))
    let isWhole = usedCount == height * width
    let first = min(last, isWhole ? longest : max(longest, 1 / Double(usedCount).squareRoot()))
    guard last > first, count != 1 else { return [first] }
    if let count {
      return (0..<count).map { first * pow(last / first, Double($0) / Double(count - 1)) }
    }
    var nodes: [Double] = []
    var next = first
    while next < last / 1.4 || nodes.isEmpty {
      nodes.append(next)
      next = max(1.5 * next, next + first)
    }
    return nodes + [last]
  }

  /// φ_b at each bin: 1 at node b, 0 at the others, linear between, constant beyond the ends.
  static func hats(_ nodes: [Double], height: Int, width: Int) -> [[Double]] {
    var hats = [[Double]](
      repeating: [Double](repeating: 0, count: height * width), count: nodes.count)
    for (index, frequency) in frequencies(height: height, width: width).enumerated() {
      guard let above = nodes.firstIndex(where: { $0 >= frequency }) else {
        hats[nodes.count - 1][index] = 1
        continue
      }
      guard above > 0 else {
        hats[0][index] = 1
        continue
      }
      let share = (frequency - nodes[above - 1]) / (nodes[above] - nodes[above - 1])
      hats[above][index] = share
      hats[above - 1][index] = 1 - share
    }
    return hats
  }
}
