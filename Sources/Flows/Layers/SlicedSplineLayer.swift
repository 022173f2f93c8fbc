import Networks
import Numerics
import Tensors

/// y = x + Aᵀ(ψ(s) − s), s = A x, ℓ = Σ_k ln ψ_k'(s_k): along r orthonormal directions the code is bent,
/// across them it passes. Since A y = ψ(s), the inverse is x = y + Aᵀ(ψ⁻¹(t) − t), t = A y. O(r K) a lane.
final class SlicedSplineLayer: NormalizingLayer, GeneratingLayer {
  /// Where the numbers come from: fixed ones, or the flat vector given to each application.
  enum Source {
    case fixed(PackedSlicedSpline)
    case fromParameters(SlicedSplineSlots)
  }

  private let source: Source
  private let columns: Int
  private let lanes: Int
  private let dimension: Int
  private let directionCount: Int
  /// The numbers of the latest application.
  private var packed: PackedSlicedSpline?
  /// s or t, and what is added along the directions; [r, columns].
  private let projection: FloatBuffer
  private let change: FloatBuffer
  /// ψ' − 1 (of the inverse 1/ψ' − 1) and (ln ψ')' of the latest application.
  private let gain: FloatBuffer
  private let logSlope: FloatBuffer

  init(_ source: Source, columns: Int, lanes: Int) {
    self.source = source
    self.columns = columns
    self.lanes = lanes
    switch source {
    case .fixed(let fixed): (directionCount, dimension) = (fixed.directionCount, fixed.dimension)
    case .fromParameters(let slots):
      (directionCount, dimension) = (slots.directionCount, slots.dimension)
    }
    projection = FloatBuffer(directionCount * columns)
    change = FloatBuffer(directionCount * columns)
    gain = FloatBuffer(directionCount * columns)
    logSlope = FloatBuffer(directionCount * columns)
  }

  func normalize(
    _ x: UnsafePointer<Float>, into y: UnsafeMutablePointer<Float>,
    logDeterminants: UnsafeMutablePointer<Float>, parameters: UnsafePointer<Float>,
    masks: DropoutMasks?
  ) {
    let packed = numbers(parameters)
    packed.forward.multiply(x, columns: columns, lanes: lanes, into: projection.pointer)
    forEachBlock { direction, column, index in
      let s = load(projection.pointer + index)
      let (value, derivative, slope) = packed.splines.value(s, direction: direction)
      store(value - s, change.pointer + index)
      store(derivative - all(1), gain.pointer + index)
      store(slope, logSlope.pointer + index)
      store(
        load(logDeterminants + column) + logarithm(derivative), logDeterminants + column)
    }
    y.update(from: x, count: dimension * columns)
    packed.adjoint.multiply(
      change.pointer, columns: columns, lanes: lanes, from: .present, into: y)
  }

  /// dx = dy + Aᵀ((ψ' − 1) A dy + (ln ψ')' dℓ).
  func normalizeVJP(
    _ cotangent: UnsafeMutablePointer<Float>, _ dLogDeterminants: UnsafePointer<Float>,
    at x: UnsafePointer<Float>, parameters: UnsafePointer<Float>,
    gradient: UnsafeMutablePointer<Float>?
  ) {
    addAlongDirections(to: cotangent) { column, index in
      load(logSlope.pointer + index) * load(dLogDeterminants + column)
    }
  }

  func generate(_ values: UnsafeMutablePointer<Float>, parameters: UnsafePointer<Float>) {
    let packed = numbers(parameters)
    packed.forward.multiply(values, columns: columns, lanes: lanes, into: projection.pointer)
    forEachBlock { direction, _, index in
      let t = load(projection.pointer + index)
      let (x, derivative) = packed.splines.inverse(t, direction: direction)
      store(x - t, change.pointer + index)
      store(all(1) / derivative - all(1), gain.pointer + index)
    }
    packed.adjoint.multiply(
      change.pointer, columns: columns, lanes: lanes, from: .present, into: values)
  }

  /// dy = dx + Aᵀ((1/ψ' − 1) A dx).
  func generateVJP(_ cotangent: UnsafeMutablePointer<Float>, parameters: UnsafePointer<Float>) {
    addAlongDirections(to: cotangent) { _, _ in all(0) }
  }

  /// c ← c + Aᵀ(gain · A c + extra).
  @inline(__always)
  private func addAlongDirections(
    to cotangent: UnsafeMutablePointer<Float>, extra: (_ column: Int, _ index: Int) -> Vector
  ) {
    guard let packed else { preconditionFailure("a vjp follows an application") }
    packed.forward.multiply(cotangent, columns: columns, lanes: lanes, into: projection.pointer)
    forEachBlock { _, column, index in
      let along = load(projection.pointer + index) * load(gain.pointer + index)
      store(along + extra(column, index), change.pointer + index)
    }
    packed.adjoint.multiply(
      change.pointer, columns: columns, lanes: lanes, from: .present, into: cotangent)
  }

  private func numbers(_ parameters: UnsafePointer<Float>) -> PackedSlicedSpline {
    let result: PackedSlicedSpline
    switch source {
    case .fixed(let fixed): result = fixed
    case .fromParameters(let slots): result = PackedSlicedSpline(slots, parameters: parameters)
    }
    packed = result
    return result
  }

  /// Calls `body` with a direction, the first of sixteen lanes, and their place in [r, columns].
  @inline(__always)
  private func forEachBlock(_ body: (_ direction: Int, _ column: Int, _ index: Int) -> Void) {
    for direction in 0..<directionCount {
      for column in stride(from: 0, to: columns, by: 16) {
        body(direction, column, direction &* columns &+ column)
      }
    }
  }
}

/// The numbers of a `slicedSpline` as the kernels read them; immutable.
final class PackedSlicedSpline: PackedFlowLayer, @unchecked Sendable {
  let dimension: Int
  let directionCount: Int
  /// A and Aᵀ.
  let forward: PackedMatrix
  let adjoint: PackedMatrix
  let splines: TailedSplines

  init(_ slots: SlicedSplineSlots, parameters: UnsafePointer<Float>) {
    dimension = slots.dimension
    directionCount = slots.directionCount
    let rows = (0..<slots.directionCount * dimension).map {
      Double(parameters[slots.directions + $0])
    }
    let matrix = FloatBuffer(orthonormalRows(rows, columns: dimension).map { Float($0) })
    forward = PackedMatrix(matrix.pointer, rows: directionCount, inner: dimension)
    adjoint = PackedMatrix(
      matrix.pointer, rows: dimension, inner: directionCount, orientation: .transposed)
    splines = TailedSplines(slots, parameters: parameters)
  }

  func makeNormalizing(columns: Int, lanes: Int) -> any NormalizingLayer {
    SlicedSplineLayer(.fixed(self), columns: columns, lanes: lanes)
  }

  func makeGenerating(columns: Int, lanes: Int) -> any GeneratingLayer {
    SlicedSplineLayer(.fixed(self), columns: columns, lanes: lanes)
  }
}
