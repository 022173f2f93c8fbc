import Foundation
import ImageFiles
import Tensors

/// Checkpoints: safetensors whose metadata hold the recipe and the counters, and whose tensors hold
/// the optimizers' vectors. Written as a sibling and renamed: never half a checkpoint.
extension ModelTrainer {
  private static let fileFormat = "paeinvert-checkpoint"

  /// The vectors of one optimizer, in the order of their tensors.
  private static let vectors = ["weights", "first", "second", "average"]

  func writeCheckpoint(to path: String) throws {
    var tensors: [Safetensors.NamedTensor] = []
    var metadata = [
      "format": Self.fileFormat, "recipe": try encodedRecipe(), "pictures": pictures,
      "autoencoderEpoch": String(state.autoencoderEpoch), "flowEpoch": String(state.flowEpoch),
      "epochsSinceBest": String(state.epochsSinceBest),
      "bestLogLikelihood": String(state.bestLogLikelihood), "step": String(state.step),
    ]
    for part in TrainingState.Part.allCases {
      guard let stored = state.optimizers[part] else { continue }
      metadata["\(part.rawValue).steps"] = String(stored.steps)
      let values = [stored.weights, stored.first, stored.second, stored.average]
      for (name, vector) in zip(Self.vectors, values) {
        tensors.append(
          .init(
            name: "\(part.rawValue).\(name)", shape: Shape(vector.count),
            values: .float32(vector)))
      }
    }
    if let best = state.bestNetworks {
      metadata["bestError"] = String(best.error)
      metadata["bestEpoch"] = String(best.epoch)
      for (name, values) in [("encoder.best", best.encoder), ("decoder.best", best.decoder)] {
        tensors.append(.init(name: name, shape: Shape(values.count), values: .float32(values)))
      }
    }
    if let best = state.bestFlow {
      tensors.append(.init(name: "flow.best", shape: Shape(best.count), values: .float32(best)))
    }
    try SafetensorsFile.write(
      Safetensors(metadata: metadata, tensors: tensors), to: path, overwrite: true)
  }

  /// Goes on from a checkpoint of the same recipe and pictures.
  /// - Throws: `ImageFileError` when it cannot be read, `TrainingError.checkpointDiffers`.
  public func resume(from path: String) throws {
    let file = try SafetensorsFile.read(path: path)
    func bad(_ reason: String) -> ImageFileError { .badData(path: path, reason: reason) }
    guard file.metadata["format"] == Self.fileFormat else {
      throw bad("it is not a checkpoint of paeinvert")
    }
    guard file.metadata["recipe"] == (try encodedRecipe()) else {
      throw TrainingError.checkpointDiffers(path: path, what: "the recipe")
    }
    guard file.metadata["pictures"] == pictures else {
      throw TrainingError.checkpointDiffers(path: path, what: "the set of pictures")
    }
    func number<Value: LosslessStringConvertible>(_ key: String) throws -> Value {
      guard let value = file.metadata[key].flatMap(Value.init) else {
        throw bad("its \(key) is missing or not a number")
      }
      return value
    }
    var restored = TrainingState()
    restored.autoencoderEpoch = try number("autoencoderEpoch")
    restored.flowEpoch = try number("flowEpoch")
    restored.epochsSinceBest = try number("epochsSinceBest")
    restored.bestLogLikelihood = try number("bestLogLikelihood")
    restored.step = try number("step")
    for part in TrainingState.Part.allCases {
      guard let weights = file["\(part.rawValue).weights"] else { continue }
      let values = try Self.vectors.map {
        try file.require("\(part.rawValue).\($0)", weights.shape)
      }
      restored.optimizers[part] = .init(
        weights: values[0], first: values[1], second: values[2], average: values[3],
        steps: try number("\(part.rawValue).steps"))
    }
    if let encoder = file["encoder.best"], let decoder = file["decoder.best"] {
      restored.bestNetworks = .init(
        encoder: try file.require("encoder.best", encoder.shape),
        decoder: try file.require("decoder.best", decoder.shape),
        error: try number("bestError"), epoch: try number("bestEpoch"))
    }
    if let best = file["flow.best"] {
      restored.bestFlow = try file.require("flow.best", best.shape)
    }
    state = restored
  }

  private var pictures: String { "\(images.count) of \(images.shape)" }

  private func encodedRecipe() throws -> String {
    let encoder = JSONEncoder()
    encoder.outputFormatting = .sortedKeys
    return String(decoding: try encoder.encode(recipe), as: UTF8.self)
  }
}
