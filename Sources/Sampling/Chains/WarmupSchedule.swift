/// When a warmup adapts what. Iterations are counted from 0.
///
/// First the chains find the typical set (15 %, at most 75 iterations), then the metric is estimated
/// from windows that double in length, last the step size settles under the final metric (15 %, at most
/// 50). The scheme is Stan's (reference manual, "HMC algorithm parameters"); shares instead of fixed
/// lengths keep it whole for short warmups, and since windows are pooled over chains and start from a
/// supplied metric, short ones suffice.
package struct WarmupSchedule: Equatable {
  package let length: Int
  /// Draws of these iterations estimate the metric; the last one of each range ends a window.
  package let windows: [Range<Int>]

  /// - Precondition: `length` ≥ 0.
  package init(length: Int) {
    precondition(length >= 0)
    self.length = length
    let start = min(75, length * 15 / 100)
    let end = length - min(50, length * 15 / 100)
    var windows: [Range<Int>] = []
    var lower = start
    var size = max(5, min(25, (end - start) / 8))
    while lower + size <= end && length >= 20 {
      // A next window that would not fit whole is joined to this one.
      let upper = lower + 3 * size > end ? end : lower + size
      windows.append(lower..<upper)
      lower = upper
      size *= 2
    }
    self.windows = windows
  }

  /// Iterations for the step size to settle once the metric has: the schedule's own last ones, less
  /// with many chains, whose mean is as good after fewer.
  package func finalLength(chains: Int) -> Int {
    min(length - (windows.last?.upperBound ?? 0), max(20, 320 / max(1, chains)))
  }

  package func collects(_ iteration: Int) -> Bool {
    windows.contains { $0.contains(iteration) }
  }

  package func endsWindow(_ iteration: Int) -> Bool {
    windows.contains { $0.upperBound == iteration + 1 }
  }
}
