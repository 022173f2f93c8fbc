import Foundation
import ImageFiles
import Inversion
import Tensors
import Testing

/// Options and JSON keys of `paeinvert-bench`; how fast anything is, no test says.
///
/// Seen to fail: `fraction` left out of the gradient rows; a part measured that `--only` does not
/// name; the mask of the exported problem inverted; --repeats 0 accepted; the unit metric in place of
/// Gauss–Newton's, and the other way round.
@Suite struct BenchCommandTests {
  private let folder = TemporaryFolder()

  private func run(_ arguments: String..., setup: String = "") throws -> Outcome {
    try Program.run(
      arguments, program: Program.path(of: "paeinvert-bench"), in: folder, setup: setup)
  }

  /// The object that a short run prints, after everything but JSON was seen to be absent.
  private func measured(_ arguments: String...) throws -> [String: Any] {
    let outcome = try Program.run(
      arguments + ["--json", "--repeats", "1", "--seconds", "0.001", "-j", "1"],
      program: Program.path(of: "paeinvert-bench"), in: folder)
    #expect(outcome.status == 0 && outcome.errors.isEmpty, "\(outcome)")
    let object = try JSONSerialization.jsonObject(with: Data(outcome.output.utf8))
    return try #require(object as? [String: Any])
  }

  /// Every key is there and holds a positive number, with a range beside it that holds it; figures of
  /// a core may be null: under the limit on processor time that `Program` sets, Linux moves that clock
  /// only every few milliseconds.
  private func expectRates(_ keys: [String], in value: Any?) throws {
    let object = try #require(value as? [String: Any])
    for key in keys {
      if key.contains("core") && object[key] is NSNull { continue }
      let number = try #require(object[key] as? Double, "\(key) in \(object)")
      let range = try #require(object[key + "_range"] as? [Double], "\(key)_range in \(object)")
      #expect(number > 0 && range.count == 2 && range[0] <= number && number <= range[1])
    }
  }

