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
    /// A grey PNG or a NumPy array, scaled to sum to one.
    case file(path: String)
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

  func makeOperator(on shape: Shape) throws -> any LinearOperator {
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
        shape: shape, kernel: try function.kernel(), border: borders[border] ?? .periodic)
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
      let flags = try PixelArray.readMask(path, height: height, width: width)
      return try GainOperator(
        shape: shape, gains: (0..<shape.count).map { flags[$0 % flags.count] ? 1 : 0 })
    case .fourier(let path):
      let flags = try PixelArray.readMask(path, height: height, width: width)
      // From a picture with the zero frequency in the middle to the order of the transform.
      let sampled = (0..<height * width).map { index in
        let row = (index / width + height / 2) % height
        let column = (index % width + width / 2) % width
        return flags[row * width + column]
      }
      return try FourierSamplingOperator(shape: shape, sampled: sampled)
    }
  }
}

extension ForwardStep.PointSpread {
  /// The kernel, of sum one.
  func kernel() throws -> Tensor {
    switch self {
    case .gaussian(let sigma): return try PointSpreadFunction.gaussian(sigma: sigma)
    case .disc(let radius): return try PointSpreadFunction.disc(radius: radius)
    case .motion(let length, let angle):
      return try PointSpreadFunction.motion(length: length, angle: angle)
    case .file(let path):
      let kernel = try PixelArray.readGrid(path)
      let sum = kernel.values.reduce(0.0) { $0 + Double($1) }
      let size = kernel.values.reduce(0.0) { $0 + abs(Double($1)) }
      guard abs(sum) > 1e-6 * size else {
        throw PipelineError.data(
          "the point-spread function \(path) sums to \(sum): it must pass some light to be scaled to one"
        )
      }
      return Tensor(shape: kernel.shape, values: kernel.values.map { Float(Double($0) / sum) })
    }
  }
}
