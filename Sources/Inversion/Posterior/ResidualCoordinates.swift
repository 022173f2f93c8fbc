import Flows
import Maps
import Networks
import Noise
import Tensors

// Where data are clipped, the shared part of the residual cannot be integrated out: ε = F a + δ with
// a ~ N(0, I) and δ independent. The coefficients a join the coordinates, (u, a) or (z, a), and what is
// left is independent from pixel to pixel, clipped or not: exact, at the price of R more dimensions.

/// (c, a) ↦ G(c) + Σ_r a_r f_r: a generator with the residual's factors painted over it.
package struct FactorPainting: DifferentiableMap {
  package let domain: Shape
  package var codomain: Shape { generator.codomain }
  let generator: any DifferentiableMap
  /// F: a ↦ Σ_r a_r f_r.
  let painting: Network

  /// - Precondition: a residual of the generator's size with at least one factor.
  package init(_ generator: any DifferentiableMap, residual: ResidualCovariance) {
    precondition(residual.rank > 0 && residual.count == generator.codomain.count)
    self.generator = generator
    domain = Shape(generator.domain.count + residual.rank)
    painting = linearMap(
      from: Shape(residual.rank), to: residual.count,
      weights: (0..<residual.count).flatMap { pixel in
        (0..<residual.rank).map { residual.factors[$0 * residual.count + pixel] }
      })
  }

  package func makePlan(lanes: Int) throws(PlanError) -> any MapPlan {
    FactorPaintingPlan(
      lanes: lanes, latent: generator.domain.count, rank: painting.domain.count,
      pixels: codomain.count, generator: try generator.makePlan(lanes: lanes),
      painting: try painting.makePlan(lanes: lanes))
  }
}

final class FactorPaintingPlan: MapPlan {
  private let latent: FloatBuffer
  private let coefficients: FloatBuffer
  private let painted: FloatBuffer
  private let generator: any MapPlan
  private let painting: any MapPlan
  private let lanes: Int

  init(
    lanes: Int, latent: Int, rank: Int, pixels: Int, generator: any MapPlan, painting: any MapPlan
  ) {
    self.lanes = lanes
    self.latent = FloatBuffer(lanes * latent)
    coefficients = FloatBuffer(lanes * rank)
    painted = FloatBuffer(lanes * pixels)
    self.generator = generator
    self.painting = painting
  }

  func apply(_ x: Span<Float>, into y: inout MutableSpan<Float>) {
    split(x, lanes: lanes, latent, coefficients)
    generator.apply(latent.buffer.span, into: &y)
    var paintedSpan = painted.buffer.mutableSpan
    painting.apply(coefficients.buffer.span, into: &paintedSpan)
    for index in 0..<painted.count { y[index] += painted.pointer[index] }
  }

  func vjp(_ dy: Span<Float>, into dx: inout MutableSpan<Float>) {
    var latentSpan = latent.buffer.mutableSpan
    generator.vjp(dy, into: &latentSpan)
    var coefficientSpan = coefficients.buffer.mutableSpan
    painting.vjp(dy, into: &coefficientSpan)
    join(latent, coefficients, lanes: lanes, into: &dx)
  }
}

/// A flow beside coordinates that are standard normal as they are: (z, a) ↦ (f(z), a).
package struct ExtendedFlow: Bijection {
  let flow: any Bijection
  /// How many coordinates lie behind the flow's.
  let extra: Int

  package init(_ flow: any Bijection, extra: Int) {
    self.flow = flow
    self.extra = extra
  }

  package var dimension: Int { flow.dimension + extra }
  package var generator: any DifferentiableMap { ExtendedGenerator(flow: flow, extra: extra) }

  package func makeNormalizingPlan(lanes: Int) throws(PlanError) -> any NormalizingPlan {
    ExtendedNormalizingPlan(
      lanes: lanes, plan: try flow.makeNormalizingPlan(lanes: lanes), dimension: flow.dimension,
      extra: extra)
  }
}

