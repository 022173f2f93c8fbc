import Foundation
import ImageFiles
import Likelihoods
import Networks
import Numerics
import Randomness
import Tensors
import Testing

@testable import Inversion

@Suite struct PAEModelFileTests {
  private let model: PAEModel
  private let content: Safetensors

  init() throws {
    model = try tinyModel(rank: 2)
    content = model.encodedFile()
  }

  /// Expects that the reader refuses the content with one printable line, and returns that.
  @discardableResult
  private func refuse(
    _ file: Safetensors, _ comment: Comment? = nil,
    sourceLocation: SourceLocation = #_sourceLocation
  ) -> String {
    refuse(comment, sourceLocation: sourceLocation) { () throws(ImageFileError) in
      _ = try PAEModel(file: file)
    }
  }

  @discardableResult
  private func refuse(
    _ comment: Comment? = nil, sourceLocation: SourceLocation = #_sourceLocation,
    _ body: () throws(ImageFileError) -> Void
  ) -> String {
    do throws(ImageFileError) {
      try body()
      Issue.record(comment ?? "it was read", sourceLocation: sourceLocation)
      return ""
    } catch {
      if case .badData = error {
      } else {
        Issue.record("\(error)", sourceLocation: sourceLocation)
      }
      let line = "\(error)"
      #expect(
        !line.isEmpty && line.unicodeScalars.allSatisfy { $0.value >= 32 && $0.value != 127 },
        comment, sourceLocation: sourceLocation)
      return line
    }
  }

  /// The content with its config changed as JSON.
  private func editing(_ change: (inout [String: Any]) -> Void) throws -> Safetensors {
    let text = try #require(content.metadata["config"])
    var config = try #require(
      try JSONSerialization.jsonObject(with: Data(text.utf8)) as? [String: Any])
    change(&config)
    let data = try JSONSerialization.data(withJSONObject: config)
    return with(config: String(decoding: data, as: UTF8.self))
  }

  private func with(config: String) -> Safetensors {
    var file = content
    file.metadata["config"] = config
    return file
  }

  /// One layer of one list replaced by `layer`.
  private func replacing(
    _ list: String, _ index: Int, _ layer: [String: Any]
  ) throws -> Safetensors {
    try editing { config in
      var layers = config[list] as? [[String: Any]] ?? []
      layers[index] = layer
      config[list] = layers
    }
  }

  private func replacing(
    _ name: String, shape: Shape? = nil, _ change: (Safetensors.Values) -> Safetensors.Values
  ) -> Safetensors {
    var file = content
    file.tensors = file.tensors.map { tensor in
      guard tensor.name == name else { return tensor }
      return .init(name: name, shape: shape ?? tensor.shape, values: change(tensor.values))
    }
    return file
  }

  /// Fails when: an array is written under another's name, a number loses digits, or the JSON's order
  /// changes from run to run.
  @Test("a model written, read and written again is the same bytes and the same function")
  func roundTrip() throws {
    let directory = FileManager.default.temporaryDirectory.appendingPathComponent(
      "PAEModelFileTests-\(UUID().uuidString)")
    try FileManager.default.createDirectory(at: directory, withIntermediateDirectories: true)
    defer { try? FileManager.default.removeItem(at: directory) }
    let first = directory.appendingPathComponent("first.safetensors").path
    let second = directory.appendingPathComponent("second.safetensors").path
    try model.write(to: first, overwrite: false)
    let again = try PAEModel.read(path: first)
    try again.write(to: second, overwrite: false)
    let bytes = try #require(FileManager.default.contents(atPath: first))
    #expect(FileManager.default.contents(atPath: second) == bytes)
    #expect(Array(bytes) == SafetensorsFile.encode(content))
    #expect(again.description == model.description)
    #expect(again.residual == model.residual)
    #expect(again.residual.rank == 2)
    var stream = RandomKey(seed: 6).stream()
    let base = (0..<3).map { _ in stream.normals(4) }
    let expected = try images(of: model.generator, base)
    #expect(try images(of: again.generator, base) == expected)
    let pictures = (0..<3).map { _ in stream.normals(64) }
    let codes = try images(of: model.encoder, pictures)
    #expect(try images(of: again.encoder, pictures) == codes)
    #expect(throws: ImageFileError.exists(path: first)) {
      try model.write(to: first, overwrite: false)
    }
    try model.write(to: first, overwrite: true)
    #expect(throws: ImageFileError.self) { try PAEModel.read(path: first + ".not") }
  }

  // The names that other programs rely on (CONTRACT, "The model file").
  @Test("tensors have the names and shapes of the contract")
  func names() {
    let found = Dictionary(uniqueKeysWithValues: content.tensors.map { ($0.name, $0.shape) })
    let expected: [String: Shape] = [
      "encoder.0.weight": Shape(3, 1, 4, 4), "encoder.0.bias": Shape(3),
      "encoder.1.weight": Shape(3), "encoder.1.bias": Shape(3),
      "encoder.1.runningMean": Shape(3), "encoder.1.runningVariance": Shape(3),
      "encoder.5.weight": Shape(4, 48), "encoder.5.bias": Shape(4),
      "decoder.0.weight": Shape(16, 4), "decoder.0.bias": Shape(16),
      "decoder.2.weight": Shape(32, 16), "decoder.2.bias": Shape(32),
      "decoder.4.weight": Shape(2, 1, 4, 4), "decoder.4.bias": Shape(1),
      "flow.0.mean": Shape(4), "flow.0.logScale": Shape(4),
      "flow.1.lower": Shape(4, 4), "flow.1.upper": Shape(4, 4), "flow.1.logDiagonal": Shape(4),
      "flow.1.bias": Shape(4),
      "flow.2.conditioner.0.weight": Shape(8, 2), "flow.2.conditioner.0.bias": Shape(8),
      "flow.2.conditioner.1.weight": Shape(28, 8), "flow.2.conditioner.1.bias": Shape(28),
      "flow.4.conditioner.0.weight": Shape(8, 2), "flow.4.conditioner.0.bias": Shape(8),
      "flow.4.conditioner.1.weight": Shape(4, 8), "flow.4.conditioner.1.bias": Shape(4),
      "residual.diagonal": Shape(1, 8, 8), "residual.factor": Shape(2, 1, 8, 8),
    ]
    #expect(found == expected)
    #expect(content.metadata["format"] == "paeinvert-model" && content.metadata["version"] == "1")
  }

  // Fails when: a tensor is read by its place, or what is not expected is passed over.
  @Test("a tensor that is missing, extra, renamed or of another shape or type is refused")
  func tensors() throws {
    for tensor in content.tensors {
      var file = content
      file.tensors.removeAll { $0.name == tensor.name }
      #expect(refuse(file, "\(tensor.name) missing").contains(tensor.name))
      file.tensors.append(
        .init(name: tensor.name + "x", shape: tensor.shape, values: tensor.values))
      refuse(file, "\(tensor.name) renamed")
      let count = tensor.values.count
      refuse(replacing(tensor.name, shape: Shape(count, 1, 1, 1, 1)) { $0 })
      refuse(
        replacing(tensor.name, shape: Shape(count + 1)) { _ in
          .float32([Float](repeating: 0, count: count + 1))
        })
      refuse(replacing(tensor.name, shape: Shape(0)) { _ in .float32([]) })
      refuse(replacing(tensor.name) { .float64([Double](repeating: 1, count: $0.count)) })
    }
    var extra = content
    extra.tensors.append(.init(name: "extra", shape: Shape(1), values: .float32([0])))
    #expect(refuse(extra).contains("extra"))
    extra.tensors[extra.tensors.count - 1] = .init(
      name: "two\nlines\u{1B}[31m", shape: Shape(0), values: .float32([]))
    refuse(extra, "a name with a line break")
  }

  // Fails when: a network is built from numbers that are not finite, a variance may be negative.
  @Test("weights that are not finite and negative variances are refused")
  func numbers() throws {
    func first(_ value: Float) -> (Safetensors.Values) -> Safetensors.Values {
      { values in
        guard case .float32(var floats) = values else { return values }
        floats[floats.count - 1] = value
        return .float32(floats)
      }
    }
    for tensor in content.tensors {
      for value in [Float.nan, .infinity, -.infinity] {
        let file = replacing(tensor.name, first(value))
        refuse(file, "\(tensor.name) \(value)")
        refuse { () throws(ImageFileError) in
          _ = try PAEModel(file: SafetensorsFile.decode(SafetensorsFile.encode(file)))
        }
      }
    }
    refuse(replacing("residual.diagonal", first(-1e-6)))
    // √ of a negative running variance would make every code NaN.
    refuse(replacing("encoder.1.runningVariance", first(-0.5)))
  }

  // Fails when: a key is passed over or has a silent default.
  @Test("format, version and config must be there and be right")
  func metadata() throws {
    for (key, values) in [
      "format": ["", "paeinvert", "paeinvert-model "], "version": ["", "0", "2", "1.0", "1\n2"],
      "config": [
        "", "{", "null", "[]", "7", "\"x\"", "{}", "{\"name\": 1}", "not JSON\nat all",
        String(repeating: "[", count: 100_000),
        String(repeating: "{\"a\":", count: 100_000),
      ],
    ] {
      var file = content
      file.metadata[key] = nil
      refuse(file, "no \(key)")
      for value in values {
        file.metadata[key] = value
        refuse(file, "\(key) \(value.prefix(20))")
      }
    }
    for key in ["name", "image", "latent", "objective", "encoder", "decoder", "flow", "residual"] {
      refuse(try editing { $0[key] = nil }, "no \(key)")
      refuse(try editing { $0[key] = NSNull() }, "null \(key)")
      refuse(try editing { $0[key] = ["op"] }, "\(key) of another type")
    }
    _ = try PAEModel(file: editing { $0["training"] = nil })
    refuse(try editing { $0["objective"] = "gan" })
  }

  // Fails when: an empty tensor is written for no factors.
  @Test("a model without factors is read and written as before there were any")
  func withoutFactors() throws {
    let plain = try tinyModel()
    let file = plain.encodedFile()
    #expect(file["residual.factor"] == nil && file["residual.diagonal"] != nil)
    #expect(file.metadata["config"]?.contains("Residual") == false)
    let again = try PAEModel(file: file)
    #expect(again.description == plain.description && again.residual == plain.residual)
    #expect(again.residual.rank == 0)
  }

  // Seen to fail: only the codes' part of the encoder written; an encoder of K outputs taken for a VAE's; one
  // that does not end with a linear layer taken.
  @Test("an encoder of means and variances is stored whole, and its means are the codes")
  func variances() throws {
    let plain = try tinyModel()
    var description = plain.description
    description.objective = .flowVAE
    func model(_ encoder: Network) throws -> PAEModel {
      description.encoder = encoder.layers
      return try PAEModel(
        description: description, encoder: encoder, decoder: plain.decoder, flow: plain.flow,
        residual: plain.residual)
    }
    let layers = plain.description.encoder.dropLast() + [.linear(inputs: 48, outputs: 8)]
    let encoder = try Network(
      domain: Shape(1, 8, 8), layers: Array(layers), key: RandomKey(seed: 21))
    let again = try PAEModel(file: try model(encoder).encodedFile())
    #expect(again.recognition.parameters == encoder.parameters)
    #expect(again.description.objective == .flowVAE)
    var stream = RandomKey(seed: 22).stream()
    let pictures = (0..<3).map { _ in stream.normals(64) }
    let whole = try images(of: again.recognition, pictures)
    for (codes, outputs) in zip(try images(of: again.encoder, pictures), whole) {
      #expect(codes.count == 4 && outputs.count == 8)
      // Single-precision sums in another blocking.
      for k in 0..<4 { #expect(abs(codes[k] - outputs[k]) < 1e-5) }
    }
    #expect(throws: ModelError.self) { try model(plain.encoder) }
    let curved = try Network(
      domain: Shape(1, 8, 8), layers: layers + [.silu], key: RandomKey(seed: 21))
    #expect(throws: ModelError.self) { try model(curved) }
    description.objective = .beta0VAE
    #expect(throws: ModelError.self) { try model(encoder) }
  }

  // Seen to fail: knots written under another name; rounding not written, or not read; the number of knots
  // or the rounding not held against the config; a negative rounding taken.
  @Test("a residual by intensity is read as it was written; knots that are none are refused")
  func intensity() throws {
    let plain = try tinyModel()
    var description = plain.description
    description.residual.intensity = .init(knots: 3, logScaleDeviation: 0.4, rounding: 0.002)
    let model = try PAEModel(
      description: description, encoder: plain.encoder, decoder: plain.decoder, flow: plain.flow,
      residual: plain.residual,
      intensityVariance: IntensityVariance(knots: [1e-6, 0.02, 0.01], rounding: 0.002))
    let file = model.encodedFile()
    let again = try PAEModel(file: file)
    #expect(again.intensityResidual?.variance.knots == [1e-6, 0.02, 0.01])
    #expect(again.intensityResidual?.variance.rounding == 0.002)
    #expect(again.intensityResidual?.scale.deviation == 0.4)
    for bad in [Float(0), -1, .nan, .infinity] {
      var wrong = file
      wrong.tensors = file.tensors.map {
        $0.name == "residual.intensity"
          ? Safetensors.NamedTensor(
            name: $0.name, shape: $0.shape, values: .float32([1e-6, bad, 0.01])) : $0
      }
      let line = refuse(wrong, "\(bad)")
      #expect(line.contains("residual.intensity"), "\(line)")
    }
    func editingIntensity(_ from: String, _ to: String) throws -> Safetensors {
      var changed = file
      let config = try #require(file.metadata["config"])
      #expect(config.contains(from))
      changed.metadata["config"] = config.replacing(from, with: to)
      return changed
    }
    for knots in [2, 4] {
      let line = refuse(try editingIntensity("\"knots\":3", "\"knots\":\(knots)"), "\(knots)")
      #expect(line.contains("residual.intensity"), "\(line)")
    }
    for knots in ["-1", "0", "1", "4097", "3.5"] {
      refuse(try editingIntensity("\"knots\":3", "\"knots\":" + knots), "\(knots) knots")
    }
    let rounding = "\"rounding\":"
    let stated = try #require(file.metadata["config"]?.firstMatch(of: /"rounding":[0-9.e-]+/))
    for bad in ["-0.002", "-1e-30", "1e39", "-1e39", "1e400", "NaN", "\"x\""] {
      let line = refuse(try editingIntensity(String(stated.output), rounding + bad), "\(bad)")
      #expect(bad.hasPrefix("-1e39") || !bad.hasPrefix("-") || line.contains("rounding"), "\(line)")
    }
    // Beside the config's knots and rounding, others make no model.
    for law in [
      IntensityVariance(knots: [1e-6, 0.02], rounding: 0.002),
      IntensityVariance(knots: [1e-6, 0.02, 0.01], rounding: 0.003),
    ] {
      #expect(throws: ModelError.self) {
        _ = try PAEModel(
          description: description, encoder: plain.encoder, decoder: plain.decoder,
          flow: plain.flow, residual: plain.residual, intensityVariance: law)
      }
    }
    var unannounced = file
    unannounced.metadata["config"] = plain.encodedFile().metadata["config"]
    refuse(unannounced)
    #expect(throws: ModelError.self) {
      _ = try PAEModel(
        description: description, encoder: plain.encoder, decoder: plain.decoder,
        flow: plain.flow, residual: plain.residual)
    }
  }

  // None may take memory for what the rank promises. Fails when: the rank is not held against its
  // bound, or squares of factors are not looked at.
  @Test("factors that are not as many as the rank, too many or too large are refused")
  func factors() throws {
    for rank in [0, 1, 3, 256] {
      let line = refuse(try editing { $0["residual"] = ["rank": rank] }, "rank \(rank)")
      #expect(line.contains("residual.factor"), "\(line)")
    }
    for rank in [-1, 257, 100_000, 1 << 40, Int.max, Int.min] {
      let line = refuse(try editing { $0["residual"] = ["rank": rank] }, "rank \(rank)")
      #expect(line.contains("rank \(rank)"), "\(line)")
    }
    refuse(try editing { $0["residual"] = ["rank": 1.5] })
    refuse(try editing { $0["residual"] = [String: Any]() })
    let count = 2 * 64
    for (value, word) in [
      (Float.nan, "residual.factor"), (.infinity, "residual.factor"), (2e19, "precision"),
    ] {
      var values = [Float](repeating: 0.01, count: count)
      values[count - 1] = value
      let line = refuse(replacing("residual.factor") { _ in .float32(values) }, "\(value)")
      #expect(line.contains(word), "\(line)")
    }
  }

  // Fails when: a size is not held against the image or the latent dimension.
  @Test("sizes of the image and of the latent space must be the layers'")
  func sizes() throws {
    for latent in [3, 5, 0, -1, -4, 4097, 1 << 40, Int.max, Int.min] {
      refuse(try editing { $0["latent"] = latent }, "latent \(latent)")
    }
    refuse(try editing { $0["latent"] = 4.5 })
    for key in ["channels", "height", "width"] {
      for value in [0, -1, 2, 4, 9, 16, 4096, 4097, 1 << 31, 1 << 62, Int.max, Int.min] {
        let file = try editing { config in
          var image = config["image"] as? [String: Any] ?? [:]
          image[key] = value
          config["image"] = image
        }
        refuse(file, "\(key) \(value)")
      }
    }
    for list in ["encoder", "decoder", "flow"] {
      refuse(try editing { $0[list] = [Any]() }, "\(list)")
    }
    refuse(
      with(config: content.metadata["config"]!.replacing("\"latent\":4", with: "\"latent\":1e99")))
  }

  // None of these may take memory for what the numbers promise. Fails when: products of sizes
  // overflow, or arrays are made before the tensors were found.
  @Test("layers that are unknown, negative, huge or do not fit are refused")
  func layers() throws {
    let numbers = [-1, 0, 1 << 13, 1 << 20, 1 << 24, (1 << 24) + 1, 1 << 40, Int.max, Int.min]
    for (list, index, layer) in [
      ("encoder", 0, ["op": "conv", "in": 1, "out": 3, "kernel": 4, "stride": 2, "padding": 1]),
      ("encoder", 1, ["op": "batchNorm", "channels": 3]),
      ("encoder", 5, ["op": "linear", "in": 48, "out": 4]),
      ("decoder", 0, ["op": "linear", "in": 4, "out": 16]),
      (
        "decoder", 4,
        ["op": "convTranspose", "in": 2, "out": 1, "kernel": 4, "stride": 2, "padding": 1]
      ),
      (
        "flow", 2,
        ["op": "splineCoupling", "bins": 5, "bound": 4, "hidden": [8], "transforms": "second"]
      ),
      (
        "flow", 4,
        ["op": "affineCoupling", "hidden": [8], "transforms": "first", "maxLogScale": 1]
      ),
    ] as [(String, Int, [String: Any])] {
      // The layer as it stands here is the model's.
      _ = try PAEModel(file: replacing(list, index, layer))
      for key in layer.keys.sorted() {
        var changed = layer
        changed[key] = nil
        refuse(try replacing(list, index, changed), "\(list).\(index) without \(key)")
        for number in numbers {
          // Neither changes what the layer needs or gives: bounds may be large.
          if key == "bound" || key == "maxLogScale", number > 0, number < 1 << 14 { continue }
          changed[key] = key == "hidden" ? [number] : number
          refuse(try replacing(list, index, changed), "\(list).\(index) \(key) \(number)")
        }
      }
    }
    for op in ["", "unknown", "Linear", "attention\nsecond line", "splineCoupling"] {
      refuse(try replacing("encoder", 0, ["op": op]), "encoder op \(op)")
      refuse(try replacing("flow", 0, ["op": op]), "flow op \(op)")
    }
    for order in [
      [], [0], [0, 1, 2], [0, 0, 1, 2], [1, 2, 3, 4], [-1, 0, 1, 2], [0, 1, 2, Int.max],
    ] {
      refuse(try replacing("flow", 3, ["op": "permutation", "order": order]), "order \(order)")
    }
    for shape in [
      [], [32], [2, 4], [0, 4, 4], [-2, -4, 4], [2, 4, 4, 1, 1], [1 << 14, 1 << 14],
    ] {
      refuse(try replacing("decoder", 3, ["op": "reshape", "shape": shape]), "shape \(shape)")
    }
    for rate in [-0.1, 1, 2, 1e300] {
      refuse(try replacing("encoder", 4, ["op": "dropout", "rate": rate]), "rate \(rate)")
    }
    let linear: [String: Any] = ["op": "linear", "in": 1 << 24, "out": 1 << 24]
    for list in ["encoder", "decoder"] {
      refuse(try editing { $0[list] = Array(repeating: linear, count: 2000) }, "\(list)")
    }
    let wide: [String: Any] = [
      "op": "affineCoupling", "hidden": Array(repeating: 8192, count: 16), "transforms": "first",
      "maxLogScale": 1,
    ]
    refuse(try editing { $0["flow"] = Array(repeating: wide, count: 256) })
    refuse(try editing { $0["flow"] = Array(repeating: wide, count: 5000) })
    let growing: [String: Any] = [
      "op": "convTranspose", "in": 2, "out": 2, "kernel": 64, "stride": 64, "padding": 0,
    ]
    refuse(
      try editing { config in
        let layers = config["decoder"] as? [Any] ?? []
        config["decoder"] = layers.prefix(4) + Array(repeating: growing, count: 40)
      })
  }

  // Fails when: a byte range is not held against the file's length; a number is read behind the end.
  @Test("a file cut short anywhere, or lengthened, is refused")
  func truncated() throws {
    let bytes = SafetensorsFile.encode(content)
    func decode(_ bytes: [UInt8]) -> (() throws(ImageFileError) -> Void) {
      { () throws(ImageFileError) in _ = try PAEModel(file: SafetensorsFile.decode(bytes)) }
    }
    try decode(bytes)()
    let step = max(1, bytes.count / 400)
    for length in Array(0..<20) + Array(stride(from: 20, to: bytes.count, by: step)) {
      refuse("length \(length)", decode(Array(bytes[..<length])))
    }
    refuse("one byte less", decode(bytes.dropLast()))
    refuse("four bytes less", decode(bytes.dropLast(4)))
    refuse("one byte more", decode(bytes + [0]))
    // One byte of the header changed: read as another model or refused in one line, never a crash.
    var stream = RandomKey(seed: 17).stream()
    let header = Int(bytes[0]) + 256 * Int(bytes[1])
    for _ in 0..<2000 {
      var changed = bytes
      changed[stream.index(below: 8 + header)] = UInt8(stream.index(below: 256))
      do throws(ImageFileError) {
        _ = try PAEModel(file: SafetensorsFile.decode(changed))
      } catch {
        let line = "\(error)"
        #expect(line.unicodeScalars.allSatisfy { $0.value >= 32 && $0.value != 127 }, "\(line)")
      }
    }
  }
}
