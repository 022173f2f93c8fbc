import Foundation
import Glibc
import ImageFiles
import Inversion
import Randomness
import Tensors
import Testing

/// Training from folders and IDX files, and going on after a break.
///
/// Seen to fail: the optimizers' second moments 1 % too large after a resumption; the checkpoint not
/// removed.
@Suite struct TrainCommandTests {
  private let folder = TemporaryFolder()

  private static let options = [
    "--latent", "4", "--epochs", "3", "--flow-epochs", "2", "--batch", "16", "-q",
  ]

  /// Square pictures of two random slopes with a little noise.
  private static func pictures(_ count: Int, channels: Int, side: Int = 8) -> [Tensor] {
    var stream = RandomKey(seed: 5).child("training pictures").stream()
    return (0..<count).map { _ in
      let (a, b) = (stream.normal(), stream.normal())
      let shape = Shape(channels, side, side)
      let last = Double(side - 1)
      return Tensor(
        shape: shape,
        values: (0..<shape.count).map {
          let (x, y) = (Double($0 % side) / last - 0.5, Double($0 / side % side) / last - 0.5)
          return Float(0.5 + 0.3 * (a * x + b * y) + 0.05 * stream.normal())
        })
    }
  }

  private func putFolder(
    _ name: String, channels: Int, side: Int = 8, count: Int = 400
  ) throws {
    try FileManager.default.createDirectory(
      atPath: folder.path + "/" + name, withIntermediateDirectories: true)
    for (index, tensor) in Self.pictures(
      count, channels: channels, side: side
    ).enumerated() {
      folder.put("\(name)/\(index).png", Picture(tensor: tensor).png)
    }
  }

  @Test(arguments: [
    (1, 8, "conv"), (3, 8, "mlp"), (3, 32, "conv"), (3, 64, "conv"),
  ])
  func aFolderOfPicturesMakesAModel(channels: Int, side: Int, architecture: String) throws {
    let count = side > 8 ? 100 : 400
    try putFolder("pictures", channels: channels, side: side, count: count)
    let trained = try Program.run(
      ["train", "pictures", "-o", "m.safetensors", "--architecture", architecture] + Self.options,
      in: folder)
    #expect(trained.status == 0 && trained.errors.isEmpty, "\(trained)")
    #expect(folder.listing().filter { !$0.hasPrefix("pictures/") } == ["m.safetensors"])
    let info = try Program.run(["info", "m.safetensors"], in: folder)
    #expect(info.output.contains("model: m (m.safetensors)"))
    #expect(info.output.contains("\(count * 9 / 10) pictures and \(count / 10) held out"))
    folder.put("a.png", TestPicture.png(channels: channels, side: side))
    let solved = try Program.run(
      ["denoise", "a.png", "-m", "m.safetensors", "--method", "map"], in: folder)
    #expect(solved.status == 0, "\(solved)")
    #expect(try ReportFile(in: folder, "a.denoised").image.channels == channels)
  }

  /// The pictures are two slopes and noise: two latents tell them best.
  ///
  /// Meant to catch: the fault not recorded in the file, so that the solver says nothing.
  @Test func fewPicturesMakeALinearModelAndABadOneIsCalledSo() throws {
    try putFolder("pictures", channels: 1, count: 120)
    let good = try Program.run(["train", "pictures", "-o", "good.safetensors"], in: folder)
    #expect(good.status == 0 && !good.errors.contains("warning"), "\(good)")
    #expect(good.output.contains("2 latents, 108 pictures, 12 more held out"), "\(good)")
    #expect(good.output.contains("of as many principal components"))
    let bad = try Program.run(
      ["train", "pictures", "-o", "bad.safetensors", "--architecture", "mlp"]
        + Self.options.filter { $0 != "-q" }, in: folder)
    #expect(bad.status == 0 && bad.errors.contains("warning: bad.safetensors is not worth using"))
    folder.put("a.png", TestPicture.png(channels: 1, side: 8))
    let solve = ["denoise", "a.png", "--method", "map", "--sigma", "0.001", "-f", "-m"]
    let solved = try Program.run(solve + ["bad.safetensors"], in: folder)
    #expect(solved.status == 0 && solved.errors.contains("is not worth using"), "\(solved)")
    #expect(solved.errors.contains("less than what the model bad cannot paint"))
    let report = String(decoding: try folder.bytes("a.denoised/report.json"), as: UTF8.self)
    #expect(report.contains("is not worth using"))
    let trusted = try Program.run(solve + ["good.safetensors"], in: folder)
    #expect(!trusted.errors.contains("is not worth using"))
  }

