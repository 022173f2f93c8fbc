import Foundation
import ImageFiles
import Problems
import Tiles

/// What is in the file of a prior on tiles.
struct TileInfo: Sendable {
  let path: String
  let bytes: Int
  let digest: String
  let prior: TilePrior
  let training: TileDescription.Training?

  /// - Throws: `ImageFileError` for what is no prior on tiles.
  init(path: String, file: Safetensors) throws {
    self.path = path
    prior = try TilePrior(file: file)
    training = TileDescription.training(of: file)
    digest = try SHA256.hexDigest(ofFile: path)
    let attributes = try? FileManager.default.attributesOfItem(atPath: path)
    bytes = (attributes?[.size] as? NSNumber)?.intValue ?? 0
  }

  /// Lines of "key: value" for people.
  var text: String {
    var lines = [
      "model: \(prior.name) (\(path))",
      "file: \(bytes) bytes, sha256 \(digest)",
      "pictures: of any size from \(prior.side)x\(prior.side) on, "
        + (prior.channels == 1 ? "grey" : "RGB"),
      "prior on tiles: \(prior.side)x\(prior.side) pixels, \(prior.latent) codes, a mixture of "
        + "\(prior.density.componentCount) Gaussians",
    ]
    if let training {
      lines.append(
        "trained on: \(training.data), \(training.tiles) tiles of \(training.pictures) pictures, "
          + "\(training.batches) batches, seed \(training.seed)")
    }
    return lines.joined(separator: "\n") + "\n"
  }

  var json: JSONText {
    var members: [(key: String, value: JSONText)] = [
      ("name", .string(prior.name)), ("path", .string(path)), ("bytes", .integer(bytes)),
      ("sha256", .string(digest)), ("objective", .string(TileDescription.tiles)),
      (
        "image",
        .object([
          ("channels", .integer(prior.channels)), ("height", .null), ("width", .null),
        ])
      ),
      ("tile", .integer(prior.side)), ("latent", .integer(prior.latent)),
      ("components", .integer(prior.density.componentCount)),
      ("residual_variance", .number(prior.residualVariance)),
    ]
    if let training {
      members.append(
        (
          "training",
          .object([
            ("data", .string(training.data)), ("pictures", .integer(training.pictures)),
            ("tiles", .integer(training.tiles)), ("batches", .integer(training.batches)),
            ("seed", .string(String(training.seed))),
          ])
        ))
    }
    return .object(members)
  }
}

/// What `info` prints of a model file of any kind.
public enum ModelFileInfo {
  /// - Parameter name: a model's name or path.
  /// - Throws: `PipelineError` or `ImageFileError` where there is no model that can be used.
  public static func text(of name: String, isJSON: Bool) throws -> String {
    let path = try ModelLocator.path(of: name)
    let file = try SafetensorsFile.read(path: path)
    if TilePrior.isTilePrior(file) {
      let info = try TileInfo(path: path, file: file)
      return isJSON ? info.json.text : info.text
    }
    let info = try ModelInfo(model: name)
    return isJSON ? info.json.text : info.text
  }
}
