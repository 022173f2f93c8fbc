import Numerics

// Notation
//   m    painted intensity of an element        t = √m, clamped to [0, 1]
//   h_j  variance at the knots t_j = j/(J − 1)  h(m) the curve through them
//   ρ    variance of rounding, which does not depend on m

/// h(m): the variance of what the decoder cannot paint of an element that it paints with intensity m.
///
/// A decoder that ends in a squashing function errs little where it paints black or white and ten
/// thousand times more (as a variance) in between: one number for each place of the picture, averaged
/// over what pictures show there, is wrong for all of them. h is a piecewise cubic in t, evenly spaced
/// knots in t being dense near black; slopes at the knots are harmonic means of the neighbouring ones
/// (Fritsch and Butland 1984, equation 5), so that h stays between neighbouring knots and has a continuous
/// derivative; slopes at the ends are 0, which keeps dh/dm finite at black.
public struct IntensityVariance: Sendable, Equatable {
  /// h_j > 0, J of them; intensity².
  public let knots: [Float]
  /// ρ ≥ 0, intensity²: what pictures lost when they were stored in whole grey levels, step²/12. It is
  /// the same for every picture, however well it can be painted, so it stands beside α²h and not in h.
  public let rounding: Float
  /// c of h = ((c₃f + c₂)f + c₁)f + c₀ with f = (J − 1)t − j, one for each interval.
  private let coefficients: [SIMD4<Float>]

  /// Knots that fits make.
  package static let usualCount = 17

  /// - Precondition: at least two knots, positive and finite; `rounding` ≥ 0 and finite.
  public init(knots: [Float], rounding: Float = 0) {
    precondition(knots.count >= 2 && knots.allSatisfy { $0 > 0 && $0.isFinite })
    precondition(rounding >= 0 && rounding.isFinite)
    self.knots = knots
    self.rounding = rounding
    let steps = (1..<knots.count).map { Double(knots[$0]) - Double(knots[$0 - 1]) }
    var slopes = [Double](repeating: 0, count: knots.count)
    for j in 1..<max(knots.count - 1, 1) where steps[j - 1] * steps[j] > 0 {
      slopes[j] = 2 * steps[j - 1] * steps[j] / (steps[j - 1] + steps[j])
    }
    coefficients = steps.indices.map { j in
      let (start, end, step) = (slopes[j], slopes[j + 1], steps[j])
      return SIMD4(
        knots[j], Float(start), Float(3 * step - 2 * start - end), Float(start + end - 2 * step))
    }
  }

  /// α²h(m) + ρ, the variance of one element. `squaredScale`: α².
  package func total(_ mean: Float, squaredScale: Double) -> Double {
    squaredScale * Double(evaluate(mean).value) + Double(rounding)
  }

  /// h and dh/dm at painted intensities, which are taken as the nearest ones in [0, 1].
  @inline(__always)
  func evaluate(_ means: Vector) -> (value: Vector, slope: Vector) {
    var (values, slopes) = (Vector(repeating: 0), Vector(repeating: 0))
    coefficients.withUnsafeBufferPointer { table in
      for lane in 0..<Vector.scalarCount {
        (values[lane], slopes[lane]) = Self.evaluate(means[lane], table)
      }
    }
    return (values, slopes)
  }

  /// h and dh/dm at one painted intensity.
  package func evaluate(_ mean: Float) -> (value: Float, slope: Float) {
    coefficients.withUnsafeBufferPointer { Self.evaluate(mean, $0) }
  }

  @inline(__always)
  private static func evaluate(
    _ mean: Float, _ table: UnsafeBufferPointer<SIMD4<Float>>
  ) -> (Float, Float) {
    let intervals = Float(table.count)
    // A NaN takes the first branch; the value it belongs to is NaN whatever the variance.
    guard mean > 1e-10 else { return (table[0].x, 0) }
    let root = min(mean, 1).squareRoot()
    let place = root * intervals
    let interval = min(Int(place), table.count - 1)
    let f = place - Float(interval)
    let c = table[interval]
    let value = ((c.w * f + c.z) * f + c.y) * f + c.x
    let slope = (3 * c.w * f + 2 * c.z) * f + c.y
    // dt/dm = 1/(2√m).
    return (value, mean < 1 ? slope * intervals * 0.5 / root : 0)
  }
}
