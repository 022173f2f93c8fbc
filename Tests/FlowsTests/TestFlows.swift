import Flows
import Foundation
import Maps
import Numerics
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

  static let sliced = FlowLayerDescription.slicedSpline(SlicedSpline(directions: 3, bins: 7))
  static let slicedFully = FlowLayerDescription.slicedSpline(SlicedSpline(directions: 5, bins: 2))

  static let mixture = FlowLayerDescription.maskedMixture(
    MaskedMixture(width: 17, blocks: 2, components: 3))
  static let networks = FlowLayerDescription.maskedMixture(
    MaskedMixture(width: 16, blocks: 1, components: 2, networks: 2))
  static let maskedAffine = FlowLayerDescription.maskedAffine(
    MaskedAffine(width: 18, blocks: 1, maxLogScale: 1.5))

  static let all = [
    TestFlow(name: "identity", layers: []),
    TestFlow(name: "affine", layers: [.affine]),
    TestFlow(name: "luLinear", layers: [.luLinear]),
    TestFlow(name: "permutation", layers: [.permutation([2, 0, 1, 4, 3])]),
    TestFlow(name: "splineCoupling", layers: [spline]),
    TestFlow(name: "affineCoupling", layers: [affineCoupling]),
    TestFlow(name: "slicedSpline", layers: [sliced]),
    TestFlow(name: "slicedSpline, all directions", layers: [slicedFully]),
    TestFlow(
      name: "linear conditioner",
      layers: [
        .splineCoupling(SplineCoupling(bins: 2, bound: 3, hidden: [], transforms: .first))
      ]),
    TestFlow(
      name: "sliced flow", layers: [.affine, .luLinear, sliced, slicedFully, .luLinear, sliced]),
    stack,
    TestFlow(name: "whitening", layers: [.whitening]),
    TestFlow(name: "maskedAffine", layers: [maskedAffine]),
    TestFlow(name: "maskedMixture", layers: [mixture]),
    TestFlow(name: "maskedMixture of two networks", layers: [networks]),
    TestFlow(
      name: "narrow masked layer",
      layers: [.maskedAffine(MaskedAffine(width: 2, blocks: 0, maxLogScale: 1))]),
    TestFlow(
      name: "one coordinate", layers: [.whitening, mixture, .luLinear, maskedAffine], dimension: 1),
    TestFlow(
      name: "autoregressive flow",
      layers: [
        .whitening, affineCoupling, networks, .permutation([4, 3, 2, 1, 0]), maskedAffine,
        .luLinear, mixture,
      ]),
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
      if setSliced(slot, &parameters, &stream) { continue }
      if setMasked(slot, &parameters, &stream) { continue }
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

  /// Numbers of a `slicedSpline`: orthonormal directions, knots and values that rise by 0.5 to 2 times
  /// their mean distance over about [−3, 3], slopes 0.4 to 2.5. False for other slots.
  private func setSliced(
    _ slot: ParameterSlot, _ parameters: inout [Float], _ stream: inout RandomStream
  ) -> Bool {
    let width = slot.shape[slot.shape.rank - 1]
    let range = slot.offset..<slot.offset + slot.shape.count
    func factor(_ size: Double) -> Double { exp(size * (2 * stream.uniform() - 1)) }
    if slot.name.hasSuffix(".directions") || slot.name.hasSuffix(".axes") {
      let rows = orthonormalRows(stream.normals(slot.shape.count), columns: width)
      for (index, value) in zip(range, rows) { parameters[index] = Float(value) }
    } else if slot.name.hasSuffix(".slopes") {
      for index in range { parameters[index] = Float(factor(0.9)) }
    } else if slot.name.hasSuffix(".knots") || slot.name.hasSuffix(".values") {
      for row in stride(from: slot.offset, to: range.upperBound, by: width) {
        var place = -3 + 0.3 * stream.normal()
        for index in row..<row + width {
          parameters[index] = Float(place)
          place += 6 / Double(width - 1) * factor(0.7)
        }
      }
    } else {
      return false
    }
    return true
  }

  /// Weights of a masked network, N(0, 0.15²). False for other slots.
  private func setMasked(
    _ slot: ParameterSlot, _ parameters: inout [Float], _ stream: inout RandomStream
  ) -> Bool {
    guard slot.name.contains(".network."), slot.name.hasSuffix("weight") else { return false }
    for index in slot.offset..<slot.offset + slot.shape.count {
      parameters[index] = Float(0.15 * stream.normal())
    }
    return true
  }

  /// `lanes` codes of standard deviation 1.5, so that some lie beyond the splines' bounds.
  func codes(lanes: Int, seed: UInt64 = 5) -> [Float] {
    var stream = RandomKey(seed: seed).stream()
    return stream.normals(lanes * dimension).map { Float(1.5 * $0) }
  }
}

/// Whether an entry of a masked network's matrix is left by its mask, as `MaskedKind` says it; the matrix
/// by its name, K and H.
func maskSees(_ name: String, row: Int, column: Int, dimension: Int, width: Int, perElement: Int)
  -> Bool
{
  func degree(_ unit: Int) -> Int { 1 + unit * (dimension - 1) / width }
  if name == "input" { return column < degree(row) }
  if name == "output" { return degree(column) < row / perElement + 1 }
  return degree(column) <= degree(row)
}
