import Numerics
import Tensors

/// y = Φ⁻¹(F(x)) with F of a mixture of Gaussians, ℓ = ln p(x) − ln φ(y); formulas at `MaskedMixture`. M
/// components come from each of N networks, whose θ lie one after another.
///
/// Whatever the distance from the components, nothing is lost: with σ = ±1 the side of the median on which
/// x lies and Q = Σ w_m Q_m the mass beyond x on that side, ln Q is a log-sum of ln w_m + ln Q_m and
/// |y| = −Φ⁻¹(Q) comes from ln Q (`tailQuantile`). Derivatives are ratios of such sums. With
/// t_m = (x − μ_m)/s_m, r_m = w_m p_m/p, ρ_m = w_m Q_m/Q, Mills' ratio m(|y|) = Q/φ(y) and e^ℓ = p/φ(y):
///
///     ∂y/∂x = e^ℓ,              ∂ ln p/∂x = −Σ r_m t_m/s_m
///     ∂y/∂μ_m = −r_m e^ℓ,       ∂ ln p/∂μ_m = r_m t_m/s_m
///     ∂y/∂ln s_m = −r_m s_m t_m e^ℓ,   ∂ ln p/∂ln s_m = r_m (t_m² − 1)
///     ∂y/∂ln w_m = −σ m(|y|) ρ_m,      ∂ ln p/∂ln w_m = r_m
///
/// and ∂ℓ = ∂ ln p + y ∂y; weights go through their softmax.
final class MixtureTransform: ElementwiseTransform {
  /// B, the bound of |ln s|.
  static let maxLogScale: Float = 3
  private let networks: Int
  /// M.
  private let components: Int
  private let elements: Int
  private let columns: Int
  /// From the θ of one network to that of the next.
  private let networkStride: Int
  /// Kept for the vjps, per element and component: t, r, ρ; [elements·N·M, columns].
  private let place: FloatBuffer
  private let density: FloatBuffer
  private let tail: FloatBuffer
  /// Per element: y, ℓ, σ·m(|y|); [elements, columns].
  private let base: FloatBuffer
  private let logSlope: FloatBuffer
  private let signedMills: FloatBuffer

  init(networks: Int, components: Int, elements: Int, columns: Int) {
    self.networks = networks
    self.components = components
    self.elements = elements
    self.columns = columns
    networkStride = 3 * components * elements * columns
    let size = elements * columns
    place = FloatBuffer(networks * components * size)
    density = FloatBuffer(networks * components * size)
    tail = FloatBuffer(networks * components * size)
    base = FloatBuffer(size)
    logSlope = FloatBuffer(size)
    signedMills = FloatBuffer(size)
  }

  func normalize(
    _ x: UnsafePointer<Float>, into y: UnsafeMutablePointer<Float>,
    logDeterminants: UnsafeMutablePointer<Float>, theta: UnsafeMutablePointer<Float>
  ) {
    forEachBlock(0..<elements) { block in
      let own = theta + block.theta
      prepare(own)
      let point = measure(load(x + block.index), own, block)
      store(point.y, y + block.index)
      store(load(logDeterminants + block.column) + point.logSlope, logDeterminants + block.column)
    }
  }

  func normalizeVJP(
    _ cotangent: UnsafeMutablePointer<Float>, _ dLogDeterminants: UnsafePointer<Float>,
    theta: UnsafePointer<Float>, dTheta: UnsafeMutablePointer<Float>
  ) {
    forEachBlock(0..<elements) { block in
      let dLog = load(dLogDeterminants + block.column)
      let dy = multiplyAdd(dLog, load(base.pointer + block.index), load(cotangent + block.index))
      let dx = dy * exponential(load(logSlope.pointer + block.index))
      let other = pullBack(dy, times: dx, dLog, block, theta + block.theta, dTheta + block.theta)
      store(dx + other, cotangent + block.index)
    }
  }

  func generate(
    _ values: UnsafeMutablePointer<Float>, elements: Range<Int>, theta: UnsafeMutablePointer<Float>
  ) {
    forEachBlock(elements) { block in
      let own = theta + block.theta
      prepare(own)
      let x = solve(load(values + block.index), own, block)
      store(x, values + block.index)
    }
  }

  func generateVJP(
    _ cotangent: UnsafeMutablePointer<Float>, elements: Range<Int>, theta: UnsafePointer<Float>,
    dTheta: UnsafeMutablePointer<Float>
  ) {
    forEachBlock(elements) { block in
      let dx = Self.bounded(load(cotangent + block.index))
      let dy = Self.bounded(dx * exponential(all(0) - load(logSlope.pointer + block.index)))
      _ = pullBack(
        all(0) - dy, times: all(0) - dx, all(0), block, theta + block.theta, dTheta + block.theta)
      store(dy, cotangent + block.index)
    }
  }

