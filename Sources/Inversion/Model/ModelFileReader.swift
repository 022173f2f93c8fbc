import Foundation
import ImageFiles
import Networks
import Tensors

/// What files of weights of every kind share: `format`, `version` and `config` in the metadata, and
/// networks whose tensors are "{prefix}.{layer}.{array}". Nothing in the file is trusted.
struct ModelFileReader {
  /// A kind of file: the value of `format`, and what to say of a file of another kind.
  struct Kind {
    let format: String
    let name: String
    /// For what option or place a file of this kind is meant.
    let use: String

    static let model = Kind(
      format: "paeinvert-model", name: "model", use: "MODEL and --model take models")
    static let classifier = Kind(
      format: "paeinvert-classifier", name: "classifier", use: "--classifier takes classifiers")
  }

  static let version = "1"

  let file: Safetensors
  /// The tensors asked for so far.
  var names: Set<String> = []

  /// - Throws: `.badData` when the file is of another kind or version.
  init(_ file: Safetensors, kind: Kind) throws(ImageFileError) {
    self.file = file
    let format = file.metadata["format"]
    guard format == kind.format else {
      for other in [Kind.model, .classifier] where format == other.format {
        throw bad("it is a \(other.name) and no \(kind.name): \(other.use)")
      }
      throw bad("it is not a paeinvert \(kind.name) (format is not \(kind.format))")
    }
    guard file.metadata["version"] == Self.version else {
      throw bad("its version is \(file.metadata["version"] ?? "missing"), this program reads 1")
    }
  }

  func bad(_ reason: String) -> ImageFileError { .badData(path: file.source, reason: reason) }

  /// The `config`, decoded.
  func config<Description: Decodable>(
    _ type: Description.Type
  ) throws(ImageFileError) -> Description {
    guard let config = file.metadata["config"] else { throw bad("its config is missing") }
    if let kind = try? JSONDecoder().decode(StatedObjective.self, from: Data(config.utf8)),
      kind.objective == "tiles"
    {
      throw bad(
        "it is a prior on tiles, which takes pictures of any size: denoise, inpaint and solve use it, "
          + "other commands take a model of one size")
    }
    do {
      return try JSONDecoder().decode(type, from: Data(config.utf8))
    } catch {
      throw bad("its config cannot be read: \(Self.reason(error))")
    }
  }

  /// - Throws: `.badData` for a size that no picture has.
  func check(_ image: ModelDescription.Image) throws(ImageFileError) {
    guard [1, 3].contains(image.channels), (1...4096).contains(image.height),
      (1...4096).contains(image.width)
    else { throw bad("its image is \(image.channels)x\(image.height)x\(image.width)") }
  }

  /// The network of `layers`, its tensors taken from the file.
  mutating func network(
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

extension Safetensors {
  /// The content of a file of `kind`; the same description gives the same bytes.
  init(
    _ kind: ModelFileReader.Kind, config description: some Encodable, tensors: [NamedTensor]
  ) {
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
    // A description holds only finite numbers and strings, which always encode.
    let config = String(decoding: (try? encoder.encode(description)) ?? Data(), as: UTF8.self)
    self.init(
      metadata: ["format": kind.format, "version": ModelFileReader.version, "config": config],
      tensors: tensors)
  }

  /// The weights of a network, named as `ModelFileReader.network` expects them.
  static func weights(_ prefix: String, _ network: Network) -> [NamedTensor] {
    network.layout.slots.map { slot in
      NamedTensor(
        name: "\(prefix).\(slot.name)", shape: slot.shape,
        values: .float32(
          Array(network.parameters[slot.offset..<slot.offset + slot.shape.count])))
    }
  }
}

/// The part of a config that tells what it is of.
private struct StatedObjective: Decodable { var objective: String }
