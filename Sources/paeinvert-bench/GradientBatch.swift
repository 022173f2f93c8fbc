import Flows
import Inversion
import Likelihoods
import Maps
import Probability
import Randomness
import Tensors
import Workers

/// Many gradients that are computed together.
protocol GradientBatch {
  var lanes: Int { get }
  /// Floating-point operations of the matrix products of all lanes, a multiply-add counted as two.
  var operations: Double { get }
  /// Computes them once, on all workers.
  func evaluate()
}

/// ln p(z, y) and its gradient in z, as the sampler asks for them by default: each lane at a prior
/// draw of its own, the data a prior picture with noise of σ = 0.1, every pixel measured.
struct PosteriorGradients: GradientBatch {
  let lanes: Int
  let operations: Double
  private let blocks: [PosteriorBlock]
  private let pool: WorkerPool

  init(_ model: PAEModel, lanes: Int, settings: BenchmarkSettings) throws {
    self.lanes = lanes
    pool = settings.pool
    operations =
      4 * Double(lanes) * Double(model.decoder.multiplyAdds + model.flow.multiplyAdds)
    let (count, rows) = settings.blocks(lanes: lanes)
    let codes = try model.priorCodes(count * rows)
    let picture = try model.pictures(of: codes.prefix(model.latentDimension))
    var stream = RandomKey(seed: 1).child("benchmark noise").stream()
    let data = picture.map { $0 + 0.1 * Float(stream.normal()) }
    let posterior = ImagePosterior(
      generator: model.decoder, flow: model.flow,
      problems: [
        PixelData(
          values: data, kinds: PixelData.kinds(of: data, censored: false),
          extraVariances: model.residualVariances)
      ], noiseLevel: .known([0.1]))
    let width = rows * model.latentDimension
    blocks = try (0..<count).map { block in
      PosteriorBlock(
        evaluator: try posterior.makeEvaluator(problems: Array(repeating: 0, count: rows)),
        positions: codes[block * width..<(block + 1) * width].map { Double($0) }, rows: rows)
    }
  }

  func evaluate() { pool.run(blocks.count) { blocks[$0].evaluate() } }
}

/// One worker's lanes.
private final class PosteriorBlock {
  private let evaluator: any LogDensityEvaluator
  private let positions: [Double]
  private var values: [Double]
  private var gradients: [Double]

  init(evaluator: any LogDensityEvaluator, positions: [Double], rows: Int) {
    self.evaluator = evaluator
    self.positions = positions
    values = [Double](repeating: 0, count: rows)
    gradients = positions
  }

  func evaluate() {
    Self.evaluate(evaluator, positions, &values, &gradients)
  }

  private static func evaluate(
    _ evaluator: any LogDensityEvaluator, _ positions: [Double], _ values: inout [Double],
    _ gradients: inout [Double]
  ) {
    var valueSpan = values.mutableSpan
    var gradientSpan = gradients.mutableSpan
    evaluator.evaluate(positions.span, values: &valueSpan, gradients: &gradientSpan)
  }
}

/// x = g(z) and Jᵀ dx of the decoder alone.
struct DecoderGradients: GradientBatch {
  let lanes: Int
  let operations: Double
  private let blocks: [DecoderBlock]
  private let pool: WorkerPool

  init(_ model: PAEModel, lanes: Int, settings: BenchmarkSettings) throws {
    self.lanes = lanes
    pool = settings.pool
    operations = 4 * Double(lanes) * Double(model.decoder.multiplyAdds)
    let (count, rows) = settings.blocks(lanes: lanes)
    let codes = try model.priorCodes(count * rows)
    let width = rows * model.latentDimension
    blocks = try (0..<count).map { block in
      DecoderBlock(
        plan: try model.decoder.makePlan(lanes: rows),
        codes: Array(codes[block * width..<(block + 1) * width]),
        pixels: rows * model.decoder.codomain.count)
    }
  }

  func evaluate() { pool.run(blocks.count) { blocks[$0].evaluate() } }
}

/// One worker's lanes.
private final class DecoderBlock {
  private let plan: any MapPlan
  private let codes: FloatBuffer
  private let gradients: FloatBuffer
  private let images: FloatBuffer

  init(plan: any MapPlan, codes: [Float], pixels: Int) {
    self.plan = plan
    self.codes = FloatBuffer(codes)
    gradients = FloatBuffer(codes.count)
    images = FloatBuffer(pixels)
  }

  func evaluate() {
    var imageSpan = images.buffer.mutableSpan
    plan.apply(codes.buffer.span, into: &imageSpan)
    var gradientSpan = gradients.buffer.mutableSpan
    // The picture serves as its own cotangent.
    plan.vjp(images.buffer.span, into: &gradientSpan)
  }
}

extension PAEModel {
  /// z = T(u) of `count` draws u ~ N(0, I); count × K.
  func priorCodes(_ count: Int) throws -> [Float] {
    var stream = RandomKey(seed: 1).child("benchmark codes").stream()
    let base = stream.normals(count * latentDimension).map { Float($0) }
    var codes = base
    var span = codes.mutableSpan
    try flow.generator.makePlan(lanes: count).apply(base.span, into: &span)
    return codes
  }

  /// The decoder's picture of one code.
  fileprivate func pictures(of code: ArraySlice<Float>) throws -> [Float] {
    var image = [Float](repeating: 0, count: decoder.codomain.count)
    var span = image.mutableSpan
    try decoder.makePlan(lanes: 1).apply(Array(code).span, into: &span)
    return image
  }
}
