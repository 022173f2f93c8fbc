import ArgumentParser
import CProcessor
import Foundation
import ImageFiles
import Numerics
import PAEInversion
import Problems
import Workers

@main
struct BenchCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "paeinvert-bench",
    abstract: "How fast paeinvert is on this machine, beside what the machine can do.",
    discussion: """
      Every figure is the median of repeated measurements, with the smallest and the largest; the \
      part preconditioning, which counts gradients and no seconds, runs once. \
      Fractions compare the operations of matrix products with a large dnnl_sgemm on the same \
      threads just before.

      EXAMPLES
        paeinvert-bench
        paeinvert-bench --only ceiling,gradient --lanes 16,64 --repeats 9
        paeinvert-bench --only posterior --space u --json
        paeinvert-bench --only preconditioning --draws 200
        paeinvert-bench --export runs/peers
      """,
    version: PAEInvert.version)

  @Option(
    help: ArgumentHelp(
      "Parts to measure: \(BenchmarkPart.allCases.map(\.rawValue).joined(separator: ",")). "
        + "(default: all but preconditioning)", valueName: "PART,…"))
  var only: String?

  @Option(help: ArgumentHelp("Lanes of the gradient rows.", valueName: "N,…"))
  var lanes = "1,4,16,64,256"

  @Option(
    help: """
      Lanes that a worker evaluates at a time in the parts gradient and flow. (default: as the \
      sampler chooses)
      """)
  var block: Int?

  @Option(
    name: [.customShort("j"), .long],
    help: "Worker threads. (default: one for each processor)")
  var threads: Int?

  @Option(help: "Measurements of each figure.")
  var repeats = 5

  @Option(help: "Least length of one measurement in seconds.")
  var seconds = 0.2

  @Option(
    name: [.customShort("m"), .long],
    help: "A further model for the gradient rows: a name or the path of a model file.")
  var model: String?

  @Option(help: "Coordinates of the sampling parts: z or u.")
  var space = SolveOptions.Space.z

  @Option(help: "Chains of the sampling parts.")
  var chains = SolveOptions(threads: 1).chains

  @Option(help: "Draws of each chain of the sampling parts.")
  var draws = SolveOptions(threads: 1).draws

  @Option(help: "Warmup iterations of each chain of the sampling parts.")
  var warmup = SolveOptions(threads: 1).warmup

  @Flag(help: "Print JSON.")
  var json = false

  @Option(
    help: ArgumentHelp(
      "Measure nothing; write infogan.safetensors, the InfoGAN-like model, and "
        + "problem.safetensors, the data of the posterior part, into a folder.", valueName: "DIR"))
  var export: String?

  @Flag(name: [.customShort("f"), .long], help: "Overwrite files in the folder of --export.")
  var force = false

  /// What goes wrong is one line on stderr and its exit code.
  func run() {
    do {
      if let export { try write(to: export) } else { try measure() }
    } catch {
      let error = PipelineError(error)
      StandardStreams.note(error.description)
      Foundation.exit(error.exitCode)
    }
  }

  private func write(to folder: String) throws {
    for path in try PeerFiles.write(to: folder, overwrite: force) {
      try StandardStreams.output(path + "\n")
    }
  }

  private func measure() throws {
    let run = try plannedRun()
    let machine = MachineDescription(threads: run.settings.threads)
    var members: [(key: String, value: JSONText)] = [
      ("schema", .integer(1)), ("version", .string(PAEInvert.version)),
      ("machine", machine.json), ("repeats", .integer(repeats)),
      ("lanes_per_block", block.map { .integer($0) } ?? .null),
    ]
    if !json { try StandardStreams.output(machine.text) }
    try run.run(
      report: { section in
        members.append((section.part.rawValue, section.json))
        if !json { try StandardStreams.output(section.text) }
      },
      skip: { part, error in
        // What was asked for by name must be there.
        guard only == nil else { throw error }
        StandardStreams.note("\(part.rawValue) is left out: \(error)")
      })
    if json { try StandardStreams.output(JSONText.object(members).text) }
  }

  private func plannedRun() throws -> BenchmarkRun {
    let threads = self.threads ?? WorkerPool.availableProcessors
    var solving = SolveOptions(threads: threads)
    solving.space = space
    solving.chains = chains
    solving.draws = draws
    solving.warmup = warmup
    solving.samples = min(solving.samples, max(0, chains) * max(0, draws))
    try solving.validate()
    func require(_ condition: Bool, _ message: String) throws(PipelineError) {
      if !condition { throw .usage(message) }
    }
    try require((1...1000).contains(repeats), "--repeats must be 1 to 1000")
    try require(seconds > 0 && seconds <= 60, "--seconds must be above 0 and at most 60")
    try require((1...4096).contains(block ?? 1), "--block must be 1 to 4096")
    try require(!force, "--force goes with --export")
    // Missing or damaged, it must not cost the parts before it.
    if let model { _ = try BenchmarkModel.named(model) }
    return BenchmarkRun(
      settings: BenchmarkSettings(
        pool: WorkerPool(threads: threads),
        stopwatch: Stopwatch(repeats: repeats, seconds: seconds), lanes: try laneCounts(),
        lanesPerBlock: block), parts: try chosenParts(), solving: solving, furtherModel: model)
  }

  private func chosenParts() throws(PipelineError) -> [BenchmarkPart] {
    guard let only else { return BenchmarkPart.standard }
    var chosen: Set<BenchmarkPart> = []
    for name in only.split(separator: ",", omittingEmptySubsequences: false) {
      guard let part = BenchmarkPart(rawValue: String(name)) else {
        throw .usage(
          "--only has no part '\(name)': use "
            + BenchmarkPart.allCases.map(\.rawValue).joined(separator: ", "))
      }
      chosen.insert(part)
    }
    return BenchmarkPart.allCases.filter(chosen.contains)
  }

  private func laneCounts() throws(PipelineError) -> [Int] {
    var counts: [Int] = []
    for word in lanes.split(separator: ",", omittingEmptySubsequences: false) {
      guard let count = Int(word), (1...4096).contains(count) else {
        throw .usage("--lanes must be numbers from 1 to 4096 with commas between, not '\(lanes)'")
      }
      counts.append(count)
    }
    return counts
  }

  /// As ArgumentParser's, but a mistake in the arguments is one line on stderr.
  static func main() {
    requireInstructionSets("paeinvert-bench")
    signal(SIGPIPE, SIG_IGN)
    do {
      var command = try parseAsRoot()
      try command.run()
    } catch {
      guard exitCode(for: error) != .success else { exit(withError: error) }
      let line = message(for: error).split(whereSeparator: \.isNewline)
        .map { $0.trimmingCharacters(in: .whitespaces) }.joined(separator: " ")
        .trimmingCharacters(in: ["."])
      StandardStreams.note("\(line); see paeinvert-bench --help")
      Foundation.exit(64)
    }
  }
}

extension SolveOptions.Space: ExpressibleByArgument {}
