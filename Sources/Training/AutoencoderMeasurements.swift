import Maps
import Networks
import Tensors
import Workers

/// What an autoencoder does to a set of pictures, measured in blocks by all workers.
package struct AutoencoderMeasurements {
  /// n × K, row-major.
  package let codes: [Float]
  /// Mean squared error per pixel of each picture.
  package let pictureErrors: [Double]
  /// Mean squared error of each pixel over the pictures, row-major C×H×W.
  package let pixelErrors: [Double]

  /// Mean squared error per pixel over all pictures.
  package var meanSquaredError: Double {
    accurateSum(pictureErrors) / Double(max(pictureErrors.count, 1))
  }

  static let lanes = 50

  package init(
    _ images: any ImageSource, encoder: Network, decoder: Network, pool: WorkerPool
  ) throws(PlanError) {
    let latent = encoder.codomain.count
    let pixels = images.shape.count
    let count = images.count
    let blocks = (count + Self.lanes - 1) / Self.lanes
    // Pixel sums in a fixed number of parts, merged in order: the same for any number of threads.
    let parts = min(16, max(blocks, 1))
    var workers: [MeasuringWorker] = []
    for _ in 0..<min(pool.threads, parts) {
      workers.append(try MeasuringWorker(encoder: encoder, decoder: decoder, lanes: Self.lanes))
    }
    let codes = FloatBuffer(count * latent)
    let errors = UnsafeMutableBufferPointer<Double>.allocate(capacity: count)
    let pixelSums = UnsafeMutableBufferPointer<Double>.allocate(capacity: parts * pixels)
    defer {
      errors.deallocate()
      pixelSums.deallocate()
    }
    errors.initialize(repeating: 0)
    pixelSums.initialize(repeating: 0)
    // Parts are dealt to workers in turn; each block writes its own elements.
    nonisolated(unsafe) let (errorsOut, sumsOut) = (errors, pixelSums)
    pool.run(workers.count) { [workers] index in
      for part in stride(from: index, to: parts, by: workers.count) {
        for block in stride(from: part, to: blocks, by: parts) {
          let first = block * Self.lanes
          workers[index].run(
            images, first: first, count: min(Self.lanes, count - first),
            codes: codes.pointer + first * latent, errors: errorsOut.baseAddress! + first,
            pixelSums: sumsOut.baseAddress! + part * pixels)
        }
      }
    }
    self.codes = codes.array
    pictureErrors = Array(errors)
    pixelErrors = (0..<pixels).map { pixel in
      (0..<parts).reduce(0) { $0 + pixelSums[$1 * pixels + pixel] } / Double(max(count, 1))
    }
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
    errors: UnsafeMutablePointer<Double>, pixelSums: UnsafeMutablePointer<Double>
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
        let difference = Double(outputs.pointer[index]) - Double(images.pointer[index])
        sum += difference * difference
        pixelSums[pixel] += difference * difference
      }
      errors[lane] = sum / Double(pixels)
    }
  }
}
