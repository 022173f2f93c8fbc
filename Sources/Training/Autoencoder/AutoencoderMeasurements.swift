import Maps
import Networks
import Numerics
import Tensors
import Workers

/// What an autoencoder does to a set of pictures, measured in blocks by all workers.
package struct AutoencoderMeasurements {
  /// n × K, row-major.
  package let codes: [Float]
  /// Mean squared error per pixel of each picture.
  package let pictureErrors: [Double]
  /// x − g(e(x)), n × P row-major; empty unless asked for.
  package let residuals: [Float]
  /// g(e(x)), n × P row-major; empty unless residuals are asked for.
  package let reconstructions: [Float]

  /// Mean squared error per pixel over all pictures.
  package var meanSquaredError: Double {
    accurateSum(pictureErrors) / Double(max(pictureErrors.count, 1))
  }

  static let lanes = 50

  /// - Parameter keepsResiduals: whether `residuals` and `reconstructions` are wanted, n × P numbers.
  package init(
    _ images: any ImageSource, encoder: Network, decoder: Network, keepsResiduals: Bool = false,
    pool: WorkerPool
  ) throws(PlanError) {
    let latent = encoder.codomain.count
    let pixels = images.shape.count
    let count = images.count
    let blocks = (count + Self.lanes - 1) / Self.lanes
    var workers: [MeasuringWorker] = []
    for _ in 0..<min(pool.threads, max(blocks, 1)) {
      workers.append(try MeasuringWorker(encoder: encoder, decoder: decoder, lanes: Self.lanes))
    }
    let codes = FloatBuffer(count * latent)
    let residuals = FloatBuffer(keepsResiduals ? count * pixels : 0)
    let reconstructions = FloatBuffer(residuals.count)
    let errors = UnsafeMutableBufferPointer<Double>.allocate(capacity: count)
    defer { errors.deallocate() }
    errors.initialize(repeating: 0)
    // Blocks are dealt to workers in turn; each writes its own elements.
    nonisolated(unsafe) let errorsOut = errors
    pool.run(workers.count) { [workers] index in
      for block in stride(from: index, to: blocks, by: workers.count) {
        let first = block * Self.lanes
        workers[index].run(
          images, first: first, count: min(Self.lanes, count - first),
          codes: codes.pointer + first * latent, errors: errorsOut.baseAddress! + first,
          residuals: keepsResiduals ? residuals.pointer + first * pixels : nil,
          reconstructions: keepsResiduals ? reconstructions.pointer + first * pixels : nil)
      }
    }
    self.codes = codes.array
    self.residuals = residuals.array
    self.reconstructions = reconstructions.array
    pictureErrors = Array(errors)
  }
}

private final class MeasuringWorker {
  private let encoder: any MapPlan
  private let decoder: any MapPlan
  private let pixels: Int
  private let latent: Int
  private let images: FloatBuffer
  private let codes: FloatBuffer
  private let outputs: FloatBuffer

  init(encoder: Network, decoder: Network, lanes: Int) throws(PlanError) {
    self.encoder = try encoder.makePlan(lanes: lanes)
    self.decoder = try decoder.makePlan(lanes: lanes)
    pixels = encoder.domain.count
    latent = encoder.codomain.count
    images = FloatBuffer(lanes * pixels)
    outputs = FloatBuffer(lanes * pixels)
    codes = FloatBuffer(lanes * latent)
  }

  func run(
    _ source: any ImageSource, first: Int, count: Int, codes codesOut: UnsafeMutablePointer<Float>,
    errors: UnsafeMutablePointer<Double>, residuals: UnsafeMutablePointer<Float>?,
    reconstructions: UnsafeMutablePointer<Float>?
  ) {
    for lane in 0..<count { source.copy(first + lane, into: images.pointer + lane * pixels) }
    var codeSpan = codes.buffer.mutableSpan
    encoder.apply(images.buffer.span, into: &codeSpan)
    var outputSpan = outputs.buffer.mutableSpan
    decoder.apply(codes.buffer.span, into: &outputSpan)
    codesOut.update(from: codes.pointer, count: count * latent)
    for lane in 0..<count {
      var sum = 0.0
      for pixel in 0..<pixels {
        let index = lane * pixels + pixel
        let difference = Double(images.pointer[index]) - Double(outputs.pointer[index])
        sum += difference * difference
        residuals?[index] = Float(difference)
        reconstructions?[index] = outputs.pointer[index]
      }
      errors[lane] = sum / Double(pixels)
    }
  }
}
