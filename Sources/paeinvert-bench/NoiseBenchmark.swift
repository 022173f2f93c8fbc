import ImageFiles
import Inversion
import Likelihoods
import Noise
import Numerics
import Operators
import Randomness
import Tensors

/// Part `noise`: log density and gradient of each noise model, called from one thread, time for each
/// datum. LAPACK, which the dense models call, may use threads of its own.
enum NoiseBenchmark {
  /// Residuals evaluated together.
  static let lanes = 16

  static func run(_ settings: BenchmarkSettings) throws -> BenchmarkSection {
    var table = Table(["noise", "grid", "data", "lanes", "ns a datum"])
    var json: [JSONText] = []
    func add(
      _ name: String, side: Int, count: Int, lanes: Int = NoiseBenchmark.lanes, _ work: () -> Void
    ) {
      let seconds = settings.stopwatch.secondsPerRun(work)
      let times = Spread(seconds.map { 1e9 * $0 / Double(lanes * count) })
      table.rows.append([name, "\(side)×\(side)", "\(count)", "\(lanes)", times.text])
      json.append(
        .object(
          [
            ("model", .string(name)), ("height", .integer(side)), ("width", .integer(side)),
            ("data", .integer(count)), ("lanes", .integer(lanes)),
          ] + times.members("nanoseconds_per_datum")))
    }
    for (name, isCensored) in [("white", false), ("white-censored", true)] {
      let work = whiteNoise(side: 28, isCensored: isCensored)
      add(name, side: 28, count: 28 * 28, work)
    }
    // A block of 64 chains on two cores.
    let (work, count) = try turned(side: 28, lanes: 32)
    add("stationary-masked-turned", side: 28, count: count, lanes: 32, work)
    for (name, side, model) in try models() {
      let work = try evaluation(of: model)
      add(name, side: side, count: model.dimension, work)
    }
    return BenchmarkSection(
      part: .noise,
      title: "noise: log density and gradient from one thread, lanes at once",
      table: table, json: .array(json))
  }

  /// What the solvers make of masked coloured noise with the default model's kind of residual: one
  /// matrix product there, independent data, one back.
  private static func turned(side: Int, lanes: Int) throws -> (() -> Void, Int) {
    let shape = Shape(1, side, side)
    var stream = RandomKey(seed: 1).child("benchmark turned").stream()
    let measurement = try GaussianMeasurement(
      forwardOperator: IdentityOperator(shape: shape),
      observed: (0..<shape.count).map { _ in stream.uniform() >= 0.25 },
      noise: NoiseShape(spatial: .stationary(try spectrum(side))),
      fixedVariances: [Float](repeating: 0, count: shape.count),
      residual: ResidualCovariance(variances: [Float](repeating: 0.005, count: shape.count)))
    let turned = try DiagonalizedMeasurement(
      measurement, level: .known(1), isScaleInferred: true)
    let plan = try turned.makeInstrument().makePlan(lanes: lanes)
    let data = turned.pixelData([Float](repeating: 0, count: shape.count))
    let images = stream.normals(lanes * shape.count).map { Float($0) }
    return (data.evaluation(of: images, lanes: lanes, sigma: 1, through: plan), turned.count)
  }

  private static func models() throws -> [(name: String, side: Int, model: any NoiseModel)] {
    var found: [(String, Int, any NoiseModel)] = []
    for side in [28, 256] {
      found.append(("diagonal", side, try DiagonalNoise.white(sigma: 0.1, dimension: side * side)))
    }
    for side in [28, 256] { found.append(("stationary", side, try stationary(side))) }
    for side in [28, 40] {
      // A hole in the middle, a third of each side long.
      let hole = side / 3..<2 * side / 3
      let observed = (0..<side * side).map {
        !(hole.contains($0 / side) && hole.contains($0 % side))
      }
      let all = [Bool](repeating: true, count: side * side)
      for (name, observed) in [("stationary-masked", observed), ("dense", all)] {
        let noise = try MaskedStationaryNoise(
          spectrum: spectrum(side), observed: observed, solver: .dense)
        found.append((name, side, noise))
      }
    }
    return found
  }

  private static func stationary(_ side: Int) throws -> StationaryNoise {
    StationaryNoise(spectrum: try spectrum(side))
  }

  private static func spectrum(_ side: Int) throws -> PowerSpectrum {
    try PowerSpectrum.power(exponent: 2, knee: 0.05, sigma: 0.1, height: side, width: side)
  }

  private static func evaluation(of model: any NoiseModel) throws -> () -> Void {
    let plan = try model.makePlan(lanes: lanes)
    var stream = RandomKey(seed: 1).child("benchmark residuals").stream()
    return plan.evaluation(of: stream.normals(lanes * model.dimension), lanes: lanes)
  }

  /// The posterior's own evaluator: white noise, every datum measured, or all at the ends of the range.
  private static func whiteNoise(side: Int, isCensored: Bool) -> () -> Void {
    let count = side * side
    var stream = RandomKey(seed: 1).child("benchmark data").stream()
    let means = stream.normals(lanes * count).map { 0.5 + 0.2 * Float($0) }
    let data = PixelData(
      values: (0..<count).map { isCensored ? Float($0 % 2) : 0.5 },
      kinds: (0..<count).map {
        isCensored ? ($0 % 2 == 0 ? .belowLow : .aboveHigh) : .measured
      }, extraVariances: [Float](repeating: 0.005, count: count))
    return data.evaluation(of: means, lanes: lanes, sigma: 0.1)
  }
}
