import ImageFiles
import Maps
import Operators
import Tensors

/// One step of the light's way to the data, as a problem file states it; files are not read yet.
public enum ForwardStep: Sendable, Equatable {
  /// A point-spread function.
  public enum PointSpread: Sendable, Equatable {
    /// Standard deviation in pixels.
    case gaussian(Double)
    /// Radius in pixels.
    case disc(Double)
    /// Length in pixels, angle in degrees.
    case motion(length: Double, angle: Double)
    /// A grey PNG or a NumPy array, scaled to sum to one. The centre, row and column counted from 0, is
    /// the middle element where the sides are odd, and must be stated where they are not.
    case file(path: String, center: Center? = nil)
  }

  /// An element of a kernel.
  public struct Center: Sendable, Equatable {
    public let row: Int
    public let column: Int

    public init(row: Int, column: Int) { (self.row, self.column) = (row, column) }
  }

  public enum Border: String, Sendable, CaseIterable {
    case periodic, zero, reflecting
  }

  case blur(PointSpread, border: Border)
  case downsample(factor: Int)
  case crop(top: Int, left: Int, height: Int, width: Int)
  case pad(top: Int, left: Int, bottom: Int, right: Int)
  /// Factors of the pixels: a PNG's intensities or a NumPy array.
  case gain(path: String)
  /// White passes, black is dark: a mask that the light goes through on its way.
  case mask(path: String)
  /// White = measured frequency; the zero frequency is in the middle (row H/2, column W/2).
  case fourier(path: String)

  /// Whether what does not fit may be a file's fault.
  var readsFile: Bool {
    switch self {
    case .blur(.file, _), .gain, .mask, .fourier: true
    case .blur, .downsample, .crop, .pad: false
    }
  }

  /// - Parameter warn: called with one-line warnings.
  func makeOperator(on shape: Shape, warn: (Warning) -> Void) throws -> any LinearOperator {
    guard shape.rank == 3 else {
      throw PipelineError.configuration("nothing can follow Fourier sampling")
    }
    let (height, width) = (shape[1], shape[2])
    switch self {
    case .blur(let function, let border):
      let borders: [Border: ConvolutionOperator.Border] = [
        .periodic: .periodic, .zero: .zero, .reflecting: .reflecting,
      ]
      return try ConvolutionOperator(
        shape: shape, kernel: try function.kernel(warn: warn), border: borders[border] ?? .periodic)
    case .downsample(let factor): return try DownsamplingOperator(shape: shape, factor: factor)
    case .crop(let top, let left, let cropHeight, let cropWidth):
      return try CropOperator(
        shape: shape, top: top, left: left, height: cropHeight, width: cropWidth)
    case .pad(let top, let left, let bottom, let right):
      return try PaddingOperator(shape: shape, top: top, left: left, bottom: bottom, right: right)
    case .gain(let path):
      let gains = try PixelArray.read(path, channels: shape[0], height: height, width: width)
      return try GainOperator(shape: shape, gains: gains)
    case .mask(let path):
      let flags = try mask(path, height, width, warn)
      return try GainOperator(
        shape: shape, gains: (0..<shape.count).map { flags[$0 % flags.count] ? 1 : 0 })
    case .fourier(let path):
      let flags = try mask(path, height, width, warn)
      // From a picture with the zero frequency in the middle to the order of the transform.
      let sampled = (0..<height * width).map { index in
        let row = (index / width + height / 2) % height
        let column = (index % width + width / 2) % width
        return flags[row * width + column]
      }
      return try FourierSamplingOperator(shape: shape, sampled: sampled)
    }
  }

  /// Rows and columns before this step, of what has so many after it; nil where they do not tell.
  func size(before height: Int, _ width: Int) -> (height: Int, width: Int)? {
    switch self {
    case .blur, .gain, .mask, .fourier: (height, width)
    case .downsample(let factor): (height * factor, width * factor)
    case .pad(let top, let left, let bottom, let right):
      (height - top - bottom, width - left - right)
    case .crop: nil
    }
  }

  private func mask(
    _ path: String, _ height: Int, _ width: Int, _ warn: (Warning) -> Void
  ) throws -> [Bool] {
    let mask = try Mask(path: path, height: height, width: width)
    mask.warnings.forEach { warn(Warning($0)) }
    return mask.observed
  }
}

extension ForwardStep.PointSpread {
  /// The kernel, of sum one, its middle element the centre.
  /// - Parameter warn: called with one-line warnings.
  func kernel(warn: (Warning) -> Void) throws -> Tensor {
    switch self {
    case .gaussian(let sigma): return try PointSpreadFunction.gaussian(sigma: sigma)
    case .disc(let radius): return try PointSpreadFunction.disc(radius: radius)
    case .motion(let length, let angle):
      return try PointSpreadFunction.motion(length: length, angle: angle)
    case .file(let path, let center):
      return try KernelFile(path: path, center: center, warn: warn).kernel
    }
  }
}