  @Test func theMachineAndTheCeiling() throws {
    let report = try measured("--only", "ceiling")
    #expect(
      Set(report.keys) == ["schema", "version", "machine", "repeats", "lanes_per_block", "ceiling"])
    let machine = try #require(report["machine"] as? [String: Any])
    #expect(
      Set(machine.keys) == ["processor", "cores", "threads", "load_average", "onednn"])
    #expect(machine["threads"] as? Int == 1)
    try expectRates(["sgemm_gflops", "sgemm_gflops_per_core", "copy_gbs"], in: report["ceiling"])
  }

  @Test func gradientsOfTheChosenLanesAndModels() throws {
    let report = try measured(
      "--only", "gradient", "--lanes", "1,9", "--block", "8", "--model", Program.defaultModel)
    let rows = try #require(report["gradient"] as? [[String: Any]])
    #expect(
      rows.map { "\($0["model"] ?? "") \($0["lanes"] ?? "")" } == [
        "fashion-mnist 1", "fashion-mnist 9", "infogan 1", "infogan 9", "fashion-mnist 1",
        "fashion-mnist 9",
      ])
    for row in rows {
      let keys = ["per_second", "gflops", "fraction", "core_fraction", "ceiling_gflops"]
      try expectRates(keys + keys.map { "decoder_" + $0 }, in: row)
    }
  }

  @Test func trainingFlowAndNoise() throws {
    let report = try measured("--only", "noise,flow,train")
    let training = try #require(report["train"] as? [[String: Any]])
    #expect(training.map { $0["model"] as? String } == ["fashion-mnist", "infogan"])
    #expect(training.map { $0["batch"] as? Int } == [128, 256])
    for row in training { try expectRates(["images_per_second", "gflops", "fraction"], in: row) }
    let flow = try #require(report["flow"] as? [[String: Any]])
    #expect(flow.map { $0["operation"] as? String } == ["value", "gradient", "inverse"])
    for row in flow { try expectRates(["per_second"], in: row) }
    let noise = try #require(report["noise"] as? [[String: Any]])
    #expect(
      Set(noise.compactMap { $0["model"] as? String }) == [
        "white", "white-censored", "diagonal", "stationary", "stationary-masked",
        "stationary-masked-turned", "dense",
      ])
    for row in noise { try expectRates(["nanoseconds_per_datum"], in: row) }
  }

  // Seen to fail: the iterations of the dense row given as 0.
  @Test func maskedNoise() throws {
    let report = try measured("--only", "masked-noise")
    let rows = try #require(report["masked-noise"] as? [[String: Any]])
    #expect(
      rows.map { $0["solver"] as? String }
        == ["dense"] + [String](repeating: "conjugateGradients", count: 3))
    #expect(rows.map { $0["iterations"] is Int } == [false, true, true, true])
    for row in rows { try expectRates(["milliseconds"], in: row) }
  }

  @Test func aPosteriorFromPictureToFolder() throws {
    let report = try measured(
      "--only", "posterior", "--space", "u", "--chains", "3", "--draws", "12", "--warmup", "20")
    let posterior = try #require(report["posterior"] as? [String: Any])
    try expectRates(
      [
        "seconds_total", "seconds_map", "seconds_warmup", "seconds_sampling", "gradients",
        "leapfrogs_per_draw", "ess_min", "ess_per_second", "lane_utilization",
      ], in: posterior)
    #expect(posterior["space"] as? String == "u")
    #expect(
      ["chains", "draws", "warmup", "runs"].map { posterior[$0] as? Int } == [3, 12, 20, 1])
    #expect(folder.listing().isEmpty)
  }

  @Test func tenProblemsUnderFourMetrics() throws {
    let report = try measured(
      "--only", "preconditioning", "--chains", "4", "--draws", "4", "--warmup", "0")
    let part = try #require(report["preconditioning"] as? [String: Any])
    #expect(["chains", "draws", "warmup"].map { part[$0] as? Int } == [4, 4, 0])
    #expect(part["space"] as? String == "z")
    let runs = try #require(part["runs"] as? [[String: Any]])
    let summary = try #require(part["summary"] as? [[String: Any]])
    let metrics = [
      "Gauss-Newton, dense", "identity, diagonal", "identity, dense", "Gauss-Newton, fixed",
    ]
    #expect(summary.map { $0["metric"] as? String } == metrics)
    #expect(runs.count == 40 && Set(runs.compactMap { $0["picture"] as? Int }).count == 10)
    for run in runs {
      #expect(metrics.contains(run["metric"] as? String ?? "") && run["missing"] is String)
      #expect(run["warmup_length"] as? Int == 0 && (run["sigma"] as? Double ?? 0) > 0)
      let steps = try #require(run["leapfrogs_per_draw"] as? Double)
      #expect(run["sampling_gradients"] as? Double == (16 * steps).rounded())
    }
    // Without warmup nothing is adapted, so only the start makes a difference.
    for problem in stride(from: 0, to: 40, by: 4) {
      let steps = (problem..<problem + 4).compactMap { runs[$0]["leapfrogs_per_draw"] as? Double }
      #expect(steps.count == 4 && steps[0] == steps[3] && steps[1] == steps[2])
      #expect(steps[0] != steps[1])
    }
    for row in runs + summary {
      for key in [
        "warmup_gradients", "leapfrogs_per_draw", "ess_min", "tail_ess_min",
        "ess_per_1000_gradients",
        "ess_per_1000_gradients_with_warmup",
      ] {
        #expect((row[key] as? Double ?? 0) > 0, "\(key) in \(row)")
      }
      #expect(row["divergences"] is Int && row.keys.contains("rhat_max"))
    }
  }

  @Test func aTableForPeople() throws {
    let outcome = try run("--only", "flow", "--repeats", "2", "--seconds", "0.001")
    #expect(outcome.status == 0 && outcome.errors.isEmpty, "\(outcome)")
    for word in ["paeinvert-bench", "oneDNN", "threads", "gradient", "inverse"] {
      #expect(outcome.output.contains(word), "\(outcome.output)")
    }
    #expect(!outcome.output.contains("{"))
  }

  @Test func theExportHoldsAModelAndAProblem() throws {
    let outcome = try run("--export", "peers/files")
    #expect(outcome.status == 0 && outcome.errors.isEmpty, "\(outcome)")
    #expect(
      outcome.output == "peers/files/infogan.safetensors\npeers/files/problem.safetensors\n")
    let model = try PAEModel.read(path: folder.path + "/peers/files/infogan.safetensors")
    #expect(model.latentDimension == 40 && model.imageShape == Shape(1, 28, 28))
    #expect((6_500_000...7_500_000).contains(model.decoder.layout.count))
    let problem = try SafetensorsFile.read(
      path: folder.path + "/peers/files/problem.safetensors")
    let observed = try problem.require("observed", Shape(1, 28, 28))
    let expected: [Float] = (0..<28 * 28).map {
      (8...16).contains($0 / 28) && (9...21).contains($0 % 28) ? 0 : 1
    }
    #expect(observed == expected)
    #expect(try problem.require("sigma", Shape(1)) == [0.1])
    let data = try problem.require("data", Shape(1, 28, 28))
    // Noise at a black background goes below black: it is not clipped.
    #expect((data.min() ?? 0) < -0.1)
    // Nothing is overwritten unasked.
    let again = try run("--export", "peers/files")
    #expect(again.status == 73 && again.errors.contains("infogan.safetensors"), "\(again)")
    #expect(try run("--export", "peers/files", "-f").status == 0)
  }

  @Test(arguments: [
    (["--only", "gradients"], 64, "gradients"), (["--only", ""], 64, "--only"),
    (["--lanes", "1,x"], 64, "--lanes"), (["--lanes", "0"], 64, "--lanes"),
    (["--repeats", "0"], 64, "--repeats"), (["--seconds", "0"], 64, "--seconds"),
    (["--block", "0"], 64, "--block"), (["--threads", "0"], 64, "--threads"),
    (["--chains", "0"], 64, "--chains"), (["--space", "v"], 64, "--space"),
    (["--force"], 64, "--export"), (["extra"], 64, "extra"),
    (["--model", "no-such-model"], 66, "no-such-model"),
  ])
  func mistakesAreOneLine(arguments: [String], code: Int, word: String) throws {
    let outcome = try Program.run(
      arguments, program: Program.path(of: "paeinvert-bench"), in: folder)
    #expect(outcome.status == code, "\(outcome)")
    #expect(outcome.output.isEmpty && outcome.errors.hasPrefix("paeinvert-bench: "), "\(outcome)")
    #expect(outcome.errors.contains(word), "\(outcome)")
    #expect(outcome.errors.split(separator: "\n").count == 1, "\(outcome)")
  }

  @Test func helpNamesEveryPart() throws {
    let outcome = try run("--help")
    #expect(outcome.status == 0)
    for part in [
      "startup", "ceiling", "gradient", "train", "flow", "noise", "posterior", "preconditioning",
    ] {
      #expect(outcome.output.contains(part), "\(part)")
    }
  }
}
