import Flows
import Foundation
import ImageFiles
import Maps
import Measurement
import Networks
import Tensors

/// The model file: safetensors with `format`, `version` and `config` in its metadata.
extension PAEModel {
  /// The value of `format` in the metadata.
  static let fileFormat = "paeinvert-model"
  static let fileVersion = "1"
  /// More factors than any fit makes; what a reader is ready to hold.
  static let largestRank = 256

  /// Reads a model and trusts nothing in it: every tensor is expected, of the expected shape, finite.
  /// - Throws: `ImageFileError.missing` or `.badData`.
  public static func read(path: String) throws(ImageFileError) -> PAEModel {
    try PAEModel(file: SafetensorsFile.read(path: path))
  }

  /// Writes a sibling, then renames.
  /// - Throws: `ImageFileError` when `path` exists and `overwrite` is false, or on an I/O failure.
  public func write(to path: String, overwrite: Bool) throws(ImageFileError) {
    try SafetensorsFile.write(encodedFile(), to: path, overwrite: overwrite)
  }

  init(file: Safetensors) throws(ImageFileError) {
    func bad(_ reason: String) -> ImageFileError { .badData(path: file.source, reason: reason) }
    guard file.metadata["format"] == Self.fileFormat else {
      throw bad("it is not a paeinvert model (format is not \(Self.fileFormat))")
    }
    guard file.metadata["version"] == Self.fileVersion else {
      throw bad("its version is \(file.metadata["version"] ?? "missing"), this program reads 1")
    }
    guard let config = file.metadata["config"] else { throw bad("its config is missing") }
    let description: ModelDescription
    do {
      description = try JSONDecoder().decode(ModelDescription.self, from: Data(config.utf8))
    } catch {
      throw bad("its config cannot be read: \(Self.reason(error))")
    }
    let image = description.image
    guard [1, 3].contains(image.channels), (1...4096).contains(image.height),
      (1...4096).contains(image.width)
    else { throw bad("its image is \(image.channels)x\(image.height)x\(image.width)") }
    guard (1...4096).contains(description.latent) else {
      throw bad("its latent dimension is \(description.latent), not 1 to 4096")
    }
    guard (0...Self.largestRank).contains(description.residual.rank) else {
      throw bad(
        "its residual has rank \(description.residual.rank), not 0 to \(Self.largestRank)")
    }
    var names: Set<String> = []
    func network(
      _ prefix: String, _ domain: Shape, _ layers: [LayerDescription]
    ) throws(ImageFileError) -> Network {
      do throws(NetworkError) {
        _ = try Network.shapes(domain: domain, layers: layers)
      } catch {
        throw bad("its \(prefix): \(error)")
      }
      var parameters: [Float] = []
      for slot in Network.layout(layers).slots {
        let name = "\(prefix).\(slot.name)"
        names.insert(name)
        parameters += try file.require(name, slot.shape)
      }
      do throws(NetworkError) {
        return try Network(domain: domain, layers: layers, parameters: parameters)
      } catch {
        throw bad("its \(prefix): \(error)")
      }
    }
    let encoder = try network("encoder", image.shape, description.encoder)
    let decoder = try network("decoder", Shape(description.latent), description.decoder)
    let flow = try Self.flow(description, file, &names)
    let residual = try Self.residual(description, file, &names)
    let intensity = try Self.intensityVariance(description, file, &names)
    try file.requireOnly(names)
    do throws(ModelError) {
      try self.init(
        description: description, encoder: encoder, decoder: decoder, flow: flow,
        residual: residual, intensityVariance: intensity)
    } catch {
      throw bad("\(error)")
    }
  }

  /// Σ from `residual.diagonal` [C, H, W] and, when the rank R is above 0, `residual.factor`
  /// [R, C, H, W]. The shapes are held against the config before a number is copied.
  private static func residual(
    _ description: ModelDescription, _ file: Safetensors, _ names: inout Set<String>
  ) throws(ImageFileError) -> ResidualCovariance {
    let image = description.image
    let rank = description.residual.rank
    let variances = try file.require("residual.diagonal", image.shape)
    names.insert("residual.diagonal")
    guard variances.allSatisfy({ $0 >= 0 && $0.isFinite }) else {
      throw .badData(
        path: file.source, reason: "residual.diagonal holds a number that is no variance")
    }
    guard rank > 0 else { return ResidualCovariance(variances: variances) }
    let factors = try file.require(
      "residual.factor", Shape(rank, image.channels, image.height, image.width))
    names.insert("residual.factor")
    guard factors.allSatisfy(\.isFinite) else {
      throw .badData(path: file.source, reason: "residual.factor holds a number that is not finite")
    }
    return ResidualCovariance(variances: variances, factors: factors)
  }

