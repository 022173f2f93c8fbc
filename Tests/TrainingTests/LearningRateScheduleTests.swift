import Foundation
import Testing
import Training

@Suite struct LearningRateScheduleTests {
  private let schedule = LearningRateSchedule(
    peak: 0.5, warmupSteps: 4, totalSteps: 12, floor: 0.1)

  /// Seen to fail: step / warmupSteps, which begins with a rate of zero.
  @Test("the warm-up is linear and its last step has the peak rate")
  func warmup() {
    #expect((0..<4).map { schedule.rate(at: $0) } == [0.125, 0.25, 0.375, 0.5])
  }

  /// Seen to fail: the floor added to the whole cosine; the warm-up not subtracted.
  @Test("after it the rate falls by half a cosine from the peak to its floor and stays")
  func cosine() {
    #expect(schedule.rate(at: 4) == 0.5)
    // Half way: the mean of peak and floor.
    #expect(abs(schedule.rate(at: 8) - 0.5 * (0.5 + 0.05)) < 1e-15)
    #expect(abs(schedule.rate(at: 6) - (0.05 + 0.45 * 0.5 * (1 + 0.5.squareRoot()))) < 1e-15)
    #expect(abs(schedule.rate(at: 12) - 0.05) < 1e-15)
    #expect(abs(schedule.rate(at: 1_000_000) - 0.05) < 1e-15)
    let rates = (4...12).map { schedule.rate(at: $0) }
    #expect(zip(rates, rates.dropFirst()).allSatisfy { $0 > $1 })
  }

  @Test("a schedule without warm-up, or shorter than it, has positive finite rates")
  func extremes() {
    let plain = LearningRateSchedule(peak: 1, warmupSteps: 0, totalSteps: 1)
    #expect(plain.rate(at: 0) == 1)
    #expect(abs(plain.rate(at: 1) - 0.001) < 1e-15)
    let short = LearningRateSchedule(peak: 1, warmupSteps: 500, totalSteps: 3)
    for step in 0..<1000 {
      #expect(short.rate(at: step) > 0 && short.rate(at: step) <= 1)
    }
  }
}
