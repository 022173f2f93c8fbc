import Foundation
import ImageFiles
import Inversion
import Randomness
import Tensors
import Testing

/// `score`, `evaluate --against`, and the quantiles that training leaves in the model file.
@Suite struct ScoreCommandTests {
  private let folder = TemporaryFolder()

  /// IDX pictures of slopes in one or the other direction with noise, 8×8.
  private func put(_ name: String, count: Int, along column: Double, seed: UInt64) {
    var stream = RandomKey(seed: seed).child("score pictures").stream()
    let bytes = (0..<count).flatMap { _ -> [UInt8] in
      let a = stream.normal()
      return (0..<64).map {
        let (x, y) = (Double($0 % 8) / 7 - 0.5, Double($0 / 8) / 7 - 0.5)
        let slope = column * x + (1 - column) * y
        return UInt8(min(max(0.5 + 0.4 * slope + 0.1 * a * y + 0.05 * stream.normal(), 0), 1) * 255)
      }
    }
    let (high, low) = (UInt8(count / 256), UInt8(count % 256))
    folder.put(name, [0, 0, 8, 3, 0, 0, high, low, 0, 0, 0, 8, 0, 0, 0, 8] + bytes)
  }

  private func train(_ name: String = "m.safetensors") throws {
    put("images", count: 400, along: 1, seed: 1)
    let trained = try Program.run(
      [
        "train", "images", "-o", name, "--latent", "2", "--epochs", "4", "--flow-epochs", "2",
        "--batch", "16", "-q",
      ], in: folder)
    #expect(trained.status == 0 && trained.errors.isEmpty, "\(trained)")
  }

  private func json(_ text: String) throws -> Any {
    try JSONSerialization.jsonObject(with: Data(text.utf8), options: .fragmentsAllowed)
  }

  @Test("evaluate tells other pictures from its own")
  func evaluateAgainst() throws {
    try train()
    put("own", count: 120, along: 1, seed: 2)
    put("other", count: 60, along: 0, seed: 3)
    let arguments = ["evaluate", "./m.safetensors", "own", "--against", "other"]
    let run = try Program.run(
      arguments + ["--against", "flip-horizontal", "--pictures", "50", "--json"], in: folder)
    #expect(run.status == 0, "\(run)")
    let report = try #require(try json(run.output) as? [String: Any])
    let marginal = try #require(report["marginal"] as? [String: Double])
    #expect(marginal["pictures"] == 50 && marginal["samples"] == 512)
    #expect(try #require(marginal["log_px_error"]) > 0)
    let outliers = try #require(report["outliers"] as? [String: [String: Double]])
    for name in ["other", "flip-horizontal"] {
      for score in ["reconstruction", "sum", "marginal"] {
        let area = try #require(outliers[name]?[score])
        #expect(area > 0.99 && area <= 1, "\(name) \(score) \(area)")
      }
      #expect(outliers[name]?["flow_error"] != nil)
    }
    #expect(outliers["other"]?["count"] == 60 && outliers["flip-horizontal"]?["count"] == 120)
    let none = try Program.run(arguments + ["--pictures", "0"], in: folder)
    #expect(none.status == 0 && !none.output.contains("marginal: "), "\(none)")
    #expect(none.output.contains("AUROC") && none.output.contains("other"), "\(none)")
    func refused(_ code: Int, _ words: [String], _ options: String...) throws {
      try expectFailure(
        code, words, ["evaluate", "./m.safetensors", "own"] + options, in: folder)
    }
    try refused(66, ["none"], "--against", "none")
    try refused(64, ["--against", "twice"], "--against", "other", "--against", "other")
    try refused(64, ["--pictures"], "--pictures=-1")
    try refused(65, ["mnist", "paints"], "--against", "mnist")
    try refused(65, ["m.safetensors"], "--against", "m.safetensors")
  }

