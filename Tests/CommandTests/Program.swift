import Foundation
import Testing

/// The built programs, run as processes of their own.
enum Program {
  static let path = path(of: "paeinvert")

  /// Beside the test bundle, which runs this code.
  static func path(of name: String) -> String {
    var directory = URL(fileURLWithPath: "/proc/self/exe").resolvingSymlinksInPath()
    while directory.path != "/" {
      directory.deleteLastPathComponent()
      let candidate = directory.appendingPathComponent(name).path
      var isDirectory: ObjCBool = false
      if FileManager.default.fileExists(atPath: candidate, isDirectory: &isDirectory),
        !isDirectory.boolValue
      {
        return candidate
      }
    }
    Issue.record("no \(name) beside the test bundle: build it first")
    return "/nonexistent/\(name)"
  }

  /// Root of the checkout.
  static let checkout = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
    .deletingLastPathComponent().deletingLastPathComponent().path

  /// The shipped default model.
  static let defaultModel = checkout + "/data/models/fashion-mnist.safetensors"

  /// Runs to the end in `folder`.
  static func run(
    _ arguments: [String], program: String = Program.path, in folder: TemporaryFolder,
    input: String = "/dev/null", output: String? = nil, setup: String = ""
  ) throws -> Outcome {
    try RunningProgram(
      arguments, program: program, in: folder, input: input, output: output, setup: setup
    ).wait()
  }
}

/// How a process ended and what it said.
struct Outcome {
  /// The exit code, or 1000 + the signal that ended it.
  let status: Int
  let output: String
  let errors: String
}

/// A process under way; its standard streams are files, so that nothing blocks.
final class RunningProgram {
  let identifier: pid_t
  private let streams = TemporaryFolder()
  private let outputPath: String

  /// - Parameters:
  ///   - input: file read as standard input.
  ///   - output: file written as standard output, instead of one of ours.
  ///   - errors: descriptor that standard error goes to, instead of a file of ours.
  ///   - setup: shell commands before the program, such as `ulimit -f 1`.
  init(
    _ arguments: [String], program: String = Program.path, in folder: TemporaryFolder,
    input: String = "/dev/null", output: String? = nil, errors: Int32? = nil, setup: String = ""
  ) throws {
    outputPath = output ?? streams.path + "/out"
    // Thirty seconds of processor time bound every run: a sanity bound, not a timing.
    let script = "ulimit -t 30\ncd \"$1\" && shift\n\(setup)\nexec \"$0\" \"$@\""
    let words = ["/bin/sh", "-c", script, program, folder.path]
    var environment = ProcessInfo.processInfo.environment
    environment["PAEINVERT_MODELS"] = Program.checkout + "/data/models"
    environment["PAEINVERT_DATASETS"] = nil
    let argumentList = (words + arguments).map { strdup($0) } + [nil]
    let environmentList = environment.map { strdup("\($0.key)=\($0.value)") } + [nil]
    defer { for pointer in argumentList + environmentList { free(pointer) } }
    var actions = posix_spawn_file_actions_t()
    posix_spawn_file_actions_init(&actions)
    defer { posix_spawn_file_actions_destroy(&actions) }
    posix_spawn_file_actions_addopen(&actions, 0, input, O_RDONLY, 0)
    posix_spawn_file_actions_addopen(&actions, 1, outputPath, O_WRONLY | O_CREAT, 0o600)
    if let errors {
      posix_spawn_file_actions_adddup2(&actions, errors, 2)
    } else {
      posix_spawn_file_actions_addopen(
        &actions, 2, streams.path + "/err", O_WRONLY | O_CREAT, 0o600)
    }
    // Whatever this thread blocks or ignores, a command begun from a shell does not.
    var attributes = posix_spawnattr_t()
    posix_spawnattr_init(&attributes)
    defer { posix_spawnattr_destroy(&attributes) }
    var signals = sigset_t()
    sigemptyset(&signals)
    for signal in [SIGINT, SIGTERM, SIGHUP, SIGPIPE, SIGXFSZ] { sigaddset(&signals, signal) }
    posix_spawnattr_setsigdefault(&attributes, &signals)
    var none = sigset_t()
    sigemptyset(&none)
    posix_spawnattr_setsigmask(&attributes, &none)
    posix_spawnattr_setflags(
      &attributes, Int16(POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETSIGMASK))
    var child: pid_t = 0
    try #require(
      posix_spawn(&child, "/bin/sh", &actions, &attributes, argumentList, environmentList) == 0)
    identifier = child
  }

  func wait() -> Outcome {
    var status: Int32 = 0
    while waitpid(identifier, &status, 0) < 0 && errno == EINTR {}
    let signal = Int(status & 0x7F)
    return Outcome(
      status: signal == 0 ? Int(status >> 8 & 0xFF) : 1000 + signal,
      output: outputPath.hasPrefix("/dev/") ? "" : text(outputPath),
      errors: text(streams.path + "/err"))
  }

  func send(_ signal: Int32) { kill(identifier, signal) }

  /// Waits for `condition`; false when the process ended before.
  func wait(until condition: () -> Bool) -> Bool {
    while !condition() {
      var info = siginfo_t()
      // Looks without reaping.
      waitid(P_PID, id_t(identifier), &info, WEXITED | WNOHANG | WNOWAIT)
      if info.si_signo != 0 { return condition() }
      usleep(2000)
    }
    return true
  }

  private func text(_ path: String) -> String {
    String(decoding: FileManager.default.contents(atPath: path) ?? Data(), as: UTF8.self)
  }
}

