import Foundation
import ImageFiles
import Tiles

/// A problem as a YAML file states it: data, model, the light's way, noise, sampling. `denoise` and
/// `inpaint` are short forms of it.
public struct ProblemFile: Sendable, Equatable {
  public var options: SolveOptions
  public var tasks: [SolveTask]

  static let keys = [
    "data", "range", "truth", "mask", "invert-mask", "mask-bad", "transparent", "output", "model",
    "operator", "noise", "residual", "clipped", "sampling",
  ]
  static let noiseKeys = [
    "sigma", "spectrum", "border", "sigma-map", "channel-covariance", "solver",
  ]
  static let samplingKeys = [
    "method", "space", "chains", "draws", "warmup", "target-accept", "seed", "samples",
    "quality", "adapt",
  ]
  static let operatorKeys = ["blur", "downsample", "crop", "pad", "gain", "mask", "fourier"]
  static let blurKeys = ["gaussian", "disc", "motion", "file", "center", "border"]

  /// What becomes of transparent pixels.
  private enum Transparent: String, CaseIterable { case ignored, missing }

  public init(options: SolveOptions, tasks: [SolveTask]) {
    self.options = options
    self.tasks = tasks
  }

  /// Reads and checks a file. Paths in it are relative to its folder.
  /// - Parameter options: what holds for keys that the file does not have.
  /// - Throws: `PipelineError`: 66 when it is not there, 78 for what cannot be understood, with the line.
  public static func read(path: String, options: SolveOptions) throws -> ProblemFile {
    let bytes: [UInt8]
    do {
      bytes = try InputFile.read(path: path, limit: ConfigurationNode.largestFile)
    } catch ImageFileError.badData(_, let reason) {
      throw PipelineError.configuration("\(path): \(reason)")
    }
    guard let text = String(validating: bytes, as: UTF8.self) else {
      throw PipelineError.configuration("\(path) is not UTF-8 text")
    }
    let folder = path == "-" ? "" : (path as NSString).deletingLastPathComponent
    let file = try ProblemFile(
      ConfigurationNode(text: text, file: path), folder: folder, options: options)
    do {
      try file.options.validate()
    } catch {
      // The words of the options are those of the keys.
      throw PipelineError.configuration(
        "\(path): " + error.description.replacingOccurrences(of: "--", with: ""))
    }
    return file
  }

  init(_ root: ConfigurationNode, folder: String, options: SolveOptions) throws {
    func path(_ node: ConfigurationNode) throws -> String {
      let text = try node.string()
      return text.hasPrefix("/") || folder.isEmpty || text == "-" ? text : folder + "/" + text
    }
    let members = try root.members(Self.keys)
    var options = options
    if let model = members["model"] {
      let name = try model.string()
      options.model = name.contains("/") ? try path(model) : name
    }
    if let steps = members["operator"] {
      options.operators = try steps.elements.map { try Self.step($0, path) }
    }
    if let noise = members["noise"] { options.noise = try Self.noise(noise, path) }
    if let node = members["residual"] {
      options.residual = try node.choice(SolveOptions.Residual.self)
    }
    if let node = members["clipped"] {
      options.clipping = try node.choice(SolveOptions.Clipping.self)
    }
    if let node = members["sampling"] { try Self.read(node, into: &options) }
    if let node = members["range"] {
      let text = try node.elements.map { try $0.string() }.joined(separator: ",")
      guard let range = DataRange.Choice(text) else {
        throw node.error("must be auto, or two numbers [LO, HI] with LO below HI")
      }
      options.range = range
    }
    if let node = members["invert-mask"] { options.maskReading.isInverted = try node.boolean() }
    if let node = members["mask-bad"] { options.maskReading.bad = try node.number() }
    let transparent = try members["transparent"]?.choice(Transparent.self) ?? .ignored
    self.options = options
    guard let data = members["data"] else { throw root.error("the key 'data' is missing") }
    let images = try data.elements.map(path)
    guard !images.isEmpty else { throw data.error("must name at least one picture") }
    if images.count > 1, let truth = members["truth"] {
      throw truth.error("goes with one picture")
    }
    let (mask, truth) = (try members["mask"].map(path), try members["truth"].map(path))
    let outputs =
      try members["output"]?.elements.map(path)
      ?? images.map { SolveTask.defaultOutput($0, suffix: "solved") }
    if let node = members["output"], outputs.count != images.count {
      throw node.error("must name one folder for each picture")
    }
    guard Set(outputs).count == outputs.count else {
      throw (members["output"] ?? data).error("gives two pictures one result folder")
    }
    guard !images.contains("-") || (images.count == 1 && root.file != "-") else {
      throw data.error("has standard input twice")
    }
    tasks = zip(images, outputs).map {
      SolveTask(
        image: $0, output: $1, mask: mask, truth: truth,
        isTransparentMissing: transparent == .missing)
    }
  }

