import Foundation
import ImageFiles
import PAEInversion
import Problems

/// Part `startup`: whole runs of the program `paeinvert` that lies beside this one.
struct StartUpBenchmark {
  private let program: String
  private let picture: String
  private let folder: TemporaryFolder
  private let settings: BenchmarkSettings

  /// - Throws: `PipelineError.missing` when the program or the shipped example is not there.
  init(_ settings: BenchmarkSettings) throws {
    let directory = URL(fileURLWithPath: "/proc/self/exe").resolvingSymlinksInPath()
      .deletingLastPathComponent()
    program = directory.appendingPathComponent("paeinvert").path
    guard FileManager.default.isExecutableFile(atPath: program) else {
      throw PipelineError.missing("no program at \(program): build it first (make build)")
    }
    picture = try Self.example(from: directory)
    folder = try TemporaryFolder()
    self.settings = settings
  }

  /// `data/examples/t-shirt-noisy/data.png` of a checkout that the working directory or the program
  /// lies in.
  private static func example(from program: URL) throws -> String {
    let name = "data/examples/t-shirt-noisy/data.png"
    for start in [URL(fileURLWithPath: FileManager.default.currentDirectoryPath), program] {
      var directory = start
      while directory.path != "/" {
        let path = directory.appendingPathComponent(name).path
        if FileManager.default.fileExists(atPath: path) { return path }
        directory.deleteLastPathComponent()
      }
    }
    throw PipelineError.missing("no \(name) above the program or the working directory")
  }

  func run() throws -> BenchmarkSection {
    let denoise = [
      "denoise", picture, "-o", folder.path + "/result", "-f", "-q", "--threads",
      "\(settings.threads)",
    ]
    // First, while this process is small: see `ChildProcess.peakMemory`.
    let many = try ChildProcess(program, denoise + ["--chains", "64"])
    let help = try seconds(["--help"])
    let info = try seconds(["info"])
    let map = try seconds(denoise + ["--method", "map"])
    return BenchmarkSection(
      part: .startup, title: "start-up: whole runs of paeinvert, process start to end",
      table: Table(pairs: [
        ("paeinvert --help, ms", milliseconds(help)),
        ("paeinvert info, ms", milliseconds(info)),
        ("denoise --method map, ms", milliseconds(map)),
        ("denoise with 64 chains, seconds, one run", Spread.text(many.seconds)),
        ("denoise with 64 chains, peak memory, MB", Spread.text(many.peakMemory * 1e-6)),
      ]),
      json: .object(
        help.members("help_seconds") + info.members("info_seconds") + map.members("map_seconds")
          + [
            ("chains64_seconds", .number(many.seconds)),
            ("chains64_peak_bytes", .integer(Int(many.peakMemory))),
          ]))
  }

  private func seconds(_ arguments: [String]) throws -> Spread {
    Spread(
      try (0..<settings.stopwatch.repeats).map { _ in
        try ChildProcess(program, arguments).seconds
      })
  }

  private func milliseconds(_ spread: Spread) -> String {
    spread.map { 1000 * $0 }.text
  }
}