/// A directory of its own for one test, removed with this object.
final class TemporaryFolder {
  let path: String

  init() {
    path = FileManager.default.temporaryDirectory.path + "/paeinvert-" + UUID().uuidString
    try! FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
  }

  deinit { try? FileManager.default.removeItem(atPath: path) }

  @discardableResult
  func put(_ name: String, _ bytes: [UInt8]) -> String {
    _ = FileManager.default.createFile(atPath: path + "/" + name, contents: Data(bytes))
    return name
  }

  func bytes(_ name: String) throws -> [UInt8] {
    [UInt8](try Data(contentsOf: URL(fileURLWithPath: path + "/" + name)))
  }

  func has(_ name: String) -> Bool { FileManager.default.fileExists(atPath: path + "/" + name) }

  /// Paths of everything below `directory`, hidden or not, sorted; directories end with a slash.
  func listing(_ directory: String = ".") -> [String] {
    let names = FileManager.default.enumerator(atPath: path + "/" + directory)?.compactMap {
      $0 as? String
    }
    return (names ?? []).map { name in
      var isDirectory: ObjCBool = false
      let isThere = FileManager.default.fileExists(
        atPath: "\(path)/\(directory)/\(name)", isDirectory: &isDirectory)
      return name + (isThere && isDirectory.boolValue ? "/" : "")
    }.sorted()
  }
}

/// Runs the program and expects the contract's way to fail: exit code `code`, one line on stderr that
/// holds all of `words`, nothing on stdout, and no file that was not there before.
func expectFailure(
  _ code: Int, _ words: [String], _ arguments: [String], in folder: TemporaryFolder,
  input: String = "/dev/null", output: String? = nil, setup: String = "",
  sourceLocation: SourceLocation = #_sourceLocation
) throws {
  let before = folder.listing()
  let outcome = try Program.run(
    arguments, in: folder, input: input, output: output, setup: setup)
  let what = Comment(rawValue: "\(arguments): \(outcome.status) \(outcome.errors)")
  #expect(outcome.status == code, what, sourceLocation: sourceLocation)
  let lines = outcome.errors.split(separator: "\n", omittingEmptySubsequences: false)
  #expect(lines.count == 2 && lines.last == "", what, sourceLocation: sourceLocation)
  #expect(outcome.errors.hasPrefix("paeinvert: "), what, sourceLocation: sourceLocation)
  for word in words {
    #expect(
      outcome.errors.localizedCaseInsensitiveContains(word), what, sourceLocation: sourceLocation)
  }
  #expect(outcome.output.isEmpty, what, sourceLocation: sourceLocation)
  #expect(folder.listing() == before, what, sourceLocation: sourceLocation)
}