  private static func noise(
    _ node: ConfigurationNode, _ path: (ConfigurationNode) throws -> String
  ) throws -> NoiseOptions {
    let members = try node.members(noiseKeys)
    var noise = NoiseOptions()
    if let sigma = members["sigma"] {
      noise.sigma = try sigma.string() == "auto" ? .auto : .value(try sigma.number())
    }
    if let spectrum = members["spectrum"] {
      let text = try spectrum.string()
      if text.hasPrefix("power:") || text == "white" {
        guard let parsed = NoiseOptions.Spectrum(text) else {
          throw spectrum.error(
            "must be white, power:ALPHA, power:ALPHA,KNEE (ALPHA a number or auto) or a file")
        }
        noise.spectrum = parsed
      } else {
        noise.spectrum = .file(path: try path(spectrum))
      }
    }
    if let border = members["border"] { noise.border = try border.choice(NoiseOptions.Border.self) }
    noise.sigmaMap = try members["sigma-map"].map(path)
    if let solver = members["solver"] { noise.solver = try solver.choice(NoiseOptions.Solver.self) }
    if let rows = members["channel-covariance"] {
      let matrix = try rows.elements.map { try $0.elements.map { try $0.number() } }
      guard matrix.allSatisfy({ $0.count == matrix.count }) else {
        throw rows.error("must be as many rows as columns")
      }
      noise.channelCovariance = matrix.flatMap { $0 }
    }
    return noise
  }

  private static func read(_ node: ConfigurationNode, into options: inout SolveOptions) throws {
    let members = try node.members(samplingKeys)
    if let node = members["method"] { options.method = try node.choice(SolveOptions.Method.self) }
    if let node = members["space"] { options.space = try node.choice(SolveOptions.Space.self) }
    if let node = members["chains"] { options.chains = try node.integer() }
    if let node = members["draws"] { options.draws = try node.integer() }
    if let node = members["warmup"] { options.warmup = try node.integer() }
    if let node = members["target-accept"] { options.targetAcceptance = try node.number() }
    if let node = members["seed"] { options.seed = try node.integer(UInt64.self) }
    if let node = members["samples"] { options.samples = try node.integer() }
    if let node = members["quality"] { options.quality = try node.choice(TileOptions.Quality.self) }
    if let node = members["adapt"] {
      options.adapts = try node.choice(SolveOptions.Adaptation.self) == .off ? false : nil
    }
  }

  private static func step(
    _ node: ConfigurationNode, _ path: (ConfigurationNode) throws -> String
  ) throws -> ForwardStep {
    let members = try node.members(operatorKeys)
    guard members.count == 1, let (key, value) = members.first else {
      throw node.error("must hold one of " + operatorKeys.joined(separator: ", "))
    }
    func integers(_ keys: [String]) throws -> [Int] {
      let members = try value.members(keys)
      return try keys.map { key in
        guard let node = members[key] else { throw value.error("needs '\(key)'") }
        return try node.integer()
      }
    }
    switch key {
    case "blur": return try blur(value, path)
    case "downsample": return .downsample(factor: try value.integer())
    case "crop":
      let numbers = try integers(["top", "left", "height", "width"])
      return .crop(top: numbers[0], left: numbers[1], height: numbers[2], width: numbers[3])
    case "pad":
      let numbers = try integers(["top", "left", "bottom", "right"])
      return .pad(top: numbers[0], left: numbers[1], bottom: numbers[2], right: numbers[3])
    case "gain": return .gain(path: try path(value))
    case "mask": return .mask(path: try path(value))
    default: return .fourier(path: try path(value))
    }
  }

  private static func blur(
    _ node: ConfigurationNode, _ path: (ConfigurationNode) throws -> String
  ) throws -> ForwardStep {
    let members = try node.members(blurKeys)
    let border = try members["border"]?.choice(ForwardStep.Border.self) ?? .reflecting
    let kinds = members.keys.filter { $0 != "border" && $0 != "center" }
    guard kinds.count == 1, let value = members[kinds[0]] else {
      throw node.error("needs one of gaussian, disc, motion, file")
    }
    if let node = members["center"], kinds[0] != "file" {
      throw node.error("goes with 'file': the others have their centre in the middle")
    }
    switch kinds[0] {
    case "gaussian": return .blur(.gaussian(try value.number()), border: border)
    case "disc": return .blur(.disc(try value.number()), border: border)
    case "motion":
      let motion = try value.members(["length", "angle"])
      guard let length = motion["length"] else { throw value.error("needs 'length'") }
      return .blur(
        .motion(length: try length.number(), angle: try motion["angle"]?.number() ?? 0),
        border: border)
    default:
      let center = try members["center"].map { node in
        let place = try node.elements.map { try $0.integer() }
        guard place.count == 2 else { throw node.error("must be [row, column], counted from 0") }
        return ForwardStep.Center(row: place[0], column: place[1])
      }
      return .blur(.file(path: try path(value), center: center), border: border)
    }
  }
}

extension NoiseOptions.Spectrum {
  /// "white", "power:ALPHA" or "power:ALPHA,KNEE", ALPHA a number or "auto"; nil for anything else.
  public init?(_ text: String) {
    if text == "white" {
      self = .white
      return
    }
    guard text.hasPrefix("power:") else { return nil }
    let words = text.dropFirst(6).split(separator: ",", omittingEmptySubsequences: false)
    guard (1...2).contains(words.count), let knee = words.count == 2 ? Double(words[1]) : 0
    else { return nil }
    if words[0] == "auto" {
      self = .inferredPower(knee: knee)
      return
    }
    guard let exponent = Double(words[0]) else { return nil }
    self = .power(exponent: exponent, knee: knee)
  }

  /// What the initializer reads, or the file's path.
  public var text: String {
    switch self {
    case .white: "white"
    case .power(let exponent, let knee):
      knee == 0 ? "power:\(exponent)" : "power:\(exponent),\(knee)"
    case .inferredPower(let knee): knee == 0 ? "power:auto" : "power:auto,\(knee)"
    case .file(let path): path
    case .given: "given"
    }
  }
}
