import Sampling
import Workers

/// What all parts share.
struct BenchmarkSettings {
  let pool: WorkerPool
  let stopwatch: Stopwatch
  /// Lanes of the gradient rows.
  let lanes: [Int]
  /// Lanes that one worker evaluates at a time; nil for the sampler's own choice.
  let lanesPerBlock: Int?

  var threads: Int { pool.threads }

  /// The blocks that `lanes` lanes are cut into for the workers: all of the same number of rows, as
  /// in the sampler, whose last block may hold idle rows. Fewer lanes than a block holds make one
  /// block of just these.
  func blocks(lanes: Int) -> (count: Int, rows: Int) {
    let rows = min(lanes, lanesPerBlock ?? LaneBatch.lanesPerBlock([lanes]))
    return ((lanes + rows - 1) / rows, rows)
  }
}