  /// Standard error is a pipe with room for one line, so that the second epoch cannot end: the
  /// process stands still behind its first checkpoint until it is interrupted.
  @Test func aTrainingGoesOnWhereItWasInterrupted() throws {
    try putFolder("pictures", channels: 1)
    let options = Self.options.filter { $0 != "-q" }
    let whole = try Program.run(
      ["train", "pictures", "-o", "whole.safetensors", "--name", "m", "-j", "2"] + options,
      in: folder)
    #expect(whole.status == 0)
    let lines = whole.errors.split(separator: "\n").filter { $0.contains(" epoch ") }
    #expect(lines.count == 5)
    var pipe: [Int32] = [0, 0]
    try #require(Glibc.pipe(&pipe) == 0)
    defer { pipe.forEach { close($0) } }
    for end in pipe { _ = fcntl(end, F_SETFD, FD_CLOEXEC) }
    // F_SETPIPE_SZ of Linux: one page.
    let size = Int(fcntl(pipe[1], 1031, 4096))
    // Epochs' lines are of nearly one length.
    let room = (lines.map(\.utf8.count).max() ?? 0) + 10
    let filling = [UInt8](repeating: 0x2E, count: size - room)
    try #require(write(pipe[1], filling, filling.count) == filling.count)
    let arguments = ["train", "pictures", "-o", "m.safetensors", "-j", "1"] + options
    try expectFailure(
      66, ["m.safetensors.checkpoint", "--resume"], arguments + ["--resume"], in: folder)
    let program = try RunningProgram(arguments, in: folder, errors: pipe[1])
    try #require(program.wait { folder.has("m.safetensors.checkpoint") })
    program.send(SIGINT)
    #expect(program.wait().status == 130)
    let left = folder.listing().filter { !$0.hasPrefix("pictures/") }
    #expect(left == ["m.safetensors.checkpoint", "whole.safetensors"])

    // Begun anew it would be lost.
    let checkpoint = try folder.bytes("m.safetensors.checkpoint")
    try expectFailure(73, ["m.safetensors.checkpoint", "--resume", "-f"], arguments, in: folder)
    #expect(try folder.bytes("m.safetensors.checkpoint") == checkpoint)
    let other = try Program.run(arguments + ["--resume", "--seed", "2"], in: folder)
    #expect(other.status == 65 && other.errors.contains("--resume"))
    #expect(try Program.run(arguments + ["--resume", "-q"], in: folder).status == 0)
    #expect(!folder.has("m.safetensors.checkpoint"))
    #expect(try folder.bytes("m.safetensors") == folder.bytes("whole.safetensors"))
  }

  /// Seen to fail: the advice left out; said where there is no checkpoint.
  @Test func anInterruptionSaysHowToGoOn() throws {
    try putFolder("pictures", channels: 1)
    let options = ["train", "pictures", "-o", "m.safetensors", "--latent", "4", "--batch", "16"]
    let program = try RunningProgram(options + ["--epochs", "100000"], in: folder)
    try #require(program.wait { folder.has("m.safetensors.checkpoint") })
    program.send(SIGINT)
    let outcome = program.wait()
    #expect(outcome.status == 130 && outcome.errors.contains("--resume"), "\(outcome)")
    let early = try RunningProgram(
      ["train", "pictures", "-o", "none.safetensors", "--latent", "4", "--batch", "16"],
      in: folder)
    early.send(SIGINT)
    #expect(!early.wait().errors.contains("--resume"))
  }

  // K + 2 pictures to fit and one held out, K = 4. Seen to fail: a tenth held out; the batch counted.
  @Test func componentsNeedFewPictures() throws {
    try putFolder("seven", channels: 1, count: 7)
    let train = ["train", "seven", "--latent", "4", "-o", "m.safetensors", "-q"]
    let made = try Program.run(train + ["--objective", "ppca"], in: folder)
    #expect(made.status == 0 && made.errors.isEmpty, "\(made)")
    try expectFailure(
      65, ["at least 8", "--latent"],
      ["train", "seven", "-o", "n.safetensors", "--objective", "ppca", "--latent", "5"], in: folder)
    try expectFailure(
      65, ["at least 10", "a tenth"], ["train", "seven", "-o", "n.safetensors"],
      in: folder)
  }