  /// Cut off at ±10¹⁸. Between components that lie far apart ∂x/∂u = φ(u)/p(x) may be any number, and its
  /// products over coordinates leave single precision; a gradient that large says "steep" and no more.
  @inline(__always)
  private static func bounded(_ x: Vector) -> Vector {
    let largest = all(1e18)
    let below = select(x .> largest, largest, x)
    return select(below .< all(0) - largest, all(0) - largest, below)
  }

  /// Where sixteen lanes of one element lie: in a buffer of elements, in a row of lanes, in θ, and in
  /// a buffer of components.
  private struct Block {
    let index: Int
    let column: Int
    let theta: Int
    let component: Int
  }

  @inline(__always)
  private func forEachBlock(_ elements: Range<Int>, _ body: (Block) -> Void) {
    for element in elements {
      for column in stride(from: 0, to: columns, by: 16) {
        let row = element &* components &* columns
        body(
          Block(
            index: element &* columns &+ column, column: column, theta: 3 &* row &+ column,
            component: networks &* row &+ column))
      }
    }
  }

  /// Calls `body` with the row of a component's ln w in θ, and its row among all components.
  @inline(__always)
  private func forEachComponent(_ body: (_ row: Int, _ saved: Int) -> Void) {
    for network in 0..<networks {
      for m in 0..<components {
        body(
          network &* networkStride &+ m &* columns, (network &* components &+ m) &* columns)
      }
    }
  }

  // Rows of θ of one element: ln w, μ, ln s once `prepare` has made them of the network's numbers.
  private var means: Int { components &* columns }
  private var logScales: Int { 2 &* components &* columns }

  /// ln w of every component among all, and ln s.
  @inline(__always)
  private func prepare(_ theta: UnsafeMutablePointer<Float>) {
    for network in 0..<networks {
      let own = theta + network &* networkStride
      var largest = load(own)
      for m in 0..<components {
        let value = load(own + m &* columns)
        largest = select(value .> largest, value, largest)
      }
      var total = all(0)
      for m in 0..<components { total += exponential(load(own + m &* columns) - largest) }
      let shift = largest + logarithm(total * all(Float(networks)))
      for m in 0..<components {
        let raw = own + (logScales &+ m &* columns)
        store(load(own + m &* columns) - shift, own + m &* columns)
        store(
          hyperbolicTangent(load(raw) * all(1 / Self.maxLogScale)) * all(Self.maxLogScale), raw)
      }
    }
  }

  /// y and ℓ at x; keeps what the vjps need.
  @inline(__always)
  private func measure(
    _ x: Vector, _ theta: UnsafePointer<Float>, _ block: Block
  ) -> (y: Vector, logSlope: Vector) {
    let (t, r, rho) = (
      place.pointer + block.component, density.pointer + block.component,
      tail.pointer + block.component
    )
    var (lower, upper) = (all(0), all(0))
    var largest = all(-.greatestFiniteMagnitude)
    // r holds ln w_m p_m (without ½ ln 2π), ρ holds Q(|t|)/φ(t)/√2π for now.
    forEachComponent { row, saved in
      let logWeight = load(theta + row)
      let logScale = load(theta + (logScales &+ row))
      let position = (x - load(theta + (means &+ row))) * exponential(all(0) - logScale)
      store(position, t + saved)
      let exponent = all(-0.5) * position * position
      let value = logWeight - logScale + exponent
      store(value, r + saved)
      largest = select(value .> largest, value, largest)
      let isAbove = position .> all(0)
      let factor = millsRatio(select(isAbove, position, all(0) - position)) * all(0.398_942_28)
      store(factor, rho + saved)
      let weight = exponential(logWeight)
      let small = weight * exponential(exponent) * factor
      upper += select(isAbove, small, weight - small)
      lower += select(isAbove, weight - small, small)
    }
    let isUpper = upper .<= lower
    let sign = select(isUpper, all(1), all(-1))
    var largestTail = all(-.greatestFiniteMagnitude)
    forEachComponent { row, saved in
      let position = load(t + saved)
      let exponent = all(-0.5) * position * position
      let factor = load(rho + saved)
      let isBeyond = position * sign .> all(0)
      let logTail =
        logarithm(select(isBeyond, factor, all(1) - exponential(exponent) * factor))
        + select(isBeyond, exponent, all(0))
      let value = load(theta + row) + logTail
      store(value, rho + saved)
      largestTail = select(value .> largestTail, value, largestTail)
    }
    var (sum, tailSum) = (all(0), all(0))
    forEachComponent { row, saved in
      let (a, b) = (
        exponential(load(r + saved) - largest), exponential(load(rho + saved) - largestTail)
      )
      store(a, r + saved)
      store(b, rho + saved)
      sum += a
      tailSum += b
    }
    let (share, tailShare) = (all(1) / sum, all(1) / tailSum)
    forEachComponent { row, saved in
      store(load(r + saved) * share, r + saved)
      store(load(rho + saved) * tailShare, rho + saved)
    }
    let (a, mills) = tailQuantile(largestTail + logarithm(tailSum))
    let slope = multiplyAdd(all(0.5) * a, a, largest + logarithm(sum))
    store(sign * a, base.pointer + block.index)
    store(slope, logSlope.pointer + block.index)
    store(sign * mills, signedMills.pointer + block.index)
    return (sign * a, slope)
  }

