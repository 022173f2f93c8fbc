import Maps
import Noise
import Randomness
import Tensors

/// How a picture is damaged: noise n ~ N(0, σ²N₀ + diag s²), missing elements, and an instrument that clips and rounds.
/// The forward operator, if any, has acted before.
public struct Damage: Sendable {
  /// σ ≥ 0, intensity.
  public let sigma: Double
  /// N₀.
  public let noise: NoiseShape
  /// Standard deviations ≥ 0 of independent noise on top, one for each element; intensity.
  public let independentSigmas: [Float]?
  /// One flag for each element; nil when all are observed.
  public let observed: [Bool]?
  /// Values beyond these ends are set to them; nil for an instrument without ends.
  public let clippingRange: ClosedRange<Float>?
  /// Bits of a sample when values are rounded to 2^bits levels from one end of the clipping range to
  /// the other; nil to leave rounding to whoever writes the file.
  public let bitDepth: Int?

  /// - Precondition: σ ≥ 0; a bit depth is in 1...16 and comes with a clipping range that is not empty.
  public init(
    sigma: Double, noise: NoiseShape = .white, independentSigmas: [Float]? = nil,
    observed: [Bool]? = nil, clippingRange: ClosedRange<Float>? = nil, bitDepth: Int? = nil
  ) {
    precondition(sigma >= 0 && independentSigmas?.allSatisfy { $0 >= 0 } ?? true)
    if let clippingRange { precondition(clippingRange.lowerBound < clippingRange.upperBound) }
    if let bitDepth { precondition(clippingRange != nil && (1...16).contains(bitDepth)) }
    self.sigma = sigma
    self.noise = noise
    self.independentSigmas = independentSigmas
    self.observed = observed
    self.clippingRange = clippingRange
    self.bitDepth = bitDepth
  }

  /// One damaged picture of `truth` + noise; missing elements are 0. The noise of an element does not
  /// depend on the mask.
  /// - Throws: when the noise is not for data of this shape.
  /// - Precondition: the mask and the sigmas have as many elements as `truth`.
  public func simulate(truth: Tensor, key: RandomKey) throws(PlanError) -> Tensor {
    precondition(observed.map { $0.count == truth.count } ?? true)
    let noise = try drawNoise(truth.shape, key: key.child("noise"))
    var picture = truth
    for index in picture.values.indices {
      if let observed, !observed[index] {
        picture.values[index] = 0
      } else {
        picture.values[index] = record(Double(truth.values[index]) + noise[index])
      }
    }
    return picture
  }

  private func drawNoise(_ shape: Shape, key: RandomKey) throws(PlanError) -> [Double] {
    var stream = key.stream()
    var values = [Double](repeating: 0, count: shape.count)
    if sigma > 0 { values = try noise.draw(shape: shape, stream: &stream).map { sigma * $0 } }
    if let independentSigmas {
      precondition(independentSigmas.count == shape.count)
      for (index, normal) in stream.normals(shape.count).enumerated() {
        values[index] += Double(independentSigmas[index]) * normal
      }
    }
    return values
  }

  /// What the instrument writes down for an intensity.
  private func record(_ value: Double) -> Float {
    guard let range = clippingRange else { return Float(value) }
    let clipped = min(max(Float(value), range.lowerBound), range.upperBound)
    guard let bitDepth else { return clipped }
    let span = Double(range.upperBound) - Double(range.lowerBound)
    let step = span / Double((1 << bitDepth) - 1)
    let level = ((Double(clipped) - Double(range.lowerBound)) / step).rounded()
    return Float(Double(range.lowerBound) + level * step)
  }
}
