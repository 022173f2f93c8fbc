import Flows
import ImageFiles
import Maps
import Tensors
import Workers

/// Part `flow`: the flow's value and log-determinant, its gradient, and its inverse, for 64 codes in
/// blocks on all workers.
enum FlowBenchmark {
  static let lanes = 64

  static func run(_ settings: BenchmarkSettings, model: BenchmarkModel) throws -> BenchmarkSection {
    let (count, rows) = settings.blocks(lanes: lanes)
    let codes = try model.model.priorCodes(count * rows)
    let width = rows * model.model.latentDimension
    let blocks = try (0..<count).map { block in
      try FlowBlock(
        model.model.flow, codes: Array(codes[block * width..<(block + 1) * width]), rows: rows)
    }
    let work: [(String, (FlowBlock) -> Void)] = [
      ("value", { $0.evaluate() }), ("gradient", { $0.differentiate() }),
      ("inverse", { $0.generate() }),
    ]
    var table = Table(["operation", "lanes", "per second"])
    var json: [JSONText] = []
    for (name, operation) in work {
      let seconds = settings.stopwatch.secondsPerRun {
        settings.pool.run(blocks.count) { operation(blocks[$0]) }
      }
      let rates = Spread(seconds.map { Double(lanes) / $0 })
      table.rows.append([name, "\(lanes)", rates.text])
      json.append(
        .object(
          [("operation", .string(name)), ("lanes", .integer(lanes))]
            + rates.members("per_second")))
    }
    return BenchmarkSection(
      part: .flow,
      title: "flow of \(model.name), codes a second: value with log-determinant; value and "
        + "gradient of ln p(z); inverse",
      table: table, json: .array(json))
  }
}

/// One worker's codes.
private final class FlowBlock {
  private let normalizing: any NormalizingPlan
  private let generating: any MapPlan
  private let codes: FloatBuffer
  private let base: FloatBuffer
  private let gradients: FloatBuffer
  private let logDeterminants: FloatBuffer
  private let ones: FloatBuffer

  init(_ flow: NormalizingFlow, codes: [Float], rows: Int) throws {
    normalizing = try flow.makeNormalizingPlan(lanes: rows)
    generating = try flow.generator.makePlan(lanes: rows)
    self.codes = FloatBuffer(codes)
    base = FloatBuffer(codes.count)
    gradients = FloatBuffer(codes.count)
    logDeterminants = FloatBuffer(rows)
    ones = FloatBuffer([Float](repeating: 1, count: rows))
    // Base variables for the inverse, in case it is measured alone.
    evaluate()
  }

  /// u = f(z) and ln|det ∂f/∂z|.
  func evaluate() {
    var baseSpan = base.buffer.mutableSpan
    var determinantSpan = logDeterminants.buffer.mutableSpan
    normalizing.apply(codes.buffer.span, into: &baseSpan, logDeterminants: &determinantSpan)
  }

  /// The same, and a gradient; u stands for its cotangent −u, which costs the same.
  func differentiate() {
    evaluate()
    var gradientSpan = gradients.buffer.mutableSpan
    normalizing.vjp(base.buffer.span, ones.buffer.span, into: &gradientSpan)
  }

  /// z = T(u).
  func generate() {
    var span = gradients.buffer.mutableSpan
    generating.apply(base.buffer.span, into: &span)
  }
}