  // Fails when: refitting leaves the quantiles out.
  @Test("a picture of another kind is an outlier, and refitting brings quantiles back")
  func score() throws {
    try train()
    put("own", count: 40, along: 1, seed: 2)
    func picture(_ name: String, _ value: (Double, Double) -> Double) {
      let tensor = Tensor(
        shape: Shape(1, 8, 8),
        values: (0..<64).map { Float(value(Double($0 % 8) / 7 - 0.5, Double($0 / 8) / 7 - 0.5)) })
      folder.put(name, Picture(tensor: tensor).png)
    }
    picture("in.png") { x, _ in 0.5 + 0.4 * x }
    picture("out.png") { x, y in x * y > 0 ? 0.95 : 0.05 }
    let run = try Program.run(["score", "in.png", "out.png", "-m", "./m.safetensors"], in: folder)
    #expect(run.status == 0 && run.errors.isEmpty, "\(run)")
    #expect(run.output.contains("in.png") && run.output.contains(" %)"), "\(run)")
    func scores(_ model: String) throws -> [[String: Any]] {
      let run = try Program.run(
        ["score", "in.png", "out.png", "-m", model, "--json"], in: folder)
      #expect(run.status == 0, "\(run)")
      return try #require(try json(run.output) as? [[String: Any]])
    }
    let list = try scores("./m.safetensors")
    #expect(list.map { $0["path"] as? String } == ["in.png", "out.png"])
    for score in ["reconstruction", "sum", "marginal"] {
      let percentiles = list.map { ($0["percentiles"] as? [String: Double])?[score] }
      #expect(percentiles[1] == 0 && percentiles[0] ?? 0 > 0, "\(score) \(percentiles)")
    }
    let flows = list.map { ($0["percentiles"] as? [String: Double])?["flow"] }
    #expect(list.map { $0["percentile"] as? Double } == flows)
    #expect(list[0]["verdict"] is String && list[1]["marginal_error"] is Double)

    let model = try PAEModel.read(path: folder.path + "/m.safetensors")
    let quantiles = try #require(model.description.scores)
    #expect(quantiles.pictures == 40 && quantiles.marginal.count == 101)
    // The report's values have six digits.
    for (score, own) in [
      ("flow", quantiles.flow), ("reconstruction", quantiles.reconstruction),
      ("sum", quantiles.sum), ("marginal", quantiles.marginal),
    ] {
      let value = try #require(list[0][score] as? Double)
      let percentile = (list[0]["percentiles"] as? [String: Double])?[score] ?? -1
      #expect(abs(ScoreQuantiles.percentile(of: value, in: own) - percentile) < 1, "\(score)")
    }
    try model.withScores(nil).write(to: folder.path + "/bare.safetensors", overwrite: false)
    let bare = try Program.run(
      ["score", "in.png", "-m", "./bare.safetensors", "--json"], in: folder)
    #expect(bare.status == 0 && bare.errors.contains("--refit-residual"), "\(bare)")
    #expect(bare.output.contains("\"percentiles\": null"), "\(bare)")
    #expect(bare.output.contains("\"verdict\": null"), "\(bare)")
    let refit = try Program.run(
      [
        "train", "images", "-o", "again.safetensors", "--refit-residual", "./bare.safetensors",
        "-q",
      ], in: folder)
    #expect(refit.status == 0, "\(refit)")
    #expect(
      try PAEModel.read(path: folder.path + "/again.safetensors").description.scores == quantiles)
  }

  // Fails when: the size of a test picture is not checked.
  @Test("pictures that cannot be scored are refused")
  func refusals() throws {
    folder.put("a.png", TestPicture.png())
    folder.put("large.png", TestPicture.png(side: 9))
    folder.put("rgb.png", TestPicture.png(channels: 3))
    folder.put("broken.png", Array(TestPicture.png().dropLast(20)))
    folder.put("text.png", Array("no picture".utf8))
    func refused(_ code: Int, _ words: [String], _ arguments: String...) throws {
      try expectFailure(code, words, ["score", "-m", TestModel.grey] + arguments, in: folder)
    }
    try refused(65, ["large.png", "9x9"], "a.png", "large.png")
    try refused(65, ["rgb.png", "RGB"], "rgb.png")
    try refused(65, ["broken.png"], "broken.png")
    try refused(65, ["text.png"], "text.png")
    try refused(66, ["none.png"], "none.png")
    try refused(64, ["standard input"], "-", "-")
    try refused(64, ["mnist:500"], "mnist:500")
    try refused(65, ["mnist:3", "paints"], "mnist:3")
    try refused(64, ["--threads"], "a.png", "-j", "0")
    try expectFailure(64, ["images"], ["score"], in: folder)
    try expectFailure(66, ["nomodel"], ["score", "a.png", "-m", "nomodel"], in: folder)
    try expectFailure(65, ["a.png"], ["score", "a.png", "-m", "./a.png"], in: folder)
    let piped = try Program.run(
      ["score", "-", "-m", TestModel.grey, "--json"], in: folder,
      input: folder.path + "/a.png")
    #expect(piped.status == 0 && piped.output.contains("\"path\": \"-\""), "\(piped)")
  }
}