final class ExtendedNormalizingPlan: NormalizingPlan {
  private let lanes: Int
  private let plan: any NormalizingPlan
  private let inputs: FloatBuffer
  private let outputs: FloatBuffer
  private let extras: FloatBuffer

  init(lanes: Int, plan: any NormalizingPlan, dimension: Int, extra: Int) {
    self.lanes = lanes
    self.plan = plan
    inputs = FloatBuffer(lanes * dimension)
    outputs = FloatBuffer(lanes * dimension)
    extras = FloatBuffer(lanes * extra)
  }

  func apply(
    _ z: Span<Float>, into u: inout MutableSpan<Float>, logDeterminants: inout MutableSpan<Float>
  ) {
    split(z, lanes: lanes, inputs, extras)
    var span = outputs.buffer.mutableSpan
    plan.apply(inputs.buffer.span, into: &span, logDeterminants: &logDeterminants)
    join(outputs, extras, lanes: lanes, into: &u)
  }

  func vjp(
    _ du: Span<Float>, _ dLogDeterminants: Span<Float>, into dz: inout MutableSpan<Float>
  ) {
    split(du, lanes: lanes, outputs, extras)
    var span = inputs.buffer.mutableSpan
    plan.vjp(outputs.buffer.span, dLogDeterminants, into: &span)
    join(inputs, extras, lanes: lanes, into: &dz)
  }
}

/// (u, a) ↦ (T(u), a).
struct ExtendedGenerator: DifferentiableMap {
  let flow: any Bijection
  let extra: Int
  var domain: Shape { Shape(flow.dimension + extra) }
  var codomain: Shape { domain }

  func makePlan(lanes: Int) throws(PlanError) -> any MapPlan {
    ExtendedGeneratorPlan(
      lanes: lanes, plan: try flow.generator.makePlan(lanes: lanes), dimension: flow.dimension,
      extra: extra)
  }
}

final class ExtendedGeneratorPlan: MapPlan {
  private let lanes: Int
  private let plan: any MapPlan
  private let inputs: FloatBuffer
  private let outputs: FloatBuffer
  private let extras: FloatBuffer

  init(lanes: Int, plan: any MapPlan, dimension: Int, extra: Int) {
    self.lanes = lanes
    self.plan = plan
    inputs = FloatBuffer(lanes * dimension)
    outputs = FloatBuffer(lanes * dimension)
    extras = FloatBuffer(lanes * extra)
  }

  func apply(_ x: Span<Float>, into y: inout MutableSpan<Float>) {
    split(x, lanes: lanes, inputs, extras)
    var span = outputs.buffer.mutableSpan
    plan.apply(inputs.buffer.span, into: &span)
    join(outputs, extras, lanes: lanes, into: &y)
  }

  func vjp(_ dy: Span<Float>, into dx: inout MutableSpan<Float>) {
    split(dy, lanes: lanes, outputs, extras)
    var span = inputs.buffer.mutableSpan
    plan.vjp(outputs.buffer.span, into: &span)
    join(inputs, extras, lanes: lanes, into: &dx)
  }
}

/// Rows of `first` and `second` side by side, taken apart.
func split(_ x: Span<Float>, lanes: Int, _ first: FloatBuffer, _ second: FloatBuffer) {
  let (a, b) = (first.count / lanes, second.count / lanes)
  precondition(x.count == lanes * (a + b))
  for lane in 0..<lanes {
    for k in 0..<a { first.pointer[lane * a + k] = x[lane * (a + b) + k] }
    for k in 0..<b { second.pointer[lane * b + k] = x[lane * (a + b) + a + k] }
  }
}

/// The reverse of `split`.
func join(
  _ first: FloatBuffer, _ second: FloatBuffer, lanes: Int, into x: inout MutableSpan<Float>
) {
  let (a, b) = (first.count / lanes, second.count / lanes)
  precondition(x.count == lanes * (a + b))
  for lane in 0..<lanes {
    for k in 0..<a { x[lane * (a + b) + k] = first.pointer[lane * a + k] }
    for k in 0..<b { x[lane * (a + b) + a + k] = second.pointer[lane * b + k] }
  }
}