  /// h from `residual.intensity` [J], when the config says that there is one.
  private static func intensityVariance(
    _ description: ModelDescription, _ file: Safetensors, _ names: inout Set<String>
  ) throws(ImageFileError) -> IntensityVariance? {
    guard let stated = description.residual.intensity else { return nil }
    guard (2...4096).contains(stated.knots) else {
      throw .badData(
        path: file.source, reason: "its residual has \(stated.knots) knots, not 2 to 4096")
    }
    let knots = try file.require("residual.intensity", Shape(stated.knots))
    names.insert("residual.intensity")
    guard knots.allSatisfy({ $0 > 0 && $0.isFinite }) else {
      throw .badData(
        path: file.source, reason: "residual.intensity holds a number that is no positive variance")
    }
    let rounding = stated.rounding ?? 0
    guard rounding >= 0, rounding.isFinite else {
      throw .badData(
        path: file.source, reason: "its residual's rounding, \(rounding), is no variance")
    }
    return IntensityVariance(knots: knots, rounding: rounding)
  }

  private static func flow(
    _ description: ModelDescription, _ file: Safetensors, _ names: inout Set<String>
  ) throws(ImageFileError) -> NormalizingFlow {
    let layout: ParameterLayout
    do throws(FlowError) {
      layout = try NormalizingFlow.layout(of: description.flow, dimension: description.latent)
    } catch {
      throw .badData(path: file.source, reason: "its flow: \(error)")
    }
    var parameters: [Float] = []
    for slot in layout.slots {
      names.insert(slot.name)
      parameters += try file.require(slot.name, slot.shape)
    }
    do throws(FlowError) {
      return try NormalizingFlow(
        layers: description.flow, dimension: description.latent, parameters: parameters)
    } catch {
      throw .badData(path: file.source, reason: "its flow: \(error)")
    }
  }

  /// The file's content; the same model gives the same bytes.
  func encodedFile() -> Safetensors {
    var tensors: [Safetensors.NamedTensor] = []
    for (prefix, network) in [("encoder", recognition), ("decoder", decoder)] {
      for slot in network.layout.slots {
        tensors.append(
          .init(
            name: "\(prefix).\(slot.name)", shape: slot.shape,
            values: .float32(
              Array(network.parameters[slot.offset..<slot.offset + slot.shape.count]))))
      }
    }
    for slot in flow.layout.slots {
      tensors.append(
        .init(
          name: slot.name, shape: slot.shape,
          values: .float32(Array(flow.parameters[slot.offset..<slot.offset + slot.shape.count]))))
    }
    tensors.append(
      .init(
        name: "residual.diagonal", shape: description.image.shape,
        values: .float32(residual.variances)))
    if residual.rank > 0 {
      let image = description.image
      tensors.append(
        .init(
          name: "residual.factor",
          shape: Shape(residual.rank, image.channels, image.height, image.width),
          values: .float32(residual.factors)))
    }
    if let intensityResidual {
      let knots = intensityResidual.variance.knots
      tensors.append(
        .init(name: "residual.intensity", shape: Shape(knots.count), values: .float32(knots)))
    }
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
    // A description holds only finite numbers and strings, which always encode.
    let config = String(decoding: (try? encoder.encode(description)) ?? Data(), as: UTF8.self)
    return Safetensors(
      metadata: ["format": Self.fileFormat, "version": Self.fileVersion, "config": config],
      tensors: tensors)
  }

  /// The first line of a decoding error, with the path to the key.
  private static func reason(_ error: any Error) -> String {
    guard let error = error as? DecodingError else { return "it is not JSON" }
    var path = ""
    let what: String
    func note(_ context: DecodingError.Context) {
      path = context.codingPath.map(\.stringValue).joined(separator: ".")
    }
    switch error {
    case .keyNotFound(let key, let context):
      what = "the key '\(key.stringValue)' is missing"
      note(context)
    case .typeMismatch(_, let context), .valueNotFound(_, let context):
      what = "a value is missing or of the wrong type"
      note(context)
    case .dataCorrupted(let context):
      what = context.debugDescription
      note(context)
    @unknown default: what = "it is not as described"
    }
    return path.isEmpty ? what : "\(what) at \(path)"
  }
}
