import Flows
import Randomness
import Testing

/// Stacks with parameters far from the identity, one for each kind of layer and one of all.
struct TestFlow: CustomTestStringConvertible, Sendable {
  let name: String
  let layers: [FlowLayerDescription]
  var dimension = 5
  var testDescription: String { name }

  static let spline = FlowLayerDescription.splineCoupling(
    SplineCoupling(bins: 6, bound: 3, hidden: [24, 24], transforms: .second))
  static let affineCoupling = FlowLayerDescription.affineCoupling(
    AffineCoupling(hidden: [24, 24, 16], transforms: .first, maxLogScale: 1.5))

  static let all = [
    TestFlow(name: "identity", layers: []),
    TestFlow(name: "affine", layers: [.affine]),
    TestFlow(name: "luLinear", layers: [.luLinear]),
    TestFlow(name: "permutation", layers: [.permutation([2, 0, 1, 4, 3])]),
    TestFlow(name: "splineCoupling", layers: [spline]),
    TestFlow(name: "affineCoupling", layers: [affineCoupling]),
    TestFlow(
      name: "linear conditioner",
      layers: [
        .splineCoupling(SplineCoupling(bins: 2, bound: 3, hidden: [], transforms: .first))
      ]),
    stack,
  ]

  static let stack = TestFlow(
    name: "stack",
    layers: [
      .affine, .luLinear, spline, .permutation([4, 2, 0, 1, 3]),
      .splineCoupling(SplineCoupling(bins: 8, bound: 4, hidden: [20], transforms: .first)),
      .luLinear, affineCoupling,
    ])

  func make(seed: UInt64 = 11) throws -> NormalizingFlow {
    let key = RandomKey(seed: seed)
    let fresh = try NormalizingFlow(
      initializing: layers, dimension: dimension, key: key.child("weights"))
    var stream = key.child("perturbation").stream()
    var parameters = fresh.parameters
    for slot in fresh.layout.slots {
      let deviation: Double
      if slot.name.hasSuffix("weight") {
        deviation = 0.15 / Double(slot.shape[1]).squareRoot()
      } else {
        deviation = slot.name.hasSuffix("bias") ? 0.4 : 0.2
      }
      for index in slot.offset..<slot.offset + slot.shape.count {
        parameters[index] += Float(deviation * stream.normal())
      }
    }
    return try NormalizingFlow(layers: layers, dimension: dimension, parameters: parameters)
  }

  /// `lanes` codes of standard deviation 1.5, so that some lie beyond the splines' bounds.
  func codes(lanes: Int, seed: UInt64 = 5) -> [Float] {
    var stream = RandomKey(seed: seed).stream()
    return stream.normals(lanes * dimension).map { Float(1.5 * $0) }
  }
}