  /// Seen to fail: another split taken; the held-out error not compared with that of the record.
  @Test func theResidualAloneIsFittedAgain() throws {
    try putFolder("pictures", channels: 1)
    let train = ["train", "pictures", "-o"]
    let trained = try Program.run(train + ["m.safetensors"] + Self.options, in: folder)
    #expect(trained.status == 0, "\(trained)")
    let refit = ["--refit-residual", "m.safetensors"]
    let again = try Program.run(train + ["again.safetensors"] + refit, in: folder)
    #expect(again.status == 0 && again.output.contains("factors"), "\(again)")
    #expect(try folder.bytes("again.safetensors") == folder.bytes("m.safetensors"))
    let info = try Program.run(["info", "again.safetensors", "--json"], in: folder)
    #expect(info.output.contains("held_out_diagonal_residual_log_likelihood"))
    func refused(_ code: Int, _ words: [String], _ arguments: [String]) throws {
      try expectFailure(code, words, arguments, in: folder)
    }
    try refused(73, ["again.safetensors"], train + ["again.safetensors"] + refit)
    let new = train + ["new.safetensors"]
    for option in [["--latent", "5"], ["--resume"], ["--seed", "2"], ["--name", "n"]] {
      try refused(64, ["--refit-residual"], new + refit + option)
    }
    try refused(65, ["how it was trained"], new + ["--refit-residual", TestModel.grey])
    try refused(66, ["none"], new + ["--refit-residual", "none.safetensors"])
    // As many pictures of the same size, each a little brighter.
    try FileManager.default.createDirectory(
      atPath: folder.path + "/others", withIntermediateDirectories: true)
    for (index, tensor) in Self.pictures(400, channels: 1).enumerated() {
      let brighter = Tensor(shape: tensor.shape, values: tensor.values.map { $0 + 0.1 })
      folder.put("others/\(index).png", Picture(tensor: brighter).png)
    }
    try refused(
      65, ["not the pictures"], ["train", "others", "-o", "new.safetensors"] + refit)
    try putFolder("coloured", channels: 3)
    try refused(
      65, ["not the pictures"], ["train", "coloured", "-o", "new.safetensors"] + refit)
    #expect(!folder.has("new.safetensors"))
  }

  @Test func idxFilesAreReadAndBadOnesRefused() throws {
    let pictures = Self.pictures(400, channels: 1)
    let header: [UInt8] = [0, 0, 8, 3, 0, 0, 1, 0x90, 0, 0, 0, 8, 0, 0, 0, 8]
    let bytes = pictures.flatMap { $0.values.map { UInt8(min(max($0, 0), 1) * 255) } }
    folder.put("images", header + bytes)
    let trained = try Program.run(
      ["train", "images", "-o", "m.safetensors", "--architecture", "mlp"] + Self.options,
      in: folder)
    #expect(trained.status == 0, "\(trained)")
    let report = try Program.run(
      ["evaluate", "./m.safetensors", "images", "--json"], in: folder)
    #expect(report.status == 0 && report.output.contains("\"count\": 400"))
    folder.put("short", header + bytes.dropLast())
    folder.put("few", [0, 0, 8, 3, 0, 0, 0, 9, 0, 0, 0, 8, 0, 0, 0, 8] + bytes.prefix(9 * 64))
    func refused(_ code: Int, _ words: [String], _ dataset: String...) throws {
      try expectFailure(code, words, ["train"] + dataset + ["-o", "new.safetensors"], in: folder)
    }
    try refused(65, ["short", "bytes"], "short")
    try refused(65, ["few"], "few")
    try refused(66, ["none"], "none")
    try refused(65, ["m.safetensors"], "m.safetensors")
    try refused(66, ["new.safetensors.checkpoint"], "images", "--resume")
    let nowhere = ["train", "images", "-o", "none/new.safetensors"]
    try expectFailure(73, ["none/new.safetensors"], nowhere + Self.options, in: folder)
  }
}
