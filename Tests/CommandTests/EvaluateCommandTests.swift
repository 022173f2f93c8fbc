import Foundation
import ImageFiles
import Randomness
import Testing

/// `train-classifier`, and what `evaluate` says of draws.
@Suite struct EvaluateCommandTests {
  private let folder = TemporaryFolder()

  /// 400 IDX pictures, 8×8, of a slope to one of four sides, and their classes.
  private func putPictures() {
    var stream = RandomKey(seed: 6).child("evaluated pictures").stream()
    var labels: [UInt8] = []
    let bytes = (0..<400).flatMap { (_: Int) -> [UInt8] in
      let side = stream.index(below: 4)
      labels.append(UInt8(side))
      let sides: [(Double, Double)] = [(1, 0), (-1, 0), (0, 1), (0, -1)]
      let (a, b) = sides[side]
      let strength = 0.3 + 0.1 * stream.normal()
      return (0..<64).map { (pixel: Int) -> UInt8 in
        let (x, y) = (Double(pixel % 8) / 7 - 0.5, Double(pixel / 8) / 7 - 0.5)
        let value = 0.5 + strength * (a * x + b * y) + 0.05 * stream.normal()
        return UInt8(min(max(value, 0), 1) * 255)
      }
    }
    folder.put("images", [0, 0, 8, 3, 0, 0, 1, 0x90, 0, 0, 0, 8, 0, 0, 0, 8] + bytes)
    folder.put("labels", [0, 0, 8, 1, 0, 0, 1, 0x90] + labels)
  }

