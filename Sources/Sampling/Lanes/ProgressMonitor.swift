/// Asks a progress closure at most ten times a second; remembers that it said stop.
struct ProgressMonitor {
  private let report: ((Progress) -> Bool)?
  private var last = ContinuousClock.now
  private(set) var stopped = false

  init(report: ((Progress) -> Bool)?) { self.report = report }

  mutating func keepGoing(_ progress: () -> Progress) -> Bool {
    guard let report, !stopped else { return !stopped }
    let now = ContinuousClock.now
    guard now - last >= .milliseconds(100) else { return true }
    last = now
    stopped = !report(progress())
    return !stopped
  }
}
