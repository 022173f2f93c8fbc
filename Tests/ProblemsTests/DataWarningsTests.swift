import Foundation
import ImageFiles
import Likelihoods
import Randomness
import Tensors
import Testing

@testable import Problems

/// Warnings that data, mask, σ and instrument give reason for.
@Suite struct DataWarningsTests {
  /// A slope with noise, 400 values.
  private func slope(sigma: Double, clipped: Bool = false) -> [Float] {
    var stream = RandomKey(seed: 4).child("slope").stream()
    return (0..<400).map { index in
      let value = 0.2 + 0.6 * Double(index % 20) / 19 + sigma * stream.normal()
      return Float(clipped ? min(max(value, 0), 1) : value)
    }
  }

  private func kinds(_ values: [Float], clipped: Bool = false) -> [PixelKind] {
    PixelData.kinds(of: values, observed: nil, censored: clipped, low: 0, high: 1)
  }

  // Seen to fail: the standard deviation compared with σ²; censored data compared as measured ones are.
  @Test(
    "σ in the wrong unit, and what was probably meant",
    arguments: [
      (25.0, 0.1, false, "0.098"), (3000, 0.05, false, "0.046"), (25, 0.1, true, "0.098"),
      (0.9, 0.05, false, "scatter by"),
    ])
  func wrongSigma(_ stated: Double, _ real: Double, _ clipped: Bool, _ meant: String) throws {
    let values = slope(sigma: real, clipped: clipped)
    let warning = try #require(
      sigmaWarning(
        stated, values: values, kinds: kinds(values, clipped: clipped), isClipped: clipped,
        name: "a.png"))
    #expect(warning.isDoubt && warning.text.contains(meant) && warning.text.contains("--sigma"))
  }

  // Seen to fail: a bound of half the standard deviation.
  @Test(
    "σ that the data have is not told",
    arguments: [(0.1, false), (0.1, true), (0.5, false), (0.5, true), (1, false), (2, true)])
  func rightSigma(_ sigma: Double, _ clipped: Bool) {
    let values = slope(sigma: sigma, clipped: clipped)
    #expect(
      sigmaWarning(
        sigma, values: values, kinds: kinds(values, clipped: clipped), isClipped: clipped,
        name: "a.png") == nil)
  }

  // Seen to fail: the two parts exchanged.
  @Test func anInvertedMaskIsTold() throws {
    // A picture whose hole was painted black, and a mask that calls the hole observed.
    let hole = (0..<400).map { (100..<180).contains($0) }
    let values = zip(slope(sigma: 0.05), hole).map { $1 ? 0 : $0 }
    let warning = try #require(maskWarning("m.png", values: values, observed: hole))
    #expect(warning.isDoubt && warning.text.contains("--invert-mask"))
    #expect(maskWarning("m.png", values: values, observed: hole.map { !$0 }) == nil)
  }

  // Seen to fail: the measured ones counted as at an end.
  @Test func dataThatAreAllClippedMeasureNothing() throws {
    let kinds = [PixelKind.belowLow, .aboveHigh, .unobserved]
    let warning = try #require(censoringWarning(kinds, name: "a.png"))
    #expect(warning.isDoubt && warning.text.contains("all 2 observed values"))
    #expect(censoringWarning(kinds + [.measured], name: "a.png") == nil)
    #expect(censoringWarning([.unobserved], name: "a.png") == nil)
  }

  struct KernelSituation: CustomTestStringConvertible, Sendable {
    let name: String
    let shape: [Int]
    let values: [Double]
    var center: ForwardStep.Center?
    /// Sides of the kernel; nil where it is refused.
    let sides: [Int]?
    var words: [String] = []
    var testDescription: String { name }
  }

  static let kernels: [KernelSituation] = [
    .init(
      name: "odd, centred, not normalized", shape: [3, 3], values: [0, 2, 0, 2, 8, 2, 0, 2, 0],
      sides: [3, 3]),
    .init(
      name: "even sides", shape: [2, 2], values: [1, 1, 1, 1], sides: nil,
      words: ["2x2", "center: [1, 1]", "odd"]),
    .init(
      name: "one even side", shape: [1, 4], values: [1, 2, 2, 1], sides: nil, words: ["1x4"]),
    .init(
      name: "even sides with a centre", shape: [2, 2], values: [1, 1, 1, 1],
      center: .init(row: 0, column: 1), sides: [3, 3],
      words: ["0.50 rows and -0.50 columns"]),
    .init(
      name: "off centre", shape: [3, 3], values: [0, 0, 0, 0, 1, 3, 0, 0, 0], sides: [3, 3],
      words: ["0.00 rows and 0.75 columns"]),
    .init(
      name: "negative weights", shape: [3, 1], values: [-0.1, 1.2, -0.1], sides: [3, 1],
      words: ["2 of 3 weights", "negative"]),
    .init(
      name: "a centre outside", shape: [1, 3], values: [0, 1, 0],
      center: .init(row: 1, column: 1), sides: nil, words: ["outside"]),
    .init(name: "no light", shape: [1, 3], values: [-1, 2, -1], sides: nil, words: ["sums to 0"]),
  ]

  // Seen to fail: the padding on the other side; the centroid measured from the corner; no division by the
  // sum.
  @Test(arguments: kernels) func pointSpread(_ situation: KernelSituation) throws {
    let folder = try Folder()
    let path = try folder.put(
      "k.npy", NPYFile.encode(shape: Shape(situation.shape), values: situation.values))
    var warnings: [String] = []
    func read() throws -> Tensor {
      try KernelFile(path: path, center: situation.center) { warnings.append($0.text) }.kernel
    }
    guard let sides = situation.sides else {
      let error = #expect(throws: PipelineError.self) { _ = try read() }
      for word in situation.words { #expect(error?.description.contains(word) ?? false, "\(word)") }
      return
    }
    let kernel = try read()
    #expect(kernel.shape == Shape(sides))
    #expect(abs(kernel.values.reduce(0, +) - 1) < 1e-6)
    #expect(warnings.isEmpty == situation.words.isEmpty, "\(warnings)")
    for word in situation.words { #expect(warnings.joined().contains(word), "\(warnings)") }
    if let center = situation.center {
      // The stated element is in the middle.
      let middle = kernel.values[kernel.count / 2]
      let stated = situation.values[center.row * situation.shape[1] + center.column]
      #expect(abs(Double(middle) - stated / situation.values.reduce(0, +)) < 1e-6)
    }
  }
}
