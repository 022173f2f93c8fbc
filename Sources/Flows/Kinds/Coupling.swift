import Numerics
import Randomness

/// Which half of the coordinates a coupling layer transforms; the other half passes unchanged and
/// sets the parameters. The first half is coordinates 0 ..< ⌊K/2⌋, the second the rest.
public enum CouplingHalf: String, Codable, Sendable, Equatable {
  case first, second

  /// How many of K coordinates are transformed.
  func count(dimension: Int) -> Int { self == .first ? dimension / 2 : dimension - dimension / 2 }
}

/// Couplings: x = (a, b), a = x[0 ..< ⌊K/2⌋], b the rest. `"transforms": "second"` gives
/// y = (a, t(b; θ(a))), `"first"` gives y = (t(a; θ(b)), b). With input c, θ(c) is
///
///     h_0 = silu(W_0 c + b_0)
///     h_j = silu(W_j h_{j−1} + b_j) + (h_{j−1} if hidden[j] = hidden[j−1], else 0),  j ≥ 1
///     θ   = W_n h_{n−1} + b_n,       n = number of hidden layers (θ = W_0 c + b_0 when n = 0)
///
/// with silu(a) = a/(1 + e^−a), W_j = `conditioner.{j}.weight`. θ is reshaped to [d, P]: element i
/// of the transformed half, of size d, has the P numbers θ[i, :].
///
/// Fresh, the identity: the last layer of the conditioner is zero, its hidden weights are drawn from
/// N(0, 2/inputs) (He et al. 2015) and its biases are zero.
protocol CouplingKind: FlowLayerKind {
  /// Widths of the conditioner's hidden layers.
  var hidden: [Int] { get }
  var transforms: CouplingHalf { get }
  /// P.
  var parametersPerElement: Int { get }
  /// Why the numbers of t cannot be used; nil when they can.
  var transformFault: String? { get }
  func makeTransform(elements: Int, columns: Int) -> any ElementwiseTransform
}

extension CouplingKind {
  func fault(dimension: Int) -> String? {
    if let why = transformFault { return why }
    if dimension < 2 { return "a coupling needs at least two coordinates" }
    if hidden.count > 16 || !hidden.allSatisfy({ 1...8192 ~= $0 }) {
      return "hidden = \(hidden), expected at most 16 widths in 1 ... 8192"
    }
    return nil
  }

  func multiplyAdds(dimension: Int) -> Int {
    let widths = widths(dimension)
    return zip(widths, widths.dropFirst()).reduce(0) { $0 + $1.0 * $1.1 }
  }

  func placed(_ places: inout TensorPlaces) -> any PlacedFlowLayer {
    let widths = widths(places.dimension)
    var dense: [DenseSlots] = []
    for (stage, (inputs, outputs)) in zip(widths, widths.dropFirst()).enumerated() {
      dense.append(
        DenseSlots(
          inputs: inputs, outputs: outputs,
          weight: places.add("conditioner.\(stage).weight", outputs, inputs),
          bias: places.add("conditioner.\(stage).bias", outputs)))
    }
    return PlacedCoupling(
      index: places.index, dimension: places.dimension, kind: self, dense: dense)
  }

  /// Of the conditioner, its input and its output included.
  private func widths(_ dimension: Int) -> [Int] {
    let transformed = transforms.count(dimension: dimension)
    return [dimension - transformed] + hidden + [transformed * parametersPerElement]
  }
}

/// One dense layer y = W x + b of a conditioner: its extents and offsets.
struct DenseSlots {
  let inputs: Int
  let outputs: Int
  let weight: Int
  let bias: Int

  var weights: Range<Int> { weight..<weight + inputs * outputs }
}

struct PlacedCoupling<Kind: CouplingKind>: NonlinearFlowLayer {
  /// The layer's index in the flow, which separates its dropout masks from the others'.
  let index: Int
  let dimension: Int
  let kind: Kind
  let dense: [DenseSlots]

  var decayedWeights: [Range<Int>] { dense.map(\.weights) }
  var numbersPerLane: Int { dense.reduce(0) { $0 + 6 * $1.outputs } }

  func initialize(_ parameters: inout [Float], key: RandomKey) {
    for (stage, layer) in dense.dropLast().enumerated() {
      var stream = key.child(stage).stream()
      let deviation = (2 / Double(layer.inputs)).squareRoot()
      for offset in layer.weights { parameters[offset] = Float(deviation * stream.normal()) }
    }
  }

  func fault(in parameters: [Float]) -> String? { nil }

  func makeTrainingLayer(columns: Int, lanes: Int) -> any NormalizingLayer {
    make(columns: columns, lanes: lanes, packed: nil)
  }

  func packed(_ parameters: [Float]) -> any PackedFlowLayer {
    parameters.withUnsafeBufferPointer { parameters in
      PackedCoupling(
        layer: self, dense: dense.map { PackedDense($0, parameters.baseAddress! + $0.weight) })
    }
  }

  /// `packed`: the conditioner's weights when they are fixed.
  fileprivate func make(columns: Int, lanes: Int, packed: [PackedDense]?) -> CouplingLayer {
    CouplingLayer(
      dimension: dimension, half: kind.transforms, columns: columns,
      conditioner: Conditioner(dense, columns: columns, lanes: lanes, index: index, packed: packed),
      transform: kind.makeTransform(
        elements: kind.transforms.count(dimension: dimension), columns: columns))
  }
}

private struct PackedCoupling<Kind: CouplingKind>: PackedFlowLayer {
  let layer: PlacedCoupling<Kind>
  let dense: [PackedDense]

  func makeNormalizing(columns: Int, lanes: Int) -> any NormalizingLayer {
    layer.make(columns: columns, lanes: lanes, packed: dense)
  }

  func makeGenerating(columns: Int, lanes: Int) -> any GeneratingLayer {
    layer.make(columns: columns, lanes: lanes, packed: dense)
  }
}

/// W and Wᵀ of one dense layer of a conditioner.
struct PackedDense: Sendable {
  let plain: PackedMatrix
  let transposed: PackedMatrix

  init(_ slots: DenseSlots, _ weight: UnsafePointer<Float>) {
    plain = PackedMatrix(weight, rows: slots.outputs, inner: slots.inputs)
    transposed = PackedMatrix(
      weight, rows: slots.inputs, inner: slots.outputs, orientation: .transposed)
  }
}
