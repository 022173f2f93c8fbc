import Testing

@testable import Inversion

@Suite struct ScoreQuantilesTests {
  private func quantiles(
    _ pictures: Int = 7, changed: (inout [Float]) -> Void = { _ in }
  ) -> ScoreQuantiles {
    var values = ScoreQuantiles.quantiles(of: (0...200).map(Double.init))
    changed(&values)
    let rest = ScoreQuantiles.quantiles(of: [1, 2])
    return ScoreQuantiles(
      pictures: pictures, marginalPictures: 7, flow: rest, reconstruction: values, sum: rest,
      marginal: rest)
  }

  // Fails when: value i stands at i/n; the order of the values matters.
  @Test("quantiles are linear between the sorted values")
  func interpolation() {
    let values = ScoreQuantiles.quantiles(of: [30, 10, 20])
    #expect(values.count == 101 && values[0] == 10 && values[100] == 30)
    #expect(values[50] == 20 && abs(values[25] - 15) < 1e-5 && abs(values[75] - 25) < 1e-5)
    #expect(ScoreQuantiles.quantiles(of: [4]).allSatisfy { $0 == 4 })
  }

  // Fails when: a value between quantiles takes the lower one's; equal quantiles take the first; the ends run
  // beyond 0 and 100.
  @Test("percentiles invert quantiles")
  func percentiles() {
    let values = ScoreQuantiles.quantiles(of: (0...200).map(Double.init))
    for (value, percentile) in [
      (-1.0, 0.0), (0, 0), (1, 0.5), (50, 25), (137, 68.5), (200, 100), (201, 100),
      (-Double.infinity, 0),
    ] { #expect(ScoreQuantiles.percentile(of: value, in: values) == percentile) }
    let flat = [Float](repeating: 0, count: 51) + [Float](repeating: 1, count: 50)
    #expect(ScoreQuantiles.percentile(of: 0, in: flat) == 25)
    #expect(ScoreQuantiles.percentile(of: 0.5, in: flat) == 50.5)
  }

  // Fails when: any of the checks is dropped.
  @Test("what are no quantiles is refused")
  func faults() throws {
    #expect(quantiles().fault == nil)
    #expect(quantiles(0).fault?.contains("7 of 0 pictures") == true)
    #expect(quantiles { $0.removeLast() }.fault?.contains("100 of reconstruction") == true)
    #expect(quantiles { $0[3] = .nan }.fault?.contains("not finite") == true)
    #expect(quantiles { $0.swapAt(3, 4) }.fault?.contains("do not rise") == true)
    let model = try tinyModel()
    let kept = try model.withScores(quantiles())
    #expect(kept.description.scores == quantiles())
    #expect(throws: ModelError.self) { try model.withScores(quantiles(0)) }
    let file = kept.encodedFile()
    #expect(try PAEModel(file: file).description.scores == quantiles())
    #expect(try PAEModel(file: model.encodedFile()).description.scores == nil)
  }
}
