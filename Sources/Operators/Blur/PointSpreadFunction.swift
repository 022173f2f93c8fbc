import Foundation
import Maps
import Numerics
import Tensors

/// Makers of blur kernels: rows × columns, both odd, centred, every element ≥ 0, sum one (to the
/// rounding of Float32). An element is the share of the light that falls into its pixel.
public enum PointSpreadFunction {
  /// The largest number of rows or columns that is made.
  static let largestSide = 2047

  /// A round Gaussian, integrated over each pixel and cut behind the pixel that 4σ falls into:
  /// h(a, b) ∝ g(a) g(b), g(k) = ∫ over k ± ½ of exp(−t²/2σ²) dt.
  /// - Parameter sigma: standard deviation along each axis, in pixels.
  /// - Throws: `unusable` when σ is not positive and finite; `tooLarge` above `largestSide`.
  public static func gaussian(sigma: Double) throws(PlanError) -> Tensor {
    try checkLength(sigma, "the standard deviation of a Gaussian blur")
    let reach = try pixelsReached(4 * sigma, "a Gaussian blur of standard deviation \(sigma)")
    let scale = 1 / (sigma * 2.0.squareRoot())
    let profile = (-reach...reach).map { offset in
      // As a difference of erfc on the positive side, where erf would lose the tail to rounding.
      let k = Double(abs(offset))
      return k == 0 ? 2 * erf(0.5 * scale) : erfc((k - 0.5) * scale) - erfc((k + 0.5) * scale)
    }
    return normalized(rows: reach, columns: reach) { row, column in
      profile[row + reach] * profile[column + reach]
    }
  }

  /// An evenly lit disc, as of a lens out of focus: the area of each pixel that it covers, from the
  /// exact chords along 64 lines through the pixel.
  /// - Parameter radius: in pixels.
  /// - Throws: `unusable` when the radius is not positive and finite; `tooLarge` above `largestSide`.
  public static func disc(radius: Double) throws(PlanError) -> Tensor {
    try checkLength(radius, "the radius of a disc")
    let reach = try pixelsReached(radius, "a disc of radius \(radius)")
    let lines = 64
    return normalized(rows: reach, columns: reach) { row, column in
      var area = 0.0
      for line in 0..<lines {
        let y = Double(row) - 0.5 + (Double(line) + 0.5) / Double(lines)
        let half = max(radius * radius - y * y, 0).squareRoot()
        area += overlap(-half, half, Double(column) - 0.5, Double(column) + 0.5)
      }
      return area
    }
  }

  /// The path of a point that moves evenly along a straight line: the length of the line within each
  /// pixel, so that any angle and length is met without steps.
  /// - Parameters:
  ///   - length: of the line, in pixels; its middle is the centre of the kernel.
  ///   - angle: degrees, counter-clockwise from the x axis as the picture is seen (rows go down).
  /// - Throws: `unusable` when the length is not positive and finite or the angle is not finite;
  ///   `tooLarge` above `largestSide`.
  public static func motion(length: Double, angle: Double) throws(PlanError) -> Tensor {
    try checkLength(length, "the length of a motion blur")
    guard angle.isFinite else {
      throw .unusable("the angle of a motion blur is \(angle) degrees; it must be finite")
    }
    let (x, y) = (cos(angle * .pi / 180), -sin(angle * .pi / 180))
    let what = "a motion blur of length \(length)"
    let rows = try pixelsReached(0.5 * length * abs(y), what)
    let columns = try pixelsReached(0.5 * length * abs(x), what)
    return normalized(rows: rows, columns: columns) { row, column in
      let (fromRow, toRow) = crossing(Double(row), y)
      let (fromColumn, toColumn) = crossing(Double(column), x)
      return overlap(
        max(fromRow, fromColumn), min(toRow, toColumn), -0.5 * length, 0.5 * length)
    }
  }

  /// The t for which t·slope is within ½ of `offset`; a slope of zero gives infinities of the right
  /// signs, since an offset is a whole number and never ±½.
  private static func crossing(_ offset: Double, _ slope: Double) -> (Double, Double) {
    let (a, b) = ((offset - 0.5) / slope, (offset + 0.5) / slope)
    return (min(a, b), max(a, b))
  }

  /// Length of the common part of two intervals.
  private static func overlap(_ a: Double, _ b: Double, _ c: Double, _ d: Double) -> Double {
    max(min(b, d) - max(a, c), 0)
  }

  /// The farthest pixel from the centre that light within `distance` of it reaches: pixel k begins
  /// at k − ½. A billionth of a pixel is not worth a row of its own.
  private static func pixelsReached(_ distance: Double, _ what: String) throws(PlanError) -> Int {
    guard 2 * distance < Double(largestSide) else {
      throw .tooLarge("\(what) pixels needs a kernel of more than \(largestSide) rows or columns")
    }
    return max(Int((distance - 0.5 - 1e-9).rounded(.up)), 0)
  }

  private static func checkLength(_ value: Double, _ what: String) throws(PlanError) {
    guard value > 0, value.isFinite else {
      throw .unusable("\(what) is \(value) pixels; it must be positive and finite")
    }
  }

  /// (2·rows + 1)×(2·columns + 1) elements ∝ `weight(row, column)`, offsets from the centre.
  private static func normalized(
    rows: Int, columns: Int, _ weight: (_ row: Int, _ column: Int) -> Double
  ) -> Tensor {
    var weights: [Double] = []
    for row in -rows...rows {
      for column in -columns...columns { weights.append(weight(row, column)) }
    }
    let sum = accurateSum(weights)
    return Tensor(
      shape: Shape(2 * rows + 1, 2 * columns + 1), values: weights.map { Float($0 / sum) })
  }
}
