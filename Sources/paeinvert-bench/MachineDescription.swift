import Foundation
import ImageFiles
import Networks
import Numerics
import PAEInversion
import Problems
import Workers

/// Where and with what a run was measured.
struct MachineDescription {
  let processor: String
  let cores: Int
  let threads: Int
  /// Mean number of processes that ran or waited in the minute before the run; NaN when unknown.
  let load: Double

  init(threads: Int) {
    self.threads = threads
    cores = WorkerPool.availableProcessors
    let lines =
      (try? String(contentsOfFile: "/proc/cpuinfo", encoding: .utf8))?
      .split(separator: "\n") ?? []
    processor =
      lines.first { $0.hasPrefix("model name") }?.split(separator: ":").dropFirst().first
      .map { $0.trimmingCharacters(in: .whitespaces) } ?? "unknown"
    var loads = [0.0]
    load = getloadavg(&loads, 1) == 1 ? loads[0] : .nan
  }

  var text: String {
    "paeinvert-bench \(PAEInvert.version), oneDNN \(productLibraryVersion)\n"
      + "\(processor), \(cores) cores, \(threads) threads, load average "
      + String(format: "%.2f", load) + "\n"
  }

  var json: JSONText {
    .object([
      ("processor", .string(processor)), ("cores", .integer(cores)), ("threads", .integer(threads)),
      ("load_average", .number(load)), ("onednn", .string(productLibraryVersion)),
    ])
  }
}
