import Foundation
import ImageFiles
import Logging
import PAEInversion
import Problems
import Synchronization

/// What a command says and how it ends: results on stdout, all else on stderr.
struct Console {
  let isQuiet: Bool
  let isVerbose: Bool
  let usesColor: Bool
  private let logger: Logger

  init(quiet: Bool, verbose: Bool, noColor: Bool) {
    isQuiet = quiet
    isVerbose = verbose
    usesColor =
      !noColor && isatty(STDERR_FILENO) == 1
      && ProcessInfo.processInfo.environment["NO_COLOR"] == nil
    var logger = Logger(label: "paeinvert") { _ in StandardErrorHandler() }
    logger.logLevel = quiet ? .error : verbose ? .debug : .warning
    self.logger = logger
    Interruption.install()
  }

  /// Runs a command's work; an error becomes one line on stderr and its exit code.
  func run(_ work: () throws -> Int32) -> Never {
    do {
      let status = try work()
      exit(status)
    } catch {
      clearProgress()
      let error = PipelineError(error)
      logger.error("\(error.description)")
      UnfinishedOutput.removeAll()
      exit(error.exitCode)
    }
  }

  func warn(_ message: String) {
    clearProgress()
    logger.warning("\(message)")
  }

  /// A line on stderr that is no warning.
  func note(_ message: String) { standardError(message + "\n") }

  func debug(_ message: String) { logger.debug("\(message)") }

  /// Results; a failure to write them all is an I/O failure.
  func output(_ text: String) throws {
    var bytes = Array(text.utf8)[...]
    while !bytes.isEmpty {
      let written = bytes.withUnsafeBytes { write(STDOUT_FILENO, $0.baseAddress, $0.count) }
      if written < 0 && errno == EINTR { continue }
      guard written > 0 else {
        throw PipelineError(
          "writing to standard output failed: \(String(cString: strerror(errno)))", exitCode: 74)
      }
      bytes = bytes.dropFirst(written)
    }
  }

  /// One line that is written over, on a terminal only.
  func progress(_ line: @autoclosure () -> String) {
    guard !isQuiet, isatty(STDERR_FILENO) == 1 else { return }
    standardError("\r\u{1B}[K" + line())
  }

  func clearProgress() {
    guard !isQuiet, isatty(STDERR_FILENO) == 1 else { return }
    standardError("\r\u{1B}[K")
  }

  /// `text` in green or red where colours are wanted.
  func colored(_ text: String, good: Bool) -> String {
    usesColor ? "\u{1B}[\(good ? 32 : 31)m\(text)\u{1B}[0m" : text
  }
}

/// Bytes to stderr; nothing can be done when that fails.
private func standardError(_ text: String) {
  _ = Array(text.utf8).withUnsafeBytes { write(STDERR_FILENO, $0.baseAddress, $0.count) }
}

/// Log lines without times: "warning: …", else "paeinvert: …".
private struct StandardErrorHandler: LogHandler {
  var logLevel = Logger.Level.info
  var metadata: Logger.Metadata = [:]

  subscript(metadataKey key: String) -> Logger.Metadata.Value? {
    get { metadata[key] }
    set { metadata[key] = newValue }
  }

  func log(event: LogEvent) {
    let word =
      switch event.level {
      case .error, .critical: "paeinvert: "
      case .warning: "warning: "
      default: "paeinvert: note: "
      }
    standardError("\(word)\(event.message)\n")
  }
}

/// Ends the process with 130, 143 or 129 on SIGINT, SIGTERM or SIGHUP after removing what is half-written.
///
/// One thread waits on a pipe and cleans up; a handler wakes it. The threads that compute block the
/// signals: with the handler free to run on them, four interruptions in a hundred ended in a damaged
/// heap on a busy machine. OpenBLAS begins threads before `main` that block nothing, so sigwait alone
/// would leave the signals to their default, and a dispatch source lost one in a few hundred.
enum Interruption {
  /// The pipe's writing end; set before the handler, which only reads it.
  nonisolated(unsafe) private static var wakeUp: Int32 = -1

  private static let caught = [SIGINT, SIGTERM, SIGHUP]

  private static let advice = Mutex<(text: String, file: String)?>(nil)

  /// Sets what to say after an interruption where `file` is there: how to go on.
  static func advise(_ text: String, whenThereIs file: String) {
    advice.withLock { $0 = (text, file) }
  }

  /// Call once, from the main thread, before there are workers: they inherit what it blocks.
  static func install() {
    signal(SIGPIPE, SIG_IGN)
    // A limit on the size of files is then a failed write, like a full disk.
    signal(SIGXFSZ, SIG_IGN)
    var ends: [Int32] = [-1, -1]
    guard pipe(&ends) == 0 else { return }
    let reader = ends[0]
    wakeUp = ends[1]
    var signals = sigset_t()
    sigemptyset(&signals)
    for number in caught { sigaddset(&signals, number) }
    pthread_sigmask(SIG_BLOCK, &signals, nil)
    Thread.detachNewThread { [signals] in
      var signals = signals
      pthread_sigmask(SIG_UNBLOCK, &signals, nil)
      var number: UInt8 = 0
      while read(reader, &number, 1) != 1 {}
      UnfinishedOutput.removeAll()
      // Whoever reads standard error may have stopped; that must not keep this process.
      var errors = pollfd(fd: STDERR_FILENO, events: Int16(POLLOUT), revents: 0)
      if let (text, file) = advice.withLock({ $0 }), access(file, F_OK) == 0,
        poll(&errors, 1, 0) == 1, errors.revents & Int16(POLLOUT) != 0
      {
        standardError("paeinvert: interrupted; \(text)\n")
      }
      _exit(128 + Int32(number))
    }
    var action = sigaction()
    action.sa_flags = SA_RESTART
    action.__sigaction_handler.sa_handler = { number in
      let before = errno
      var byte = UInt8(truncatingIfNeeded: number)
      _ = write(Interruption.wakeUp, &byte, 1)
      errno = before
    }
    for number in caught { sigaction(number, &action, nil) }
  }
}
