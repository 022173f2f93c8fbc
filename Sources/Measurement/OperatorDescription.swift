import Maps
import Tensors

/// One step of the instrument as a value: what happens to the light, without the size of the picture.
/// `makeOperator` puts it onto a shape. A mask is no step; it belongs to the data.
public enum OperatorDescription: Equatable, Sendable {
  /// y = x.
  case identity
  /// `ConvolutionOperator`; the point-spread function is rows × columns.
  case blur(pointSpreadFunction: Tensor, border: ConvolutionOperator.Border)
  /// `DownsamplingOperator`.
  case downsample(factor: Int)
  /// `CropOperator`, in pixels.
  case crop(top: Int, left: Int, height: Int, width: Int)
  /// `PaddingOperator`, in pixels.
  case pad(top: Int, left: Int, bottom: Int, right: Int)
  /// `FourierSamplingOperator`; H×W flags in the order of the Fourier transform.
  case fourier(sampled: [Bool])
  /// `GainOperator`; a gain for each element, or for each pixel of one channel and the same for all.
  case gain([Float])

  /// The word for the step in files and messages.
  public var name: String {
    switch self {
    case .identity: "identity"
    case .blur: "blur"
    case .downsample: "downsample"
    case .crop: "crop"
    case .pad: "pad"
    case .fourier: "fourier"
    case .gain: "gain"
    }
  }

  /// The operator that takes this step from an array of `shape`.
  /// - Throws: `unusable` when the step needs a C×H×W picture and `shape` is none, when a blur has no
  ///   rows × columns of elements, and what the operator's `init` throws.
  public func makeOperator(on shape: Shape) throws(PlanError) -> any LinearOperator {
    switch self {
    case .identity:
      return IdentityOperator(shape: shape)
    case .blur(let function, let border):
      try requirePicture(shape)
      guard function.shape.rank == 2, function.count > 0 else {
        throw .unusable(
          "a point-spread function of shape \(function.shape) cannot blur; give rows × columns")
      }
      return try ConvolutionOperator(shape: shape, kernel: function, border: border)
    case .downsample(let factor):
      try requirePicture(shape)
      return try DownsamplingOperator(shape: shape, factor: factor)
    case .crop(let top, let left, let height, let width):
      try requirePicture(shape)
      return try CropOperator(shape: shape, top: top, left: left, height: height, width: width)
    case .pad(let top, let left, let bottom, let right):
      try requirePicture(shape)
      return try PaddingOperator(shape: shape, top: top, left: left, bottom: bottom, right: right)
    case .fourier(let sampled):
      try requirePicture(shape)
      return try FourierSamplingOperator(shape: shape, sampled: sampled)
    case .gain(let gains):
      if shape.rank == 3, gains.count == shape[1] * shape[2] {
        let all = (0..<shape[0]).flatMap { _ in gains }
        return try GainOperator(shape: shape, gains: all)
      }
      return try GainOperator(shape: shape, gains: gains)
    }
  }

  /// The composition of `steps`, in the order in which the light meets them, on a picture of `shape`;
  /// the identity when there are none.
  /// - Throws: as `makeOperator(on:)`, the message beginning with the number and name of the step.
  public static func makeOperator(
    composing steps: [OperatorDescription], on shape: Shape
  ) throws(PlanError) -> any LinearOperator {
    var operators: [any LinearOperator] = []
    var current = shape
    for (index, step) in steps.enumerated() {
      do throws(PlanError) {
        let next = try step.makeOperator(on: current)
        current = next.codomain
        operators.append(next)
      } catch {
        let place = "step \(index + 1) of the forward operator (\(step.name)): "
        switch error {
        case .unusable(let what): throw .unusable(place + what)
        case .tooLarge(let what): throw .tooLarge(place + what)
        case .shapesDiffer, .library: throw error
        }
      }
    }
    if operators.isEmpty { return IdentityOperator(shape: shape) }
    return operators.count == 1 ? operators[0] : try ComposedOperator(operators)
  }

  private func requirePicture(_ shape: Shape) throws(PlanError) {
    guard shape.rank == 3 else {
      throw .unusable(
        "it acts on a picture of channels × height × width, but what arrives has the shape "
          + "\(shape); move it before the step that makes a vector")
    }
  }
}
