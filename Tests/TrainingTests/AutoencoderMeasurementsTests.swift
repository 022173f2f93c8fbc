import Maps
import Networks
import Numerics
import Randomness
import Tensors
import Testing
import Workers

@testable import Training

private struct Pictures: ImageSource {
  var roundingVariance: Float { 0 }
  var sources: [Int]? { nil }
  let shape: Shape
  let values: [Float]
  var count: Int { values.count / shape.count }
  func copy(_ index: Int, into target: UnsafeMutablePointer<Float>) {
    for element in 0..<shape.count { target[element] = values[index * shape.count + element] }
  }
}

@Suite struct AutoencoderMeasurementsTests {
  // 120 pictures are two blocks of 50 and a part of one. Fails when: the residual is g(e(x)) − x.
  @Test("residuals are the pictures less what the decoder makes of their codes")
  func residuals() throws {
    let shape = Shape(1, 3, 4)
    var stream = RandomKey(seed: 51).stream()
    let images = Pictures(shape: shape, values: stream.normals(120 * 12).map { Float($0) })
    let encoder = try Network(
      domain: shape, layers: [.flatten, .linear(inputs: 12, outputs: 2)], key: RandomKey(seed: 52))
    let decoder = try Network(
      domain: Shape(2), layers: [.linear(inputs: 2, outputs: 12), .reshape(shape)],
      key: RandomKey(seed: 53))
    func measured(_ threads: Int, keeps: Bool = true) throws -> AutoencoderMeasurements {
      try AutoencoderMeasurements(
        images, encoder: encoder, decoder: decoder, keepsResiduals: keeps,
        pool: WorkerPool(threads: threads))
    }
    let found = try measured(1)
    #expect(found.codes.count == 240 && found.residuals.count == 1440)
    let plan = try decoder.makePlan(lanes: 120)
    var painted = [Float](repeating: 0, count: 1440)
    var span = painted.mutableSpan
    plan.apply(found.codes.span, into: &span)
    for index in painted.indices {
      #expect(abs(found.residuals[index] - (images.values[index] - painted[index])) < 1e-5)
    }
    for picture in 0..<120 {
      let squares = found.residuals[picture * 12..<(picture + 1) * 12].map { Double($0 * $0) }
      #expect(abs(squares.reduce(0, +) / 12 - found.pictureErrors[picture]) < 1e-5)
    }
    for threads in [2, 3] {
      let again = try measured(threads)
      #expect(again.residuals == found.residuals && again.codes == found.codes)
      #expect(again.pictureErrors == found.pictureErrors)
    }
    #expect(try measured(2, keeps: false).residuals.isEmpty)
  }
}
