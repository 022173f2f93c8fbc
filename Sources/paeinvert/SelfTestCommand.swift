import ArgumentParser
import Foundation
import ImageFiles
import Numerics
import PAEInversion
import Problems

struct SelfTestCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "selftest",
    abstract: "Does this build sample what it should, on this machine? Under a minute.",
    discussion: """
      Linear problems whose posterior and evidence are known in closed form are solved by every method, \
      under white, masked and coloured noise and with a residual; then the gradient and the integrator \
      are checked on a model. One line a check; the exit code is 0 when all hold, else 70.

      EXAMPLES
        paeinvert selftest
        paeinvert selftest --model my.safetensors --json
      """)

  @Option(name: [.customShort("m"), .long], help: "Model: a name or the path of a model file.")
  var model = ModelLocator.defaultName

  @Flag(help: "Print JSON on stdout, and nothing else there.")
  var json = false

  @OptionGroup var threads: ThreadOptions
  @OptionGroup var consoleOptions: ConsoleOptions

  func run() {
    let console = consoleOptions.console
    console.run {
      var checks: [SelfCheck] = []
      try SelfTestPipeline.run(model: model, threads: threads.count) { check in
        checks.append(check)
        guard !json, !(console.isQuiet && check.isOK) else { return }
        try console.output(
          String(
            format: "%@  %@: %.3g (at most %.3g)\n", check.isOK ? "ok  " : "FAIL", check.name,
            check.value, check.bound))
      }
      if json { try console.output(JSONText.array(checks.map(\.json)).text) }
      return checks.allSatisfy(\.isOK) ? 0 : 70
    }
  }
}
