import ArgumentParser
import PAEInversion
import Problems

/// The noise of the data, for the solvers and for `corrupt`.
struct NoiseArguments: ParsableArguments {
  @Option(
    help: ArgumentHelp(
      "Standard deviation of the noise in intensity units (black 0, white 1); auto infers it with the picture.",
      valueName: "S|auto"))
  var sigma: String?

  @Option(
    help: ArgumentHelp(
      "Colour of the noise: power:ALPHA[,KNEE] for P(k) ~ (k^2 + KNEE^2)^(-ALPHA/2), k in cycles per pixel; power:auto[,KNEE] infers ALPHA with the picture; or a file: a table of 'k P' (as paeinvert spectrum writes), a NumPy array, or a PNG. A file states the level too, unless --sigma is given.",
      valueName: "FILE|power:A|auto[,K]"))
  var noiseSpectrum: String?

  @Option(
    help:
      "Coloured noise at the borders: periodic (opposite borders are neighbours) or open (they are not)."
  )
  var noiseBorder = NoiseOptions.Border.periodic

  @Option(
    help:
      "PNG whose intensities are the standard deviation of each pixel's independent noise; with --sigma or --noise-spectrum it comes on top."
  )
  var sigmaMap: String?

  func noiseOptions() throws -> NoiseOptions {
    var options = NoiseOptions(sigmaMap: sigmaMap)
    if let sigma {
      options.sigma = sigma == "auto" ? .auto : .value(try Self.number(sigma, "--sigma"))
    }
    options.border = noiseBorder
    if let noiseSpectrum { options.spectrum = try Self.spectrum(noiseSpectrum) }
    return options
  }

  static func spectrum(_ text: String) throws -> NoiseOptions.Spectrum {
    if let spectrum = NoiseOptions.Spectrum(text) { return spectrum }
    guard !text.hasPrefix("power:") else {
      throw PipelineError.usage(
        "--noise-spectrum must be power:ALPHA or power:ALPHA,KNEE with numbers (or auto for ALPHA), not '\(text)'"
      )
    }
    return .file(path: text)
  }

  static func number(_ text: String, _ option: String) throws -> Double {
    guard let value = Double(text) else {
      let hint = text.contains(",") ? "; a decimal point is written '.'" : ""
      throw PipelineError.usage("\(option) must be a number, not '\(text)'\(hint)")
    }
    return value
  }
}

extension NoiseOptions.Border: ExpressibleByArgument {}
