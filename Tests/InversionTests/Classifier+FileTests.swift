import Foundation
import ImageFiles
import Networks
import Randomness
import Tensors
import Testing

@testable import Inversion

@Suite struct ClassifierFileTests {
  private let classifier: Classifier
  private let content: Safetensors

  init() throws {
    let image = ModelDescription.Image(channels: 1, height: 8, width: 8)
    let layers: [LayerDescription] = [
      .conv(inputs: 1, outputs: 2, kernel: 4, stride: 2, padding: 1), .batchNorm(channels: 2),
      .relu,
      .flatten, .linear(inputs: 32, outputs: 5), .silu, .linear(inputs: 5, outputs: 3),
    ]
    classifier = try Classifier(
      description: ClassifierDescription(
        name: "small", image: image, classes: 3, layers: layers,
        training: ClassifierRecord(
          data: "none", pictures: 9, heldOut: 1, seed: 1, epochs: 3, bestEpoch: 2, version: "v",
          heldOutAccuracy: 0.5)),
      network: Network(domain: image.shape, layers: layers, key: RandomKey(seed: 1)))
    content = classifier.encodedFile()
  }

  private func refusal(
    _ file: Safetensors, sourceLocation: SourceLocation = #_sourceLocation
  ) -> String {
    do throws(ImageFileError) {
      _ = try Classifier(file: file)
      Issue.record("it was read", sourceLocation: sourceLocation)
      return ""
    } catch {
      return "\(error)"
    }
  }

  private func editing(_ change: (inout [String: Any]) -> Void) throws -> Safetensors {
    var config = try #require(
      try JSONSerialization.jsonObject(with: Data(content.metadata["config"]!.utf8))
        as? [String: Any])
    change(&config)
    var file = content
    let data = try JSONSerialization.data(withJSONObject: config)
    file.metadata["config"] = String(decoding: data, as: UTF8.self)
    return file
  }

  /// Fails when: the record is not written, or weights lose digits.
  @Test("a classifier written, read and written again is the same bytes and the same function")
  func roundTrip() throws {
    let bytes = SafetensorsFile.encode(content)
    let again = try Classifier(file: SafetensorsFile.decode(bytes))
    #expect(again.description == classifier.description)
    #expect(again.network.parameters == classifier.network.parameters)
    #expect((SafetensorsFile.encode(again.encodedFile()) == bytes) == true)
    #expect(content.metadata["format"] == "paeinvert-classifier")
    #expect(content.metadata["version"] == "1")
    #expect(content["classifier.6.weight"]?.shape == Shape(3, 5))
    _ = try Classifier(file: editing { $0["training"] = nil })
  }

  /// Fails when: the last layer is part of the features.
  @Test("the features are what enters the last layer")
  func features() throws {
    var stream = RandomKey(seed: 2).stream()
    let picture = stream.normals(64)
    let features = try images(of: classifier.features, [picture])[0]
    let outputs = try images(of: classifier.network, [picture])[0]
    try #require(features.count == 5)
    let last = classifier.network.parameters.suffix(18).map { Double($0) }
    for row in 0..<3 {
      let expected = (0..<5).reduce(last[15 + row]) {
        $0 + last[row * 5 + $1] * Double(features[$1])
      }
      #expect(abs(Double(outputs[row]) - expected) < 1e-5)
    }
  }

  // Fails when: a tensor is passed over, or what is not expected is.
  @Test("what is missing, extra, of another shape or not finite is refused")
  func tensors() throws {
    for tensor in content.tensors {
      var file = content
      file.tensors.removeAll { $0.name == tensor.name }
      #expect(refusal(file).contains(tensor.name))
      let count = tensor.values.count
      file.tensors.append(
        .init(name: tensor.name, shape: Shape(count, 1, 1, 1, 1), values: tensor.values))
      #expect(refusal(file).contains(tensor.name))
      file.tensors[file.tensors.count - 1] = .init(
        name: tensor.name, shape: tensor.shape,
        values: .float32([Float](repeating: .nan, count: count)))
      #expect(refusal(file).contains("finite"))
    }
    var extra = content
    extra.tensors.append(.init(name: "extra", shape: Shape(1), values: .float32([0])))
    #expect(refusal(extra).contains("extra"))
  }

  // Fails when: a key has a silent default, or a network is taken whose end gives no classes.
  @Test("a config that makes no classifier is refused")
  func config() throws {
    for key in ["name", "image", "classes", "layers"] {
      #expect(refusal(try editing { $0[key] = nil }).contains(key))
    }
    for classes in [0, 1, 2, 4, 1001, -3] {
      #expect(refusal(try editing { $0["classes"] = classes }).contains("\(classes)"))
    }
    #expect(
      refusal(try editing { $0["image"] = ["channels": 2, "height": 8, "width": 8] })
        .contains("image"))
    #expect(
      refusal(try editing { $0["image"] = ["channels": 1, "height": 12, "width": 8] })
        .contains("classifier"))
    let layers =
      try #require(
        try JSONSerialization.jsonObject(with: Data(content.metadata["config"]!.utf8))
          as? [String: Any])["layers"] as! [[String: Any]]
    #expect(
      refusal(try editing { $0["layers"] = layers + [["op": "relu"]] }).contains("end with"))
    var version = content
    version.metadata["version"] = "2"
    #expect(refusal(version).contains("version"))
  }

  // Fails when: a file of one kind is read as the other, or the message does not say what it is.
  @Test("a model is no classifier and a classifier no model, and the message says which")
  func kinds() throws {
    let model = try tinyModel().encodedFile()
    #expect(refusal(model).contains("it is a model and no classifier"))
    do throws(ImageFileError) {
      _ = try PAEModel(file: content)
      Issue.record("it was read")
    } catch {
      #expect("\(error)".contains("it is a classifier and no model"), "\(error)")
    }
    var other = content
    other.metadata["format"] = "x"
    #expect(refusal(other).contains("not a paeinvert classifier"))
  }
}
