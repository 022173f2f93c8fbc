import Maps
import Noise
import Numerics
import Randomness
import Tensors

/// How a picture was measured: y = (A(x + ε) + n)_O with n ~ N(0, σ²N₀ + diag r) and ε ~ N(0, Σ). The
/// level σ is not part of it: it may be unknown.
///
/// A description; `DiagonalizedMeasurement` makes it quick to evaluate, `CorrelatedMeasurement` takes any
/// number of data at a known level.
public struct GaussianMeasurement: Sendable {
  /// A, from pictures C×H×W to data.
  public let forwardOperator: any LinearOperator
  /// O: one flag for each element of the operator's codomain.
  public let observed: [Bool]
  /// N₀, on the operator's codomain.
  public let noise: NoiseShape
  /// r ≥ 0, variances that do not scale with σ² (rounding, a sigma map), one for each element of the
  /// operator's codomain.
  public let fixedVariances: [Float]
  /// Σ, what the decoder cannot paint.
  public let residual: ResidualCovariance

  /// - Throws: `unusable` when nothing is observed, or the noise does not fit the operator's codomain.
  /// - Precondition: one flag and one variance ≥ 0 for each element of the codomain; a residual of the
  ///   domain's size.
  public init(
    forwardOperator: any LinearOperator, observed: [Bool]? = nil, noise: NoiseShape = .white,
    fixedVariances: [Float], residual: ResidualCovariance
  ) throws(PlanError) {
    let shape = forwardOperator.codomain
    self.forwardOperator = forwardOperator
    self.observed = observed ?? [Bool](repeating: true, count: shape.count)
    self.noise = noise
    self.fixedVariances = fixedVariances
    self.residual = residual
    precondition(self.observed.count == shape.count && fixedVariances.count == shape.count)
    precondition(fixedVariances.allSatisfy { $0 >= 0 && $0.isFinite })
    precondition(residual.count == forwardOperator.domain.count)
    try noise.check(shape: shape)
    guard self.observed.contains(true) else {
      throw .unusable("no datum is observed; leave some of them in the mask")
    }
  }

  /// Row-major indices into the codomain of the observed elements, ascending.
  package var observedIndices: [Int] { observed.indices.filter { observed[$0] } }

  /// Elements of a matrix from pictures to data, at most.
  private static let largestMatrix = 1 << 26

  /// Whether the data are few enough for dense algebra: for a D×D covariance and a D×P matrix.
  package var isDense: Bool {
    let count = observed.count { $0 }
    return count <= DenseNoise.largestDimension
      && count <= Self.largestMatrix / max(forwardOperator.domain.count, 1)
  }

  /// One draw of the noise of all elements of the operator's codomain, at the data's σ: σ²N₀ and the fixed
  /// variances.
  package func drawNoise(sigma: Double, stream: inout RandomStream) -> [Double] {
    let shape = forwardOperator.codomain
    var draw: [Double]
    do {
      draw = try noise.draw(shape: shape, stream: &stream)
    } catch {
      // Checked when the measurement was described. Zeros in its place would be draws without noise.
      preconditionFailure("noise that was checked for \(shape) cannot be drawn: \(error)")
    }
    let own = stream.normals(draw.count)
    for index in draw.indices {
      draw[index] = sigma * draw[index] + Double(fixedVariances[index]).squareRoot() * own[index]
    }
    return draw
  }

  /// A_O as a matrix D×P, row-major: the operator applied to every unit picture.
  /// - Throws: `tooLarge` above 2²⁶ elements, or what the operator's plan throws.
  package func matrix() throws(PlanError) -> [Double] {
    let (pixels, all) = (forwardOperator.domain.count, forwardOperator.codomain.count)
    let seen = observedIndices
    guard seen.count <= Self.largestMatrix / max(pixels, 1) else {
      throw .tooLarge("a matrix from \(pixels) elements of the picture to \(seen.count) data")
    }
    let lanes = min(64, pixels)
    let plan = try forwardOperator.makePlan(lanes: lanes)
    var matrix = [Double](repeating: 0, count: seen.count * pixels)
    let (inputs, outputs) = (FloatBuffer(lanes * pixels), FloatBuffer(lanes * all))
    for first in stride(from: 0, to: pixels, by: lanes) {
      let count = min(lanes, pixels - first)
      for lane in 0..<count { inputs.pointer[lane * pixels + first + lane] = 1 }
      var span = outputs.buffer.mutableSpan
      plan.apply(inputs.buffer.span, into: &span)
      for lane in 0..<count {
        inputs.pointer[lane * pixels + first + lane] = 0
        for (row, element) in seen.enumerated() {
          matrix[row * pixels + first + lane] = Double(outputs.pointer[lane * all + element])
        }
      }
    }
    return matrix
  }
}
