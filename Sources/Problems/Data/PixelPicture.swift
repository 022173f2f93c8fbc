import Foundation
import ImageFiles
import Likelihoods
import Tensors

/// A task's files for a model that takes pictures of any size.
package struct PixelPicture {
  package let task: SolveTask
  /// How results are written.
  package let form: ResultForm
  package let format: String
  package let range: DataRange
  /// From the picture to the data.
  package let forward: ForwardModel
  /// The data in the shape of the forward model's codomain, intensities; 0 where missing.
  package let tensor: Tensor
  /// A picture that the data suggest, for the eye: themselves where they have its shape.
  package let shown: Tensor
  /// The elements of `shown` that the data know something of; nil when these are all.
  package let isShown: [Bool]?
  /// One flag for each element; nil when all are observed.
  package let observed: [Bool]?
  package let truth: Tensor?
  /// Distance between neighbouring values; 0 for numbers that were not rounded.
  package let quantizationStep: Double
  /// The ends at which noise was cut off; nil where values there count as measured.
  package let clipping: ClosedRange<Float>?
  /// Observed elements there.
  package let clipped: Int
  package let warnings: [Warning]

  package var observedFraction: Double {
    guard let observed else { return 1 }
    return Double(observed.count { $0 }) / Double(observed.count)
  }

  /// - Parameters:
  ///   - channels: of the model.
  ///   - modelName: what a refusal calls the model.
  /// - Throws: `PipelineError` or `ImageFileError` for files that do not fit the model or one another.
  package init(task: SolveTask, options: SolveOptions, channels: Int, modelName: String) throws {
    let size = try Self.pictureShape(task.image, options.operators, modelName)
    let forward = try ForwardModel(options.operators, on: Shape(channels, size[1], size[2]))
    let shape = forward.dataShape
    let data = try MeasuredData(
      task.image, forward: forward, modelName: modelName, range: options.range,
      missing: .init(
        allowsNonFinite: task.allowsMissing, transparent: task.isTransparentMissing))
    var warnings = data.warnings
    var flags = data.observed.map { everyChannel($0, shape: shape) }
    if let path = task.mask {
      let mask = try DamagedPicture.readMask(path, shape: shape, reading: options.maskReading)
      warnings += mask.warnings.map { Warning($0) }
      if let warning = maskWarning(mask.name, values: data.values, observed: mask.observed) {
        warnings.append(warning)
      }
      flags = flags.map { zip($0, mask.observed).map { $0 && $1 } } ?? mask.observed
      guard flags?.contains(true) ?? true else {
        throw PipelineError.data(
          "\(task.image) and the mask \(path) together leave nothing that is observed")
      }
    } else if options.maskReading != Mask.Reading() {
      throw PipelineError.usage("--invert-mask and --mask-bad go with --mask")
    } else if task.isTransparentMissing, flags == nil {
      throw PipelineError.usage(
        "nothing of \(task.image) is missing, neither by transparency nor by NaN: give --mask, or use "
          + "paeinvert denoise")
    }
    let values = data.values
    let ends =
      shape.rank == 3
      ? Self.clipping(options.clipping, values, shape, flags, ends: data.ends) : nil
    clipping = ends
    clipped = values.indices.count { index in
      guard let ends, flags?[index] ?? true else { return false }
      return values[index] <= ends.lowerBound || values[index] >= ends.upperBound
    }
    warnings += forward.warnings
    if case .known(let sigma) = options.noise.level, shape.rank == 3,
      let warning = sigmaWarning(
        sigma, values: values,
        kinds: PixelData.kinds(of: values, observed: flags, censored: false), isClipped: false,
        name: task.image)
    {
      warnings.append(warning)
    }
    truth = try task.truth.map {
      try DamagedPicture.readTruth(
        $0, shape: forward.pictureShape, range: options.range.map { _ in data.range })
    }
    if shape == forward.pictureShape {
      (shown, isShown) = (Tensor(shape: shape, values: values), flags)
    } else {
      let back = try forward.backProjection(values, observed: flags)
      shown = Tensor(shape: forward.pictureShape, values: back.picture)
      isShown = back.isKnown.contains(false) ? back.isKnown : nil
    }
    (self.task, self.forward) = (task, forward)
    (form, format, range) = (data.form, data.format, data.range)
    tensor = Tensor(shape: shape, values: values)
    observed = flags
    quantizationStep = data.quantizationStep
    self.warnings = warnings
  }

  /// - Throws: `PipelineError` where the data do not tell it.
  private static func pictureShape(
    _ path: String, _ steps: [ForwardStep], _ modelName: String
  ) throws -> Shape {
    guard let shape = try ModelChoice.picture(ofFile: path, behind: steps).shape else {
      throw PipelineError.configuration(
        "data behind a crop do not tell the picture's size, which the model '\(modelName)' takes from "
          + "them; give the data in full with a mask")
    }
    return shape
  }

  private static func clipping(
    _ choice: SolveOptions.Clipping, _ values: [Float], _ shape: Shape, _ observed: [Bool]?,
    ends: ClosedRange<Float>?
  ) -> ClosedRange<Float>? {
    switch choice {
    case .no: return nil
    case .yes: return ends ?? 0...1
    case .auto:
      guard let ends else { return nil }
      let pileUp = ClippingPileUp(
        Tensor(shape: shape, values: values), observed: observed, low: ends.lowerBound,
        high: ends.upperBound)
      return pileUp.isClipped ? ends : nil
    }
  }
}
