/// Runs the jobs of all chains on the one thread that drains it, in the order of their arrival.
///
/// Chains suspend only at gradients and meeting points, and only the draining thread resumes them, so
/// nothing here needs a lock: that confinement is what makes `@unchecked Sendable` true.
final class LaneExecutor: TaskExecutor, @unchecked Sendable {
  private var jobs: [UnownedJob] = []

  func enqueue(_ job: consuming ExecutorJob) {
    jobs.append(UnownedJob(job))
  }

  /// Runs until every chain is suspended or done.
  func drain() {
    let executor = asUnownedTaskExecutor()
    var next = 0
    while next < jobs.count {
      let job = jobs[next]
      next += 1
      job.runSynchronously(on: executor)
    }
    jobs.removeAll(keepingCapacity: true)
  }
}
