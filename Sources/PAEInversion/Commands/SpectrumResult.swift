import Foundation
import ImageFiles
import Noise
import Numerics
import Problems
import Tensors

/// An estimated noise spectrum, as a file that `--noise-spectrum` takes and as a report.
public struct SpectrumResult: Sendable {
  package enum Estimate: Sendable {
    case radial(SpectrumEstimate)
    case grid(SpectrumGrid)
  }

  let images: [String]
  let mask: String?
  let height: Int
  let width: Int
  let usedFraction: Double
  /// Channels of all pictures.
  let pictureCount: Int
  let estimate: Estimate

  /// Standard deviation of a pixel that the spectrum means on the pictures' grid.
  public func sigma() throws -> Double {
    switch estimate {
    case .radial(let estimate):
      try estimate.spectrum.spectrum(height: height, width: width).variance.squareRoot()
    case .grid(let grid): grid.spectrum.variance.squareRoot()
    }
  }

  /// The table; nil for a grid.
  public func table() throws -> String? {
    guard case .radial(let estimate) = estimate else { return nil }
    let percent = String(format: "%.4g", 100 * usedFraction)
    // A file's name may hold anything; in a comment it must stay on its line.
    let names = images.joined(separator: ", ").map { $0.isNewline ? " " : $0 }
    var lines = [
      "# noise power spectrum by paeinvert \(PAEInvert.version), in intensity^2: the variance of a "
        + "pixel is its mean over all frequencies",
      "# from " + String(names),
      "# \(width)x\(height) pixels, \(pictureCount) channels, \(percent) % of the pixels, method "
        + estimate.method.rawValue,
      String(format: "# standard deviation of a pixel %.6g", try sigma()),
      "# k in cycles per pixel; errors are standard deviations of P",
      "# k P error modes",
    ]
    for bin in estimate.errors.indices {
      lines.append(
        String(
          format: "%.8g %.8g %.3g %.4g", estimate.spectrum.frequencies[bin],
          estimate.spectrum.powers[bin], estimate.errors[bin], estimate.modes[bin]))
    }
    return lines.joined(separator: "\n") + "\n"
  }

  /// What says how sure a grid is; nil for a table, which has its errors.
  public var remark: String? {
    guard case .grid(let grid) = estimate else { return nil }
    return String(
      format: "each bin of the grid is known to %.0f %%: N channels give 100/sqrt(N) %%",
      100 * grid.relativeError)
  }

  /// Writes the table as text or the grid as a NumPy array, whole or not at all.
  public func write(to path: String, overwrite: Bool) throws {
    switch estimate {
    case .radial:
      try AtomicFile.write(Array((try table() ?? "").utf8), to: path, overwrite: overwrite)
    case .grid(let grid):
      guard PixelArray.isNumPy(path) else {
        throw PipelineError.usage("a grid is written as a NumPy array: end --output in .npy")
      }
      try NPYFile.write(
        shape: Shape(height, width), values: grid.spectrum.values, to: path, overwrite: overwrite)
    }
  }

  public func json() throws -> JSONText {
    var members: [(key: String, value: JSONText)] = [
      ("schema", .integer(1)), ("command", .string("spectrum")),
      ("version", .string(PAEInvert.version)), ("images", .array(images.map { .string($0) })),
      ("mask", mask.map { .string($0) } ?? .null), ("width", .integer(width)),
      ("height", .integer(height)), ("channels", .integer(pictureCount)),
      ("used_fraction", .number(usedFraction)), ("sigma", .number(try sigma())),
    ]
    switch estimate {
    case .radial(let estimate):
      members.append(("method", .string(estimate.method.rawValue)))
      members.append(
        (
          "bins",
          .array(
            estimate.errors.indices.map { bin in
              .object([
                ("k", .number(estimate.spectrum.frequencies[bin])),
                ("power", .number(estimate.spectrum.powers[bin])),
                ("error", .number(estimate.errors[bin])),
                ("modes", .number(estimate.modes[bin])),
              ])
            })
        ))
    case .grid(let grid):
      members.append(("method", .string("grid")))
      members.append(("relative_error", .number(grid.relativeError)))
    }
    return .object(members)
  }
}
