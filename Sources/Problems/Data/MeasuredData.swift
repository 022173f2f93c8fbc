import Foundation
import ImageFiles
import Inversion
import Operators
import Tensors

/// The data of one problem as their file has them: a PNG, a NumPy array of pixels, or one of complex
/// frequencies.
package struct MeasuredData {
  /// What may be missing without a mask.
  package struct Missing {
    /// Whether numbers that are not finite mean missing; else they are refused.
    package var allowsNonFinite = false
    /// Whether transparent pixels are missing.
    package var transparent = false

    package init(allowsNonFinite: Bool = false, transparent: Bool = false) {
      (self.allowsNonFinite, self.transparent) = (allowsNonFinite, transparent)
    }
  }

  /// Intensities in the order of the forward model's codomain; 0 where missing.
  package let values: [Float]
  /// One flag for each datum that the file itself calls observed; nil when it calls all so.
  package let observed: [Bool]?
  package let form: ResultForm
  /// Data units of black and white.
  package let range: DataRange
  package let format: String
  /// Distance between neighbouring values; 0 for numbers that were not rounded.
  package let quantizationStep: Double
  /// Intensities of the instrument's smallest and largest value; nil where it has none.
  package let ends: ClosedRange<Float>?
  package let warnings: [Warning]

  /// The same for a model that is at hand.
  package init(
    _ path: String, forward: ForwardModel, model: PAEModel, range choice: DataRange.Choice? = nil,
    missing: Missing = Missing()
  ) throws {
    try self.init(
      path, forward: forward, modelName: model.description.name, range: choice, missing: missing)
  }

  /// - Parameter modelName: what a refusal calls the model.
  /// - Throws: `PipelineError` for data that do not fit the model, or whose numbers cannot be intensities.
  package init(
    _ path: String, forward: ForwardModel, modelName: String,
    range choice: DataRange.Choice? = nil, missing: Missing = Missing()
  ) throws {
    if let sampling = forward.sampling {
      guard choice == nil else {
        throw PipelineError.usage("--range goes with pixels; frequencies have none")
      }
      values = try Self.frequencies(path, sampling)
      (observed, form, range, ends, warnings) = (nil, ResultForm(), .unit, nil, [])
      (quantizationStep, format) = (0, "npy, complex")
      return
    }
    let shape = forward.dataShape
    let file = try PixelArray(path: path)
    let author =
      forward.isIdentity
      ? "the model '\(modelName)' paints"
      : "the operator makes of the model's pictures"
    let numbers = try Self.fitted(file, to: shape, author: author)
    if !missing.allowsNonFinite {
      try file.requireFinite(
        hint: "missing pixels are for paeinvert inpaint or solve, where such numbers mean missing")
    }
    var warnings = file.warnings.map { Warning($0) }
    let range = try Self.range(file, choice)
    self.range = range
    format = file.format
    quantizationStep = file.step / range.width
    let pixels = shape[1] * shape[2]
    var flags = numbers.map(\.isFinite)
    let isOpacityMask = missing.transparent && file.picture?.alpha != nil
    if isOpacityMask, let alpha = file.picture?.alpha {
      for index in flags.indices where alpha.values[index % pixels] < 0.5 { flags[index] = false }
    }
    observed = flags.contains(false) ? flags : nil
    values = zip(numbers, flags).map { $1 ? range.intensity($0) : 0 }
    guard flags.contains(true) else {
      throw PipelineError.data("\(file.name) holds no number that is not missing")
    }
    let seen = zip(numbers, flags).filter { $0.1 }.map { $0.0 }
    if let warning = Self.darkness(file, seen, isStated: choice != nil) { warnings.append(warning) }
    if let warning = Self.displacement(file, seen.map { Double(range.intensity($0)) }) {
      warnings.append(warning)
    }
    ends = Self.ends(file, seen, range, isStated: choice != nil)
    let isOpacityKept =
      file.picture?.alpha != nil && !isOpacityMask && shape == forward.pictureShape
    if isOpacityKept {
      warnings.append(
        Warning("\(file.name): opacity is not part of the data; it is copied to the results"))
    }
    var form = ResultForm()
    form.bitDepth = file.picture?.bitDepth ?? (file.ends?.upperBound ?? 0 > 255 ? 16 : 8)
    form.alpha = isOpacityKept ? file.picture?.alpha : nil
    form.isGreyInRGB = file.shape[0] == 3 && shape[0] == 1
    if choice != nil {
      form.units = range
      form.samples = file.ends ?? range.low...range.high
    } else if let picture = file.picture {
      form.samples = picture.range
    }
    self.form = form
    self.warnings = warnings
  }

  /// The numbers for data of a shape; of an RGB picture that holds greys alone one channel.
  private static func fitted(
    _ file: PixelArray, to shape: Shape, author: String
  ) throws(PipelineError) -> [Double] {
    guard file.shape[2] == shape[2], file.shape[1] == shape[1] else {
      throw PipelineError.data(
        "\(file.name) is \(file.shape[2])x\(file.shape[1]) pixels but \(author) "
          + "\(shape[2])x\(shape[1]): leave --model out for a prior that takes any size, or train a model on "
          + "pictures of that size")
    }
    if file.shape[0] == shape[0] { return file.values }
    if shape[0] == 1, let grey = file.commonChannel { return grey }
    let kinds = [1: "grey", 3: "RGB"]
    func kind(_ channels: Int) -> String { kinds[channels] ?? "of \(channels) channels" }
    throw PipelineError.data(
      "\(file.name) is \(kind(file.shape[0])) but \(author) \(kind(shape[0])): convert the picture, or "
        + "choose another --model")
  }

  private static func range(
    _ file: PixelArray, _ choice: DataRange.Choice?
  ) throws(PipelineError) -> DataRange {
    switch choice {
    case .limits(let range): return range
    case .automatic:
      guard let range = DataRange(suggestedBy: file.values, largest: file.largest) else {
        throw .data("\(file.name) holds one number only: give --range LO,HI, not auto")
      }
      return range
    case nil: break
    }
    guard file.largest == nil else { return file.statedRange }
    let seen = file.values.filter(\.isFinite)
    let (low, high) = (seen.min() ?? 0, seen.max() ?? 1)
    // A text chunk states intensities; noise may carry some of them anywhere, half of them it does not.
    let isPlausible =
      file.picture == nil ? low >= -1 && high <= 2 : (-1...2).contains(median(seen))
    guard isPlausible else {
      throw .data(
        "\(file.name) holds numbers from \(short(low)) to \(short(high)), which are no intensities "
          + "(black 0, white 1): give --range LO,HI with what is black and white, or --range auto")
    }
    return .unit
  }

  /// A warning where integers leave most of their type's range empty, as 12 bits in 16 do.
  private static func darkness(
    _ file: PixelArray, _ seen: [Double], isStated: Bool
  ) -> Warning? {
    guard !isStated, let largest = file.largest, largest > 1, let highest = seen.max(), highest > 0,
      highest < largest / 16
    else { return nil }
    var white = 1.0
    while white < highest { white = 2 * white + 1 }
    return .doubt(
      "\(file.name): its largest sample is \(short(highest)) of \(short(largest)), so that the picture is "
        + "nearly black; if \(short(white)) is white, give --range 0,\(short(white))")
  }

  /// A warning where the middle of the data is no intensity that a model paints.
  private static func displacement(_ file: PixelArray, _ intensities: [Double]) -> Warning? {
    let middle = median(intensities)
    guard !(-0.25...1.25).contains(middle) else { return nil }
    return .doubt(
      "\(file.name): half of the data lie beyond intensity \(short(middle)), and models paint from 0 to 1; "
        + "check --range")
  }

  /// The instrument's ends. A stated range counts as such where the data reach it and nothing passes it.
  private static func ends(
    _ file: PixelArray, _ seen: [Double], _ range: DataRange, isStated: Bool
  ) -> ClosedRange<Float>? {
    guard let ends = file.ends else { return nil }
    var (low, high) = (ends.lowerBound, ends.upperBound)
    if isStated {
      if seen.min() == range.low { low = range.low }
      if seen.max() == range.high { high = range.high }
    }
    return range.intensity(low)...range.intensity(high)
  }

  private static func frequencies(
    _ path: String, _ sampling: FourierSamplingOperator
  ) throws -> [Float] {
    guard PixelArray.isNumPy(path) else {
      throw PipelineError.data(
        "\(path == "-" ? "standard input" : path) must be a NumPy array (.npy) of complex frequencies: "
          + "Fourier sampling gives no picture")
    }
    let file = try NPYFile.read(path: path, requireFinite: false)
    let grid = sampling.domain
    guard file.isComplex,
      file.shape == grid || grid[0] == 1 && file.shape == Shape(grid[1], grid[2])
    else {
      throw PipelineError.data(
        "\(path) holds \(file.isComplex ? "" : "real ")numbers of shape \(file.shape); the frequencies "
          + "of \(grid[1])x\(grid[2]) pixels are complex numbers in the order of numpy.fft.fft2")
    }
    return try sampling.data(fromSpectrum: file.values)
  }
}

/// The upper median; 0 of nothing.
func median(_ values: [Double]) -> Double {
  values.isEmpty ? 0 : values.sorted()[values.count / 2]
}

/// A number in at most six digits.
package func short(_ value: Double) -> String { String(format: "%.6g", value) }
