import ArgumentParser
import PAEInversion
import Problems

struct InfoCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "info",
    abstract: "What is in a model file.",
    discussion: """
      EXAMPLES
        paeinvert info fashion-mnist
        paeinvert info photo
        paeinvert info model.safetensors --json
      """)

  @Argument(help: "A model's name or path.")
  var model = ModelLocator.defaultName

  @Flag(help: "Print JSON.")
  var json = false

  @OptionGroup var consoleOptions: ConsoleOptions

  func run() {
    let console = consoleOptions.console
    console.run {
      try console.output(try ModelFileInfo.text(of: model, isJSON: json))
      return 0
    }
  }
}
