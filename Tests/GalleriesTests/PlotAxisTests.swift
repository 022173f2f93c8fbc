import Testing

@testable import Galleries

@Suite struct PlotAxisTests {
  // Seen to fail: steps of 3; a label of too few decimals; the last tick left out.
  @Test(
    "ticks are round numbers within the axis",
    arguments: [
      (0, 10, ["0", "2", "4", "6", "8", "10"]),
      (-0.31, 0.29, ["-0.3", "-0.2", "-0.1", "0.0", "0.1", "0.2"]),
      (-456, -123, ["-400", "-300", "-200"]),
      (1, 1.0131, ["1.000", "1.002", "1.004", "1.006", "1.008", "1.010", "1.012"]),
    ] as [(Double, Double, [String])])
  func ticks(_ low: Double, _ high: Double, _ labels: [String]) {
    let count = high == 1.0131 ? 7 : 6
    #expect(PlotAxis(low, high, start: 0, end: 1).ticks(count).map(\.label) == labels)
  }

  @Test("an axis runs from its first pixel to its last, whatever is put on it")
  func pixel() {
    let axis = PlotAxis(of: [2, .nan, 6, .infinity], start: 100, end: 0)
    #expect((axis.low, axis.high) == (2, 6))
    #expect([2, 3, 6, 7, -9].map(axis.pixel) == [100, 75, 0, 0, 100])
  }

  // Seen to fail: no room made about a single value.
  @Test("one value, or none, makes an axis all the same", arguments: [[4, 4], [0], [], [.nan]])
  func degenerate(_ values: [Double]) {
    let axis = PlotAxis(of: values, start: 0, end: 10)
    #expect(axis.low < axis.high)
    if let value = values.first, value.isFinite { #expect(axis.pixel(value) == 5) }
    #expect(!axis.ticks(4).isEmpty)
  }
}
