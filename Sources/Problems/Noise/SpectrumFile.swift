import Foundation
import ImageFiles
import Maps
import Noise
import Tensors

/// A file with the power spectrum of noise, in intensity²:
///
/// - a table: lines of "k P" with or without further columns, k in cycles per pixel, # for comments;
///   ln P is interpolated linearly in k between the bins and constant beyond them;
/// - a PNG of the data's size whose intensities are P_k in the order of the Fourier transform
///   (`paeinvert:range` for its scale);
/// - a NumPy array (.npy) of the data's size, H×W, P_k in the same order.
enum SpectrumFile {
  /// - Throws: `PipelineError.missing`, or `.data` for what is no spectrum, naming the first bad bin.
  static func read(
    _ path: String, height: Int, width: Int, border: NoiseOptions.Border = .periodic
  ) throws -> PowerSpectrum {
    do {
      guard
        border == .periodic || !(path.lowercased().hasSuffix(".png") || PixelArray.isNumPy(path))
      else {
        throw PipelineError.configuration(
          "the noise spectrum \(path) is an array on the data's own grid, which is periodic: for an "
            + "open border give a table of 'k P' or a power law")
      }
      if path.lowercased().hasSuffix(".png") {
        return try picture(path, height: height, width: width)
      }
      if PixelArray.isNumPy(path) { return try array(path, height: height, width: width) }
      return try table(path).spectrum(height: height, width: width)
    } catch let error as PlanError {
      throw PipelineError.data("the noise spectrum \(path): \(error)")
    }
  }

  private static func picture(_ path: String, height: Int, width: Int) throws -> PowerSpectrum {
    let picture = try Picture.read(path: path)
    guard picture.width == width, picture.height == height, picture.tensor.shape[0] == 1 else {
      throw PipelineError.data(
        "the noise spectrum \(path) is \(picture.width)x\(picture.height) with "
          + "\(picture.tensor.shape[0]) channels but the data need \(width)x\(height) grey")
    }
    return try PowerSpectrum(
      height: height, width: width, values: picture.tensor.values.map { Double($0) })
  }

  private static func array(_ path: String, height: Int, width: Int) throws -> PowerSpectrum {
    // Bins that are not finite are the spectrum's to refuse: it names them as bins.
    let file = try NPYFile.read(path: path, requireFinite: false)
    guard !file.isComplex, file.shape == Shape(height, width) else {
      throw PipelineError.data(
        "the noise spectrum \(path) holds \(file.isComplex ? "complex" : "real") numbers of shape "
          + "\(file.shape) but the data need \(height)x\(width) real ones")
    }
    return try PowerSpectrum(height: height, width: width, values: file.values)
  }

  private static func table(_ path: String) throws -> RadialSpectrum {
    let bytes = try InputFile.read(path: path, limit: 1 << 20)
    let text = String(decoding: bytes, as: UTF8.self)
    var (frequencies, powers): ([Double], [Double]) = ([], [])
    for (index, line) in text.split(separator: "\n", omittingEmptySubsequences: false).enumerated()
    {
      let content = line.prefix { $0 != "#" }
      let words = content.split { " \t,;\r".contains($0) }
      if words.isEmpty { continue }
      guard words.count >= 2, let frequency = Double(words[0]), let power = Double(words[1]) else {
        throw PipelineError.data(
          "\(path), line \(index + 1): expected a frequency in cycles per pixel and a power, "
            + "such as '0.125 0.0031'")
      }
      frequencies.append(frequency)
      powers.append(power)
    }
    return try RadialSpectrum(frequencies: frequencies, powers: powers)
  }
}
