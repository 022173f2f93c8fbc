import Testing

/// Options that make no sense end with 64 before any work.
///
/// Seen to fail: ArgumentParser's own three lines; `sigma >= 0`.
@Suite struct SolverOptionsTests {
  private let folder = TemporaryFolder()

  static let mistakes: [(arguments: [String], word: String)] = [
    (["--sigma=-0.1"], "not -0.1"), (["--sigma", "-1"], "not -1"),
    (["--sigma", "0,3"], "'.'"), (["--seed", "-5"], "'-5' is invalid"),
    (["--seed", "-5"], "negative"),
    (["--seed", "1.5"], "whole number"), (["--range", "0"], "LO,HI"),
    (["--range", "1,0"], "LO,HI"),
    (["--range", "-1,nan"], "LO,HI"), (["--sigma", "0"], "--sigma"),
    (["--sigma", "nan"], "--sigma"),
    (["--sigma", "inf"], "--sigma"), (["--sigma", "lots"], "lots"),
    (["--chains", "0"], "--chains"), (["--draws", "0"], "--draws"), (["--chains=-4"], "--chains"),
    (["--chains", "1000000000000"], "--chains"), (["--draws", "1000000000000"], "--draws"),
    (["--draws", "1e12"], "draws"), (["--warmup", "1000000000000"], "--warmup"),
    (["--chains", "1000", "--draws", "1000000"], "million"),
    (["--draws", "99999999999999999999"], "draws"), (["--samples=-1"], "--samples"),
    (["--chains", "1", "--draws", "2", "--samples", "3"], "--samples"),
    (["--target-accept", "1"], "--target-accept"), (["--target-accept", "nan"], "--target-accept"),
    (["--threads", "0"], "--threads"), (["-j", "100000"], "--threads"), (["--seed=-1"], "seed"),
    (["--method", "magic"], "magic"), (["--space", "x"], "space"),
    (["--residual", "full-moon"], "full-moon"),
    (["--clipped", "maybe"], "maybe"), (["--no-such-option"], "no-such-option"),
    (["--sigma"], "--sigma"), (["-", "-"], "standard input"), (["a.png"], "once"),
    (["b.png", "-o", "result"], "--output"), (["b.png", "--truth", "a.png"], "--truth"),
  ]

  @Test(arguments: mistakes.indices)
  func mistakesAre64(_ index: Int) throws {
    let (arguments, word) = Self.mistakes[index]
    folder.put("a.png", TestPicture.png())
    folder.put("b.png", TestPicture.png(seed: 2))
    try expectFailure(
      64, [word], ["denoise", "a.png"] + arguments + ["-m", TestModel.grey], in: folder)
  }

  @Test func mistakesOfOtherCommandsAre64() throws {
    folder.put("a.png", TestPicture.png())
    for (arguments, word) in [
      (["inpaint", "a.png", "-m", TestModel.grey], "--mask"),
      (["help", "nosuch"], "nosuch"), (["help", "denois"], "denoise"),
      (["frobnicate"], "frobnicate"), (["denoise"], "images"),
      (["corrupt", "a.png", "--rectangle", "4-8,0-3"], "8x8"),
      (["corrupt", "a.png", "--rectangle", "0-3,0-99999999999"], "8x8"),
      (["corrupt", "a.png", "--rectangle", "3-1,0-3"], "3-1,0-3"),
      (["corrupt", "a.png", "--rectangle", "here"], "here"),
      (["corrupt", "a.png", "--rectangle", "0-7,0-7"], "observed"),
      (["corrupt", "a.png", "--missing", "1"], "--missing"),
      (["corrupt", "a.png", "--missing", "nan"], "--missing"),
      (["corrupt", "a.png", "--missing", "0.5", "--rectangle", "0-1,0-1"], "--rectangle"),
      (["corrupt", "a.png", "--sigma=-1"], "--sigma"),
      (["corrupt", "a.png", "--sigma", "auto"], "--sigma"),
      (["corrupt", "a.png", "--bits", "12"], "--bits"), (["sample", "-n", "0"], "-n"),
      (["sample", "-n", "1000000000000"], "-n"),
      (["train", ".", "-o", "m.safetensors", "--batch", "3"], "--batch"),
      (["train", ".", "-o", "m.safetensors", "--latent", "0"], "--latent"), (["train", "."], "-o"),
    ] {
      try expectFailure(64, [word], arguments, in: folder)
    }
  }

  /// The data set's package may be missing: then the picture is (66).
  @Test func unknownTestPicturesAreRefused() throws {
    let outcome = try Program.run(["corrupt", "fashion-mnist:99999", "-o", "case"], in: folder)
    #expect(outcome.status == 64 || outcome.status == 66)
    #expect(outcome.errors.split(separator: "\n").count == 1)
    #expect(folder.listing() == [])
  }

  @Test func helpAndVersionAreNoMistakes() throws {
    for arguments in [["--version"], ["--help"], ["denoise", "--help"], []] {
      let outcome = try Program.run(arguments, in: folder)
      #expect(outcome.status == 0 && outcome.errors.isEmpty && !outcome.output.isEmpty)
    }
  }
}
