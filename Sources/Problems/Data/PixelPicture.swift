import Foundation
import ImageFiles
import Likelihoods
import Tensors

/// A task's files for a model that takes pictures of any size: numbers on pixels, each seen in independent
/// noise or not at all.
package struct PixelPicture {
  package let task: SolveTask
  /// How results are written.
  package let form: ResultForm
  package let format: String
  package let range: DataRange
  /// C×H×W intensities; 0 where missing.
  package let tensor: Tensor
  /// One flag for each element; nil when all are observed.
  package let observed: [Bool]?
  package let truth: Tensor?
  /// Distance between neighbouring values; 0 for numbers that were not rounded.
  package let quantizationStep: Double
  /// Observed elements at an end of the range, where they pile up there; else 0.
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
    let size = try PixelArray(path: task.image).shape
    let shape = Shape(channels, size[1], size[2])
    let data = try MeasuredData(
      task.image, forward: ForwardModel([], on: shape), modelName: modelName, range: options.range,
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
    clipped = Self.clippedCount(values, shape, flags, ends: data.ends)
    if case .known(let sigma) = options.noise.level,
      let warning = sigmaWarning(
        sigma, values: values,
        kinds: PixelData.kinds(of: values, observed: flags, censored: false), isClipped: false,
        name: task.image)
    {
      warnings.append(warning)
    }
    truth = try task.truth.map {
      try DamagedPicture.readTruth(
        $0, shape: shape, range: options.range.map { _ in data.range })
    }
    self.task = task
    (form, format, range) = (data.form, data.format, data.range)
    tensor = Tensor(shape: shape, values: values)
    observed = flags
    quantizationStep = data.quantizationStep
    self.warnings = warnings
  }

  private static func clippedCount(
    _ values: [Float], _ shape: Shape, _ observed: [Bool]?, ends: ClosedRange<Float>?
  ) -> Int {
    guard let ends,
      ClippingPileUp(
        Tensor(shape: shape, values: values), observed: observed, low: ends.lowerBound,
        high: ends.upperBound
      ).isClipped
    else { return 0 }
    return values.indices.count {
      (observed?[$0] ?? true) && !(values[$0] > ends.lowerBound && values[$0] < ends.upperBound)
    }
  }
}
