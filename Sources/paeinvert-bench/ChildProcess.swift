import Foundation
import PAEInversion
import Problems

/// A program run to its end, its output thrown away.
struct ChildProcess {
  /// Wall time from its creation to its end.
  let seconds: Double
  /// Largest resident memory in bytes, at least that of this process when it was created.
  let peakMemory: Double

  /// - Throws: `PipelineError.internal` when it cannot be run or ends with another status than 0.
  init(_ program: String, _ arguments: [String]) throws(PipelineError) {
    var actions = posix_spawn_file_actions_t()
    posix_spawn_file_actions_init(&actions)
    defer { posix_spawn_file_actions_destroy(&actions) }
    posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0)
    for descriptor: Int32 in [1, 2] {
      posix_spawn_file_actions_addopen(&actions, descriptor, "/dev/null", O_WRONLY, 0)
    }
    let words = ([program] + arguments).map { strdup($0) } + [nil]
    defer { for word in words { free(word) } }
    let start = ContinuousClock.now
    var child: pid_t = 0
    let failure = posix_spawn(&child, program, &actions, nil, words, environ)
    guard failure == 0 else {
      throw .internal("\(program) cannot be run: \(String(cString: strerror(failure)))")
    }
    var (status, usage) = (Int32(0), rusage())
    while wait4(child, &status, 0, &usage) < 0 && errno == EINTR {}
    seconds = (ContinuousClock.now - start).inSeconds
    guard status == 0 else {
      throw .internal(
        "\(([program] + arguments).joined(separator: " ")) failed; run it to see why")
    }
    // Linux counts it in KiB.
    peakMemory = Double(usage.ru_maxrss) * 1024
  }
}
