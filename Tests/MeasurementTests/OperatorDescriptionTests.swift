import Foundation
import LawCheckers
import Maps
import Measurement
import Randomness
import Tensors
import Testing

@Suite("descriptions and compositions of operators")
struct OperatorDescriptionTests {
  private let steps: [OperatorDescription] = [
    .identity, .blur(pointSpreadFunction: crookedKernel(3, 2), border: .reflecting),
    .crop(top: 1, left: 0, height: 4, width: 6), .gain((0..<24).map { 1 - Float($0) / 50 }),
    .pad(top: 0, left: 1, bottom: 2, right: 1), .downsample(factor: 2),
    .fourier(sampled: (0..<12).map { $0 % 3 != 1 }),
  ]

  /// The same by hand, on 3×6×7.
  private func operators() throws -> [any LinearOperator] {
    let gains = (0..<24).map { 1 - Float($0) / 50 }
    return [
      IdentityOperator(shape: Shape(3, 6, 7)),
      try ConvolutionOperator(
        shape: Shape(3, 6, 7), kernel: crookedKernel(3, 2), border: .reflecting),
      try CropOperator(shape: Shape(3, 6, 7), top: 1, left: 0, height: 4, width: 6),
      try GainOperator(shape: Shape(3, 4, 6), gains: gains + gains + gains),
      try PaddingOperator(shape: Shape(3, 4, 6), top: 0, left: 1, bottom: 2, right: 1),
      try DownsamplingOperator(shape: Shape(3, 6, 8), factor: 2),
      try FourierSamplingOperator(
        shape: Shape(3, 3, 4), sampled: (0..<12).map { $0 % 3 != 1 }),
    ]
  }

  // Fails when: the order is reversed; a step is left out; gains are not repeated for the channels.
  @Test("a list is its operators one after another, and has its adjoint")
  func composition() throws {
    let map = try OperatorDescription.makeOperator(composing: steps, on: Shape(3, 6, 7))
    var x = randomValues(2 * 3 * 6 * 7, seed: 35)
    let y = try image(map, x)
    for step in try operators() { x = try image(step, x) }
    #expect(y == x)
    #expect(map.codomain == Shape(y.count / 2))
    #expect(try checkAdjoint(map, key: RandomKey(seed: 36)) < adjointBound)
  }

  // Fails when: the list is reversed (the maps do not fit then) or the shape check is left out.
  @Test("a composed operator reads as the light travels")
  func composed() throws {
    let list = try operators()
    let map = try ComposedOperator(list)
    #expect(map.domain == Shape(3, 6, 7) && map.codomain == list.last!.codomain)
    #expect(map.operators.count == list.count)
    #expect(try checkAdjoint(map, key: RandomKey(seed: 37)) < adjointBound)
    #expect(throws: PlanError.shapesDiffer(expected: Shape(3, 6, 7), found: Shape(3, 4, 6))) {
      try ComposedOperator([list[2], list[1]])
    }
  }

  // Fails when: an empty list is composed (a trap then).
  @Test("no steps are the identity, and one is itself")
  func shortLists() throws {
    let none = try OperatorDescription.makeOperator(composing: [], on: Shape(1, 2, 3))
    #expect(none is IdentityOperator && none.domain == Shape(1, 2, 3))
    let one = try OperatorDescription.makeOperator(
      composing: [.downsample(factor: 2)], on: Shape(1, 2, 4))
    #expect(one is DownsamplingOperator)
  }

  // Fails when: a field is written under another's name; the border is lost.
  @Test("decode ∘ encode = identity")
  func roundTrip() throws {
    let data = try JSONEncoder().encode(steps)
    #expect(try JSONDecoder().decode([OperatorDescription].self, from: data) == steps)
  }

  // Fails when: a word changes; what is decoded is not checked.
  @Test("the words of the file are pinned")
  func words() throws {
    func decode(_ text: String) throws -> OperatorDescription {
      try JSONDecoder().decode(OperatorDescription.self, from: Data(text.utf8))
    }
    #expect(try decode(#"{"op": "identity"}"#) == .identity)
    #expect(
      try decode(
        #"{"op": "blur", "rows": 1, "columns": 2, "values": [0.25, 0.75], "border": "zero"}"#)
        == .blur(
          pointSpreadFunction: Tensor(shape: Shape(1, 2), values: [0.25, 0.75]), border: .zero))
    #expect(
      try decode(#"{"op": "fourier", "sampled": "101"}"#) == .fourier(sampled: [true, false, true]))
    #expect(
      try decode(#"{"op": "crop", "top": 1, "left": 2, "height": 3, "width": 4}"#)
        == .crop(top: 1, left: 2, height: 3, width: 4))
    #expect(
      try decode(#"{"op": "pad", "top": 1, "left": 2, "bottom": 3, "right": 4}"#)
        == .pad(top: 1, left: 2, bottom: 3, right: 4))
    let wrong = [
      #"{"op": "mask"}"#, #"{"op": "fourier", "sampled": "12"}"#, #"{"op": "downsample"}"#,
      #"{"op": "blur", "rows": 2, "columns": 2, "values": [1], "border": "zero"}"#,
      #"{"op": "blur", "rows": -1, "columns": -1, "values": [1], "border": "zero"}"#,
      #"{"op": "blur", "rows": 1, "columns": 1, "values": [1], "border": "none"}"#,
    ]
    for text in wrong { #expect(throws: DecodingError.self, "\(text)") { try decode(text) } }
  }

  // Fails when: a rank is not checked (a trap then); the number of the step is off by one.
  @Test("a step that does not fit is named with its number")
  func refusals() {
    func message(_ steps: [OperatorDescription]) -> String? {
      refusal { _ = try OperatorDescription.makeOperator(composing: steps, on: Shape(1, 2, 3)) }
    }
    #expect(
      message([.identity, .downsample(factor: 2)])
        == "step 2 of the forward operator (downsample): a picture of 2×3 cannot be downsampled "
        + "by 2; factors that divide both sides: 1")
    let vector = OperatorDescription.fourier(sampled: [Bool](repeating: true, count: 6))
    let blur = OperatorDescription.blur(
      pointSpreadFunction: Tensor(shape: Shape(1, 1), repeating: 1), border: .zero)
    for next in [
      blur, .downsample(factor: 1), .crop(top: 0, left: 0, height: 1, width: 1),
      .pad(top: 0, left: 0, bottom: 0, right: 0), vector,
    ] {
      #expect(
        message([vector, next])
          == "step 2 of the forward operator (\(next.name)): it acts on a picture of channels × "
          + "height × width, but what arrives has the shape 6; move it before the step that makes "
          + "a vector")
    }
    #expect(message([vector, .gain([1, 1, 1, 1, 1, 2])]) == nil)
    let cube = Tensor(shape: Shape(1, 1, 1), repeating: 1)
    #expect(
      message([.blur(pointSpreadFunction: cube, border: .zero)])
        == "step 1 of the forward operator (blur): a point-spread function of shape 1×1×1 cannot "
        + "blur; give rows × columns")
    #expect(
      message([.pad(top: .max, left: 0, bottom: 0, right: 0)])?
        .hasPrefix("too large to plan: step 1 of the forward operator (pad)") == true)
  }
}