  /// dθ of dy = (∂y)ᵀ and `dLog` = (∂ ln p)ᵀ; returns ∂ ln p/∂x·dLog. `times`: dy·e^ℓ.
  @inline(__always)
  private func pullBack(
    _ dy: Vector, times dx: Vector, _ dLog: Vector, _ block: Block, _ theta: UnsafePointer<Float>,
    _ dTheta: UnsafeMutablePointer<Float>
  ) -> Vector {
    let dMass = dy * load(signedMills.pointer + block.index)
    var other = all(0)
    for network in 0..<networks {
      var total = all(0)
      for m in 0..<components {
        let row = network &* networkStride &+ m &* columns
        let saved = block.component &+ (network &* components &+ m) &* columns
        let t = load(place.pointer + saved)
        let r = load(density.pointer + saved)
        let logScale = load(theta + (logScales &+ row))
        let rt = r * t
        let pull = dLog * rt * exponential(all(0) - logScale)
        other -= pull
        store(pull - dx * r, dTheta + (means &+ row))
        let dLogScale = dLog * r * (t * t - all(1)) - dx * rt * exponential(logScale)
        let bounded = logScale * all(1 / Self.maxLogScale)
        store(dLogScale * (all(1) - bounded * bounded), dTheta + (logScales &+ row))
        let dLogWeight = dLog * r - dMass * load(tail.pointer + saved)
        store(dLogWeight, dTheta + row)
        total += dLogWeight
      }
      // Through the softmax of the network's own M weights, which are N w.
      total = total * all(Float(networks))
      for m in 0..<components {
        let row = network &* networkStride &+ m &* columns
        store(load(dTheta + row) - exponential(load(theta + row)) * total, dTheta + row)
      }
    }
    return other
  }

  /// x with y(x) = u; keeps what the vjp needs.
  ///
  /// y(x) lies between the least and the largest (x − μ_m)/s_m, so that the solution lies between the least
  /// and the largest μ_m + s_m u. Newton's method on y, whose slope is e^ℓ, and every third time, or where
  /// it would leave the bracket, a bisection: between two components y may be almost a step.
  @inline(__always)
  private func solve(_ u: Vector, _ theta: UnsafePointer<Float>, _ block: Block) -> Vector {
    var low = all(.greatestFiniteMagnitude)
    var high = all(-.greatestFiniteMagnitude)
    var x = all(0)
    forEachComponent { row, _ in
      let value = multiplyAdd(
        exponential(load(theta + (logScales &+ row))), u, load(theta + (means &+ row)))
      low = select(value .< low, value, low)
      high = select(value .> high, value, high)
      x = multiplyAdd(exponential(load(theta + row)), value, x)
    }
    for iteration in 1...90 {
      let point = measure(x, theta, block)
      let excess = point.y - u
      low = select(excess .<= all(0), x, low)
      high = select(excess .>= all(0), x, high)
      let newton = x - excess * exponential(all(0) - point.logSlope)
      let isInside = (newton .>= low) .& (newton .<= high)
      let middle = all(0.5) * (low + high)
      let next =
        iteration % 3 == 0
        ? select(isInside .& (excess * excess .< all(1e-6)), newton, middle)
        : select(isInside, newton, middle)
      let move = next - x
      x = next
      let scale = all(1e-7) + all(1e-7) * x * x
      if all(move * move .<= scale * all(1e-7)) { break }
    }
    _ = measure(x, theta, block)
    return x
  }
}
