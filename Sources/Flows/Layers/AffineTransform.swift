import Networks
import Numerics
import Tensors

/// y = x·e^s + t, s = m·tanh(θ_0/m), t = θ_1; ℓ = Σ s. The bound m keeps the scale in e^±m whatever
/// the conditioner says, with slope 1 at 0.
final class AffineTransform: ElementwiseTransform {
  private let maxLogScale: Float
  private let elements: Int
  private let columns: Int
  /// x, e^s and ∂s/∂θ_0, [elements, columns].
  private let input: FloatBuffer
  private let scale: FloatBuffer
  private let slope: FloatBuffer

  init(maxLogScale: Float, elements: Int, columns: Int) {
    self.maxLogScale = maxLogScale
    self.elements = elements
    self.columns = columns
    input = FloatBuffer(elements * columns)
    scale = FloatBuffer(elements * columns)
    slope = FloatBuffer(elements * columns)
  }

  func normalize(
    _ x: UnsafePointer<Float>, into y: UnsafeMutablePointer<Float>,
    logDeterminants: UnsafeMutablePointer<Float>, theta: UnsafeMutablePointer<Float>
  ) {
    forEachBlock(0..<elements) { index, column, row in
      let s = logScale(index, load(theta + row))
      store(load(logDeterminants + column) + s, logDeterminants + column)
      let value = load(x + index)
      store(value, input.pointer + index)
      store(value * load(scale.pointer + index) + load(theta + row + columns), y + index)
    }
  }

  /// dx = dy·e^s, dt = dy, ds = dy·x·e^s + dℓ.
  func normalizeVJP(
    _ cotangent: UnsafeMutablePointer<Float>, _ dLogDeterminants: UnsafePointer<Float>,
    theta: UnsafePointer<Float>, dTheta: UnsafeMutablePointer<Float>
  ) {
    forEachBlock(0..<elements) { index, column, row in
      let dy = load(cotangent + index)
      let dx = dy * load(scale.pointer + index)
      let ds = dx * load(input.pointer + index) + load(dLogDeterminants + column)
      store(ds * load(slope.pointer + index), dTheta + row)
      store(dy, dTheta + row + columns)
      store(dx, cotangent + index)
    }
  }

  func generate(
    _ values: UnsafeMutablePointer<Float>, elements: Range<Int>, theta: UnsafeMutablePointer<Float>
  ) {
    forEachBlock(elements) { index, _, row in
      _ = logScale(index, load(theta + row))
      let x = (load(values + index) - load(theta + row + columns)) / load(scale.pointer + index)
      store(x, input.pointer + index)
      store(x, values + index)
    }
  }

  func generateVJP(
    _ cotangent: UnsafeMutablePointer<Float>, elements: Range<Int>, theta: UnsafePointer<Float>,
    dTheta: UnsafeMutablePointer<Float>
  ) {
    forEachBlock(elements) { index, _, row in
      let dx = load(cotangent + index)
      let dy = dx / load(scale.pointer + index)
      // ∂t/∂s = x·e^s, divided by t' = e^s.
      store(-(dx * load(input.pointer + index)) * load(slope.pointer + index), dTheta + row)
      store(-dy, dTheta + row + columns)
      store(dy, cotangent + index)
    }
  }

  /// s of one block; stores e^s and ∂s/∂θ_0 = 1 − tanh².
  @inline(__always)
  private func logScale(_ index: Int, _ raw: Vector) -> Vector {
    let bounded = hyperbolicTangent(raw * all(1 / maxLogScale))
    let s = bounded * all(maxLogScale)
    store(exponential(s), scale.pointer + index)
    store(all(1) - bounded * bounded, slope.pointer + index)
    return s
  }

  /// Calls `body` with the place of sixteen lanes in x, in a row of lanes, and in θ.
  @inline(__always)
  private func forEachBlock(
    _ elements: Range<Int>, _ body: (_ index: Int, _ column: Int, _ row: Int) -> Void
  ) {
    for element in elements {
      for column in stride(from: 0, to: columns, by: 16) {
        body(element &* columns &+ column, column, 2 &* element &* columns &+ column)
      }
    }
  }
}
