import Foundation
import Training

extension Console {
  /// What tells of a training: a line at the end of each epoch where standard error is a file, else one line
  /// that is written over five times a second.
  func training(_ line: @escaping (TrainingProgress) -> String) -> (TrainingProgress) -> Bool {
    var logged = ContinuousClock.now
    return { progress in
      let isEpochEnd = progress.step == progress.steps
      if isEpochEnd && !self.isQuiet && isatty(STDERR_FILENO) == 0 {
        self.note(line(progress))
      } else if ContinuousClock.now - logged > .milliseconds(200) {
        logged = .now
        self.progress(line(progress))
      }
      return true
    }
  }
}
