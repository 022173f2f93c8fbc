import Maps
import Randomness
import Tensors

/// How a picture is damaged: noise, missing elements, and an instrument that clips and rounds.
/// The forward operator, if any, has acted before.
public struct Damage: Sendable {
  /// The law of the noise.
  public enum Noise: Sendable {
    /// White noise of standard deviation σ ≥ 0, intensity.
    case white(sigma: Double)
    /// Independent noise; one standard deviation ≥ 0 for each element, intensity.
    case independent(sigmas: [Float])
    /// Any Gaussian noise of as many data as the picture has elements.
    case model(any NoiseModel)
  }

  public let noise: Noise
  /// One flag for each element; nil when all are observed.
  public let observed: [Bool]?
  /// Values beyond these ends are set to them; nil for an instrument without ends.
  public let clippingRange: ClosedRange<Float>?
  /// Bits of a sample when values are rounded to 2^bits levels from one end of the clipping range to
  /// the other; nil to leave rounding to whoever writes the file.
  public let bitDepth: Int?

  /// - Precondition: a bit depth is in 1...16 and comes with a clipping range that is not empty.
  public init(
    noise: Noise, observed: [Bool]? = nil, clippingRange: ClosedRange<Float>? = nil,
    bitDepth: Int? = nil
  ) {
    if let clippingRange { precondition(clippingRange.lowerBound < clippingRange.upperBound) }
    if let bitDepth { precondition(clippingRange != nil && (1...16).contains(bitDepth)) }
    self.noise = noise
    self.observed = observed
    self.clippingRange = clippingRange
    self.bitDepth = bitDepth
  }

  /// One damaged picture of `truth` + noise; missing elements are 0. The noise of an element does not
  /// depend on the mask.
  /// - Throws: what the noise model's plan throws.
  /// - Precondition: the mask, the sigmas and the noise model have as many elements as `truth`.
  public func simulate(truth: Tensor, key: RandomKey) throws(PlanError) -> Tensor {
    precondition(observed.map { $0.count == truth.count } ?? true)
    let noise = try drawNoise(count: truth.count, key: key.child("noise"))
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

  private func drawNoise(count: Int, key: RandomKey) throws(PlanError) -> [Double] {
    var stream = key.stream()
    switch noise {
    case .white(let sigma):
      precondition(sigma >= 0)
      return stream.normals(count).map { sigma * $0 }
    case .independent(let sigmas):
      precondition(sigmas.count == count && sigmas.allSatisfy { $0 >= 0 })
      return zip(sigmas, stream.normals(count)).map { Double($0) * $1 }
    case .model(let model):
      precondition(model.dimension == count)
      let plan = try model.makePlan(lanes: 1)
      var values = [Double](repeating: 0, count: count)
      var span = values.mutableSpan
      plan.draw(&stream, into: &span)
      return values
    }
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
