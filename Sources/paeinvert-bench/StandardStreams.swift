import Foundation
import PAEInversion
import Problems

/// Results on stdout, all else on stderr.
enum StandardStreams {
  /// - Throws: `PipelineError` with exit code 74 when not all can be written.
  static func output(_ text: String) throws(PipelineError) {
    do {
      try FileHandle.standardOutput.write(contentsOf: Data(text.utf8))
    } catch {
      throw PipelineError("writing to standard output failed", exitCode: 74)
    }
  }

  static func note(_ line: String) {
    try? FileHandle.standardError.write(contentsOf: Data("paeinvert-bench: \(line)\n".utf8))
  }
}
