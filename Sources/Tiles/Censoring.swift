import Foundation
import Numerics
import Randomness
import Tensors

/// Values that say only "at this end of the range, or beyond it": y = min(max(y*, a), b) with y* = x + n,
/// n ~ N(0, σ²), where the range a…b holds the truth x.
///
/// Where the datum is a, y* given x is N(x, σ²) cut to y* ≤ a; everything about x given y* is that of data
/// in white noise.
///
/// A value all of whose neighbours (3×3 of its channel) are at the same end is taken as measured there: noise of
/// any level about a truth in the range leaves one in at most 2⁻⁹ of the places, so that it is no noise that
/// was cut, but black or white. (A wide area that said only "or beyond" would drift away.)
struct Censoring {
  /// a…b, intensity.
  let range: ClosedRange<Float>
  /// The elements that are censored at a, and at b; ascending.
  let low: [Int]
  let high: [Int]

  var count: Int { low.count + high.count }
  /// One of them.
  var first: Int { (low.first ?? high.first)! }

  /// Nil where nothing is censored.
  /// - Parameter values: C×H×W.
  init?(_ values: [Float], shape: Shape, range: ClosedRange<Float>) {
    let (height, width) = (shape[1], shape[2])
    func end(_ index: Int) -> Int {
      values[index] <= range.lowerBound ? -1 : values[index] >= range.upperBound ? 1 : 0
    }
    func isAmongOthers(_ index: Int) -> Bool {
      let (row, column) = (index / width % height, index % width)
      let plane = index - row * width - column
      for y in max(row - 1, 0)...min(row + 1, height - 1) {
        for x in max(column - 1, 0)...min(column + 1, width - 1)
        where end(plane + y * width + x) != end(index) { return true }
      }
      return false
    }
    let found = values.indices.filter { end($0) != 0 && isAmongOthers($0) }
    guard !found.isEmpty else { return nil }
    self.range = range
    low = found.filter { end($0) < 0 }
    high = found.filter { end($0) > 0 }
  }

  func clamped(_ value: Float) -> Float {
    min(max(value, range.lowerBound), range.upperBound)
  }

  /// Calls `body` with each censored element and E[y* | y], y* ~ N(centre, s²) before it was cut.
  /// - Parameters:
  ///   - centres: of each element.
  ///   - deviation: s.
  func forEachExpectation(
    _ centres: UnsafePointer<Float>, deviation: Double, _ body: (Int, Float) -> Void
  ) {
    forEach { index, end, sign in
      let centre = Double(centres[index])
      // With the sign the cut is from above.
      let cut = lowerTruncatedMoments(sign * (end - centre) / deviation)
      body(index, Float(centre + sign * deviation * cut.mean))
    }
  }

  /// The same with a draw of y*.
  func forEachDraw(
    _ centres: UnsafePointer<Float>, deviation: Double, _ stream: inout RandomStream,
    _ body: (Int, Float) -> Void
  ) {
    forEach { index, end, sign in
      let centre = Double(centres[index])
      let draw = stream.normal(atMost: sign * (end - centre) / deviation)
      body(index, Float(centre + sign * deviation * draw))
    }
  }

  private func forEach(_ body: (_ index: Int, _ end: Double, _ sign: Double) -> Void) {
    for index in low { body(index, Double(range.lowerBound), 1) }
    for index in high { body(index, Double(range.upperBound), -1) }
  }
}

extension RandomStream {
  /// A standard normal number cut to z ≤ `bound`: where that is above 0, the first below it of a sequence; else −z
  /// has an exponential proposal of rate (a + √(a² + 4))/2 beyond a = −`bound` (Robert, Statistics and Computing
  /// 1995, proposition 2.3), of which at least three in four are accepted.
  mutating func normal(atMost bound: Double) -> Double {
    if bound > 0 {
      while true {
        let value = normal()
        if value <= bound { return value }
      }
    }
    let least = -bound
    let rate = 0.5 * (least + (least * least + 4).squareRoot())
    while true {
      let value = least - log(uniformOpen()) / rate
      if uniform() <= exp(-0.5 * (value - rate) * (value - rate)) { return -value }
    }
  }
}
