/// Times work that is too short for one reading of the clock, again and again.
struct Stopwatch {
  /// Measurements of each quantity.
  let repeats: Int
  /// Least length of one measurement, seconds.
  let seconds: Double

  /// How often `work` must run to last `seconds`; runs it at least twice, which also warms it up.
  func iterations(_ work: () -> Void) -> Int {
    work()
    var count = 1
    while true {
      let elapsed = Elapsed { for _ in 0..<count { work() } }.seconds
      if elapsed >= seconds { return count }
      let wanted = Double(count) * seconds / max(elapsed, 1e-9)
      if elapsed >= 0.2 * seconds { return Int(wanted.rounded(.up)) }
      count = max(2 * count, Int(0.3 * wanted))
    }
  }

  /// Seconds that one run of `work` takes, measured `repeats` times.
  func secondsPerRun(_ work: () -> Void) -> [Double] {
    let count = iterations(work)
    return (0..<repeats).map { _ in
      Elapsed { for _ in 0..<count { work() } }.seconds / Double(count)
    }
  }
}
