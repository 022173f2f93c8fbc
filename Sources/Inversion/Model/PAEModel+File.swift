import Flows
import Foundation
import ImageFiles
import Likelihoods
import Maps
import Networks
import Noise
import Tensors

/// The model file: safetensors with `format`, `version` and `config` in its metadata.
extension PAEModel {
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
    var reader = try ModelFileReader(file, kind: .model)
    let bad = reader.bad
    let description = try reader.config(ModelDescription.self)
    let image = description.image
    try reader.check(image)
    guard (1...4096).contains(description.latent) else {
      throw bad("its latent dimension is \(description.latent), not 1 to 4096")
    }
    guard (0...Self.largestRank).contains(description.residual.rank) else {
      throw bad(
        "its residual has rank \(description.residual.rank), not 0 to \(Self.largestRank)")
    }
    let encoder = try reader.network("encoder", image.shape, description.encoder)
    let decoder = try reader.network("decoder", Shape(description.latent), description.decoder)
    var names = reader.names
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
    var tensors =
      Safetensors.weights("encoder", recognition) + Safetensors.weights("decoder", decoder)
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
    return Safetensors(.model, config: description, tensors: tensors)
  }
}
