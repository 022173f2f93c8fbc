import Numerics

extension ProblemFile {
  /// The problem in full, as a file that `read` takes: every option is there, the defaults too.
  public var yaml: String { yaml(namesModel: true) }

  /// - Parameter namesModel: false to leave the model to who solves it.
  package func yaml(namesModel: Bool) -> String {
    var lines: [String] = []
    if tasks.count == 1 {
      lines.append("data: " + Self.quoted(tasks[0].image))
    } else {
      lines.append("data:")
      lines += tasks.map { "  - " + Self.quoted($0.image) }
    }
    switch options.range {
    case .automatic: lines.append("range: auto")
    case .limits(let range): lines.append("range: [\(range.low), \(range.high)]")
    case nil: break
    }
    if let truth = tasks.first?.truth { lines.append("truth: " + Self.quoted(truth)) }
    if let mask = tasks.first?.mask { lines.append("mask: " + Self.quoted(mask)) }
    if options.maskReading.isInverted { lines.append("invert-mask: true") }
    if let bad = options.maskReading.bad { lines.append("mask-bad: \(bad)") }
    if tasks.first?.isTransparentMissing ?? false { lines.append("transparent: missing") }
    if tasks.count == 1 {
      lines.append("output: " + Self.quoted(tasks[0].output))
    } else {
      lines.append("output:")
      lines += tasks.map { "  - " + Self.quoted($0.output) }
    }
    if namesModel { lines.append("model: " + Self.quoted(options.model)) }
    if !options.operators.isEmpty {
      lines.append("operator:")
      lines += options.operators.map { "  - " + Self.text($0) }
    }
    lines.append("noise:")
    let noise = options.noise
    switch noise.level {
    case .inferred: lines.append("  sigma: auto")
    case .known(let value): lines.append("  sigma: \(value)")
    case .inSpectrum, .none: break
    }
    if noise.spectrum != .white { lines.append("  spectrum: " + Self.quoted(noise.spectrum.text)) }
    if noise.border != .periodic { lines.append("  border: " + noise.border.rawValue) }
    if let map = noise.sigmaMap { lines.append("  sigma-map: " + Self.quoted(map)) }
    if let covariance = noise.channelCovariance {
      let channels = Int(Double(covariance.count).squareRoot().rounded())
      let rows = (0..<channels).map { row in
        "["
          + covariance[row * channels..<(row + 1) * channels].map { "\($0)" }.joined(
            separator: ", ")
          + "]"
      }
      lines.append("  channel-covariance: [" + rows.joined(separator: ", ") + "]")
    }
    if noise.solver != .automatic { lines.append("  solver: " + noise.solver.rawValue) }
    lines.append("residual: " + options.residual.rawValue)
    lines.append("clipped: " + Self.quoted(options.clipping.rawValue))
    lines += [
      "sampling:", "  method: " + options.method.rawValue, "  space: " + options.space.rawValue,
      "  chains: \(options.chains)", "  draws: \(options.draws)", "  warmup: \(options.warmup)",
    ]
    if let acceptance = options.targetAcceptance { lines.append("  target-accept: \(acceptance)") }
    lines += ["  seed: \(options.seed)", "  samples: \(options.samples)"]
    if let quality = options.quality { lines.append("  quality: " + quality.rawValue) }
    if options.adapts == false { lines.append("  adapt: " + Self.quoted("off")) }
    return lines.joined(separator: "\n") + "\n"
  }

  private static func text(_ step: ForwardStep) -> String {
    switch step {
    case .blur(let function, let border):
      let kind: String
      switch function {
      case .gaussian(let sigma): kind = "gaussian: \(sigma)"
      case .disc(let radius): kind = "disc: \(radius)"
      case .motion(let length, let angle): kind = "motion: {length: \(length), angle: \(angle)}"
      case .file(let path, let center):
        kind =
          "file: " + quoted(path)
          + (center.map { ", center: [\($0.row), \($0.column)]" } ?? "")
      }
      return "blur: {\(kind), border: \(border.rawValue)}"
    case .downsample(let factor): return "downsample: \(factor)"
    case .crop(let top, let left, let height, let width):
      return "crop: {top: \(top), left: \(left), height: \(height), width: \(width)}"
    case .pad(let top, let left, let bottom, let right):
      return "pad: {top: \(top), left: \(left), bottom: \(bottom), right: \(right)}"
    case .gain(let path): return "gain: " + quoted(path)
    case .mask(let path): return "mask: " + quoted(path)
    case .fourier(let path): return "fourier: " + quoted(path)
    }
  }

  /// A text as YAML reads it back: in double quotes when it is more than letters, digits
  /// and path signs.
  private static func quoted(_ text: String) -> String {
    let isPlain =
      text.first.map { $0.isASCII && ($0.isLetter || "./".contains($0)) } ?? false
      && text.allSatisfy { $0.isASCII && ($0.isLetter || $0.isNumber || "._/-".contains($0)) }
      && !["yes", "no", "on", "off", "y", "n", "true", "false", "null"].contains(text.lowercased())
    if isPlain { return text }
    var result = "\""
    for character in text.unicodeScalars {
      switch character {
      case "\"": result += "\\\""
      case "\\": result += "\\\\"
      case "\n": result += "\\n"
      default:
        // Control characters, and what YAML takes for the end of a line.
        if character.value < 0x20 || (0x7F...0xA0).contains(character.value)
          || [0x2028, 0x2029, 0xFEFF].contains(character.value)
        {
          let digits = String(character.value, radix: 16)
          result += "\\u" + String(repeating: "0", count: 4 - digits.count) + digits
        } else {
          result.unicodeScalars.append(character)
        }
      }
    }
    return result + "\""
  }
}
