import Foundation
import Training

/// What some work took.
struct Elapsed {
  /// Wall time.
  var seconds = 0.0
  /// Processor time of all threads of this process: on a machine shared with others it tells more.
  var coreSeconds = 0.0

  init(_ work: () throws -> Void) rethrows {
    let start = Instant()
    try work()
    self = Instant().elapsed(since: start)
  }

  private init(seconds: Double, coreSeconds: Double) {
    self.seconds = seconds
    self.coreSeconds = coreSeconds
  }

  /// A reading of both clocks.
  struct Instant {
    private let wall = ContinuousClock.now
    private let core: Double

    init() {
      var time = timespec()
      clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &time)
      core = Double(time.tv_sec) + 1e-9 * Double(time.tv_nsec)
    }

    func elapsed(since start: Instant) -> Elapsed {
      Elapsed(seconds: (wall - start.wall).inSeconds, coreSeconds: core - start.core)
    }
  }
}
