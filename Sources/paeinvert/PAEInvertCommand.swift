import ArgumentParser
import CProcessor
import Foundation
import PAEInversion
import Problems

@main
struct PAEInvertCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "paeinvert",
    abstract: "Which pictures could a damaged picture have been, and how sure are we?",
    discussion: """
      A Probabilistic Autoencoder trained on pictures is the prior; MAP optimization and Hamiltonian \
      Monte Carlo in its latent space draw posterior samples of the picture behind the data.

      EXAMPLES
        paeinvert denoise noisy.png
        paeinvert inpaint damaged.png --mask mask.png --sigma 0.1
        paeinvert sample -n 64 -o prior.png
        paeinvert corrupt fashion-mnist:3055 --sigma 0.3 -o case
        paeinvert spectrum dark.png -o noise.txt
        paeinvert train fashion-mnist -o model.safetensors

      Exit codes: 0 done, 3 diagnostics failed under --strict, 64 usage, 65 bad input data, 66 input \
      missing, 70 internal error, 73 cannot create output, 74 I/O failure, 75 busy, try again, 78 bad \
      configuration or built for another processor, 129, 130 and 143 interrupted.
      """,
    version: PAEInvert.version,
    subcommands: [
      DenoiseCommand.self, InpaintCommand.self, SolveCommand.self, SampleCommand.self,
      CorruptCommand.self, SpectrumCommand.self, TrainCommand.self, TrainClassifierCommand.self,
      EvaluateCommand.self, ScoreCommand.self, CalibrateCommand.self, InfoCommand.self,
      SelfTestCommand.self,
    ])

  /// As ArgumentParser's, but a mistake in the arguments is one line on stderr, and "--sigma -1" is a value
  /// of --sigma as "--sigma=-1" is.
  static func main() {
    requireInstructionSets("paeinvert")
    do {
      let words = Arguments.joiningNegativeNumbers(Array(CommandLine.arguments.dropFirst()))
      try Arguments.checkHelp(words, of: self)
      var command = try parseAsRoot(words)
      try command.run()
    } catch {
      guard exitCode(for: error) != .success else { exit(withError: error) }
      let line = message(for: error).split(whereSeparator: \.isNewline)
        .map { $0.trimmingCharacters(in: .whitespaces) }.joined(separator: " ")
        .trimmingCharacters(in: ["."])
      let reason = Arguments.reason(line)
      FileHandle.standardError.write(
        Data("paeinvert: \(line)\(reason); see paeinvert --help\n".utf8))
      Foundation.exit(64)
    }
  }
}
