import ArgumentParser
import Numerics
import PAEInversion
import Problems

struct SpectrumCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "spectrum",
    abstract: "The power spectrum of noise, from pictures that hold nothing else.",
    discussion: """
      The pictures, or what the mask leaves white of them, are taken for noise about an unknown \
      constant; several pictures, and channels, are averaged. The result is a table of 'k P error \
      modes' that --noise-spectrum and a problem file's 'spectrum:' take: k in cycles per pixel, P in \
      intensity squared (the variance of a pixel is the mean of P), the error a standard deviation. \
      Under a mask with up to 1500 white pixels the likelihood is exact; with more it is the \
      pseudo-spectrum's. --grid gives P for each bin of the Fourier transform instead, for noise that \
      has a direction, such as stripes: it needs many whole pictures.

      EXAMPLES
        paeinvert spectrum dark.png -o noise.txt
        paeinvert spectrum picture.png --mask surroundings.png      (white = noise alone)
        paeinvert spectrum dark-*.png --grid -o stripes.npy
        paeinvert denoise noisy.png --noise-spectrum noise.txt
      """)

  @Argument(help: "PNG pictures or NumPy arrays of one size; - reads standard input.")
  var images: [String]

  @Option(help: "PNG of the pictures' size: white = noise alone, black = left out.")
  var mask: String?

  @Flag(exclusivity: .exclusive, help: "A table of radial bins, or an array of all bins.")
  var form = SpectrumOptions.Form.radial

  @Option(
    help: "How many radial bins. (default: about each 1.5 times the frequency of the one before)")
  var bins: Int?

  @Option(
    name: [.customShort("o"), .long], help: "The spectrum's file. (default: the table on stdout)")
  var output: String?

  @Flag(name: [.customShort("f"), .long], help: "Overwrite an earlier file.")
  var force = false

  @Flag(help: "Print the result as JSON on stdout, and nothing else there.")
  var json = false

  @OptionGroup var consoleOptions: ConsoleOptions

  func run() {
    let console = consoleOptions.console
    console.run {
      guard form == .radial || output != nil || json else {
        throw PipelineError.usage("--grid needs a file: give --output FILE.npy")
      }
      guard images.count(where: { $0 == "-" }) <= 1 else {
        throw PipelineError.usage("standard input can be read once")
      }
      var options = SpectrumOptions()
      (options.form, options.mask, options.bins) = (form, mask, bins)
      let result = try SpectrumPipeline.run(images, options: options, warn: console.warn)
      if let output { try result.write(to: output, overwrite: force) }
      if let remark = result.remark, console.isVerbose { console.note(remark) }
      if json {
        try console.output(try result.json().text)
      } else if let output {
        if !console.isQuiet { try console.output(output + "\n") }
      } else if let table = try result.table() {
        try console.output(table)
      }
      return 0
    }
  }
}

extension SpectrumOptions.Form: EnumerableFlag {
  public static func help(for value: Self) -> ArgumentHelp? {
    switch value {
    case .radial: "A table of radial bins."
    case .grid: "A NumPy array of all bins, in FFT order."
    }
  }
}