  /// What a report says of draws.
  private func samples(_ name: String) throws -> [String: Any] {
    let report = try #require(
      try JSONSerialization.jsonObject(with: Data(folder.bytes(name))) as? [String: Any])
    return try #require(report["samples"] as? [String: Any])
  }

  private func distances(_ name: String) throws -> [String: [String: Double]] {
    let features = try #require(try samples(name)["features"] as? [String: Any])
    return try #require(features["frechet_distance"] as? [String: [String: Double]])
  }

  /// Fails when: evaluate takes the default classifier for the given one, or draws ignore the seed.
  @Test func aClassifierIsTrainedAndEvaluateUsesIt() throws {
    putPictures()
    let train = [
      "train-classifier", "images", "--labels", "labels", "--epochs", "3", "--batch", "32",
    ]
    let trained = try Program.run(train + ["-o", "c.safetensors"], in: folder)
    #expect(trained.status == 0 && trained.output.contains("held-out accuracy"), "\(trained)")
    #expect(!trained.output.contains("test accuracy"))
    _ = try Program.run(
      train + ["-o", "d.safetensors", "--threads", "1", "--name", "c"], in: folder)
    #expect(
      try folder.bytes("c.safetensors").suffix(4096) == folder.bytes("d.safetensors").suffix(4096))
    let model = try Program.run(
      [
        "train", "images", "-o", "m.safetensors", "--objective", "ppca", "--latent", "3", "-q",
      ], in: folder)
    #expect(model.status == 0, "\(model)")
    let evaluate = ["evaluate", "./m.safetensors", "images", "--samples", "200"]
    let report = try Program.run(
      evaluate + ["--classifier", "./c.safetensors", "-o", "out"], in: folder)
    #expect(report.status == 0 && report.errors.isEmpty, "\(report)")
    for word in [
      "400 pictures", "Fréchet distance in classifier features", "features of c:",
      "samples of the prior", "codes of a Gaussian", "reconstructions", "left out: training",
    ] {
      #expect(report.output.contains(word), "\(report.output)")
    }
    #expect(folder.listing("out") == ["evaluate.json", "pictures.safetensors", "samples.png"])
    let samples = try samples("out/evaluate.json")
    #expect(samples["count"] as? Int == 200 && samples["memorization"] is NSNull)
    let features = try #require(samples["features"] as? [String: Any])
    #expect(features["count"] as? Int == 200 && features["dimension"] as? Int == 128)
    let distances = try distances("out/evaluate.json")
    #expect(
      Set(distances.keys)
        == ["samples", "gaussian_codes", "reconstructions", "samples_from_reconstructions"])
    // Fails when: draws are held against the test pictures, or against themselves.
    #expect(distances["samples_from_reconstructions"]!["value"]! > 0)
    #expect(distances["samples_from_reconstructions"] != distances["samples"])
    try picturesMakeTheMeans("out")
    // A linear model of pictures on four lines: its reconstructions are better than its draws.
    #expect(distances["reconstructions"]!["value"]! < distances["samples"]!["value"]!)
    let picture = try Picture.read(path: folder.path + "/out/samples.png")
    #expect(picture.tensor.shape[2] > 900 && picture.tensor.shape[1] > 700)
    // The same for other threads, and another for another seed.
    let json = try Program.run(
      evaluate + ["--classifier", "./c.safetensors", "--json", "--threads", "1"], in: folder)
    #expect(try Array(json.output.utf8) == folder.bytes("out/evaluate.json"))
    let other = try Program.run(
      evaluate + ["--classifier", "./c.safetensors", "--json", "--seed", "2"], in: folder)
    #expect(other.status == 0, "\(other)")
    folder.put("other.json", Array(other.output.utf8))
    #expect(try self.distances("other.json")["samples"] != distances["samples"])
    // An earlier result is only replaced with -f.
    try expectFailure(73, ["out"], evaluate + ["-o", "out"], in: folder)
    let again = try Program.run(evaluate + ["-o", "out", "-f"], in: folder)
    #expect(again.status == 0, "\(again)")
    // The default classifier is for other pictures.
    #expect(again.output.contains("left out: features"), "\(again.output)")
  }

  /// Fails when: a score is stored under another's name.
  private func picturesMakeTheMeans(_ output: String) throws {
    let report = try #require(
      try JSONSerialization.jsonObject(with: Data(folder.bytes(output + "/evaluate.json")))
        as? [String: Any])
    let file = try SafetensorsFile.read(path: "\(folder.path)/\(output)/pictures.safetensors")
    for (tensor, part, key) in [
      ("mse", "reconstruction", "mse"), ("flow", "flow", "log_likelihood"),
      ("marginal", "marginal", "log_px"),
    ] {
      guard case .float32(let values)? = file[tensor]?.values else {
        Issue.record("no \(tensor)")
        continue
      }
      let mean = values.reduce(0) { $0 + Double($1) } / Double(values.count)
      let told = try #require((report[part] as? [String: Any])?[key] as? Double)
      #expect(abs(mean - told) < 1e-4 * abs(told), "\(tensor)")
    }
  }

  /// The shipped models on the digits, which need no package.
  /// Fails when: the training pictures are the test pictures.
  @Test func theShippedClassifierServesTheShippedModels() throws {
    let report = try Program.run(
      ["evaluate", "mnist-8", "mnist", "--json", "--pictures", "0"], in: folder)
    #expect(report.status == 0 && report.errors.isEmpty, "\(report)")
    folder.put("report.json", Array(report.output.utf8))
    let samples = try samples("report.json")
    let features = try #require(samples["features"] as? [String: Any])
    #expect(features["classifier"] as? String == "fashion-mnist-classifier")
    let distances = try distances("report.json")
    #expect(distances.count == 5)
    // 500 pictures leave the distance of two sets of one kind at 3.6; a set from itself has none.
    #expect(distances["training"]!["value"]! > 1, "\(distances)")
    #expect(distances["reconstructions"]!["value"]! < distances["gaussian_codes"]!["value"]!)
    let near = try #require(samples["memorization"] as? [String: Any])
    #expect(near["training"] as? Int == 4500)
    let tests = try #require(near["tests"] as? [String: Double])
    #expect(tests["median_distance"]! > 2, "\(near)")
    let quick = try Program.run(
      ["evaluate", "mnist-8", "mnist", "--samples", "0", "--pictures", "0"], in: folder)
    #expect(quick.status == 0 && quick.output.split(separator: "\n").count == 3, "\(quick)")
  }

  // Fails when: any number of samples is taken, or labels of a data set with its own.
  @Test func whatDoesNotFitIsRefused() throws {
    putPictures()
    func refused(_ code: Int, _ words: [String], _ arguments: [String]) throws {
      try expectFailure(code, words, arguments, in: folder)
    }
    let shipped = "fashion-mnist-classifier"
    for command in [
      ["evaluate", shipped, "mnist"], ["info", shipped], ["sample", "-m", shipped],
    ] {
      try refused(65, ["is a classifier and no model", "--classifier"], command)
    }
    let evaluate = ["evaluate", "mnist-8", "mnist"]
    try refused(
      65, ["is a model and no classifier"], evaluate + ["--classifier", "fashion-mnist"])
    try refused(66, ["no classifier 'nowhere'"], evaluate + ["--classifier", "nowhere"])
    try refused(64, ["--samples"], evaluate + ["--samples", "7"])
    try refused(64, ["--samples"], evaluate + ["--samples", "10001"])
    try refused(73, ["none/out"], evaluate + ["--samples", "0", "-o", "none/out"])
    let train = ["train-classifier", "images", "-o", "c.safetensors"]
    try refused(64, ["--labels"], train)
    try refused(
      64, ["its own labels"],
      ["train-classifier", "mnist", "-o", "c.safetensors", "--labels", "labels"])
    try refused(65, ["images", "rank 1"], train + ["--labels", "images"])
    try refused(66, ["nothing"], train + ["--labels", "nothing"])
    folder.put("few", [0, 0, 8, 1, 0, 0, 0, 2, 1, 0])
    try refused(65, ["2 labels for 400"], train + ["--labels", "few"])
    try refused(64, ["--batch"], train + ["--labels", "labels", "--batch", "7"])
    try refused(64, ["--epochs"], train + ["--labels", "labels", "--epochs", "0"])
    try refused(
      73, ["labels"], ["train-classifier", "images", "-o", "labels", "--labels", "labels"])
    try refused(
      73, ["none/c"], ["train-classifier", "images", "-o", "none/c", "--labels", "labels"])
  }
}
