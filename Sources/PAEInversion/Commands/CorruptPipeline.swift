import Foundation
import ImageFiles
import Likelihoods
import Inversion
import Maps
import Noise
import Problems
import Randomness
import Tensors

/// Makes a test case: `truth.png`, `data.png` (`data.npy` for frequencies), with a hole `mask.png`, and
/// `problem.yaml`, which `solve` takes.
public enum CorruptPipeline {
  /// - Parameter image: a PNG, "-", or a test picture such as `fashion-mnist:3055`.
  public static func run(image: String, output: String, options: CorruptOptions) throws {
    let truth = try DatasetLocator.testPicture(image) ?? Picture.read(path: image)
    let model = try fittingModel(options, shape: truth.tensor.shape)
    let key = RandomKey(seed: options.seed).child("corrupt")
    let forward = try ForwardModel(options.operators, on: truth.tensor.shape)
    let observed = try options.hole.observed(forward.dataShape, key: key.child("mask"))
    let (noise, sigma) = try resolve(options.noise, shape: forward.dataShape)
    let sigmas = try options.noise.sigmaMap.map {
      try DamagedPicture.readSigmaMap($0, shape: forward.dataShape)
    }
    let ends = Float(truth.range.lowerBound)...Float(truth.range.upperBound)
    let isClipped = !options.isWide && forward.sampling == nil
    let damage = Damage(
      sigma: sigma, noise: noise, independentSigmas: sigmas, observed: observed,
      clippingRange: isClipped ? ends : nil)
    let values = try damage.simulate(
      truth: apply(forward, to: truth.tensor), key: key.child("noise"))
    let folder = try OutputFolder(path: output, overwrite: options.overwrite)
    try folder.write(truth.encoded(), to: "truth.png")
    let name = forward.sampling == nil ? "data.png" : "data.npy"
    if let sampling = forward.sampling {
      try folder.write(
        NPYFile.encode(
          shape: sampling.domain, values: sampling.spectrum(from: values.values), isComplex: true),
        to: name)
    } else {
      let data = Picture(
        tensor: values, alpha: forward.isIdentity ? truth.alpha : nil,
        bitDepth: options.bitDepth ?? (options.isWide ? 16 : truth.bitDepth),
        range: options.isWide ? wideRange(values) : truth.range)
      try folder.write(data.encoded(), to: name)
    }
    if let observed {
      let shape = forward.dataShape
      let mask = Tensor(
        shape: Shape(1, shape[1], shape[2]),
        values: observed.prefix(shape[1] * shape[2]).map { $0 ? 1 : 0 })
      try folder.write(Picture(tensor: mask).encoded(), to: "mask.png")
    }
    try folder.write(
      Array(problem(options, model: model, data: name, isMasked: observed != nil).utf8),
      to: "problem.yaml")
    try folder.commit()
  }

  /// The model that paints pictures of this shape: the one asked for, else the default where it fits.
  /// - Throws: `PipelineError` where the one asked for does not fit, or cannot be read.
  private static func fittingModel(_ options: CorruptOptions, shape: Shape) throws -> String? {
    if let name = options.model {
      let painted = try PAEModel.read(path: try ModelLocator.path(of: name)).imageShape
      guard painted == shape else {
        throw PipelineError.data(
          "the picture is \(shape[2])x\(shape[1]) with \(shape[0]) channels but the model '\(name)' paints "
            + "\(painted[2])x\(painted[1]) with \(painted[0]): choose another --model")
      }
      return name
    }
    let name = options.solving.model
    guard let path = try? ModelLocator.path(of: name), let model = try? PAEModel.read(path: path),
      model.imageShape == shape
    else { return nil }
    return name
  }

  /// The case as `solve` takes it; its own files are named without a folder.
  private static func problem(
    _ options: CorruptOptions, model: String?, data: String, isMasked: Bool
  ) -> String {
    var solving = options.solving
    if let model { solving.model = model }
    if solving.model.contains("/") { solving.model = absolutePath(solving.model) }
    solving.operators = options.operators.map(\.withAbsolutePaths)
    solving.noise = options.noise
    if solving.noise.level == .inferred { solving.noise.sigma = .value(defaultSigma) }
    solving.noise.sigmaMap = options.noise.sigmaMap.map(absolutePath)
    if case .file(let path) = options.noise.spectrum {
      solving.noise.spectrum = .file(path: absolutePath(path))
    }
    return ProblemFile(
      options: solving,
      tasks: [
        SolveTask(
          image: data, output: "solved", mask: isMasked ? "mask.png" : nil, truth: "truth.png")
      ]
    ).yaml(namesModel: model != nil)
  }

  private static func apply(
    _ forward: ForwardModel, to truth: Tensor
  ) throws(PlanError) -> Tensor {
    var data = Tensor(shape: forward.dataShape)
    var span = data.values.mutableSpan
    try forward.map.makePlan(lanes: 1).apply(truth.values.span, into: &span)
    return data
  }

  /// σ when no noise is given.
  private static let defaultSigma = 0.1

  /// N₀ and σ.
  private static func resolve(
    _ options: NoiseOptions, shape: Shape
  ) throws -> (NoiseShape, Double) {
    guard !options.spectrum.isSlopeInferred else {
      throw PipelineError.usage(
        "corrupt needs the slope of the noise: give --noise-spectrum power: a number, not auto")
    }
    let noise = try ResolvedNoise(options, shape: shape)
    switch options.level {
    case .known(let sigma):
      guard sigma >= 0 && sigma <= 100 else {
        throw PipelineError.usage(
          "--sigma must be zero or a positive number of intensity units (black 0, white 1), not "
            + short(sigma))
      }
      return (noise.shape, sigma)
    case .inSpectrum: return (noise.shape, noise.spectrumSigma ?? 0)
    case .none: return (noise.shape, 0)
    case .inferred:
      guard options.sigma == nil else {
        throw PipelineError.usage("corrupt needs a noise level: give --sigma a number, not auto")
      }
      return (noise.shape, defaultSigma)
    }
  }

  /// A hundredth of margin on both sides, in whole hundredths: no value lies at an end.
  private static func wideRange(_ values: Tensor) -> ClosedRange<Double> {
    let (low, high) = (values.values.min() ?? 0, values.values.max() ?? 1)
    return ((Double(low) * 100).rounded(.down) - 1) / 100...((Double(high) * 100).rounded(.up) + 1)
      / 100
  }
}

/// As the file is named from anywhere.
private func absolutePath(_ path: String) -> String {
  path.hasPrefix("/") ? path : FileManager.default.currentDirectoryPath + "/" + path
}

extension ForwardStep {
  fileprivate var withAbsolutePaths: ForwardStep {
    switch self {
    case .blur(.file(let path, let center), let border):
      .blur(.file(path: absolutePath(path), center: center), border: border)
    case .gain(let path): .gain(path: absolutePath(path))
    case .mask(let path): .mask(path: absolutePath(path))
    case .fourier(let path): .fourier(path: absolutePath(path))
    case .blur, .downsample, .crop, .pad: self
    }
  }
}
