import Randomness

/// Masked layers: y_i = t(x_i; θ_i(x_1 … x_{i−1})), so that the Jacobian is triangular and u needs one pass
/// (MADE, Germain et al. 2015; MAF, Papamakarios et al. 2017). With H = `width`, a residual network gives
///
///     h_0 = W_in x + b_in
///     h_l = h_{l−1} + B_l silu(A_l silu(h_{l−1}) + a_l) + b_l,     l = 1 … blocks
///     θ   = W_out silu(h_blocks) + b_out
///
/// with silu(a) = a/(1 + e^−a), W_in = `network.{n}.input.weight` (H × K), `network.{n}.block.{l−1}.…`:
/// A_l = `inner.weight` and B_l = `outer.weight` (H × H), W_out = `network.{n}.output.weight` (K·P × H), biases
/// alike. Element i has the P numbers θ[i·P ..< (i + 1)·P] of each network n; most kinds have one.
///
/// Unit h = 0 … H − 1 of every hidden layer has the degree d_h = 1 + ⌊h·(K − 1)/H⌋ and sees x_1 … x_{d_h}
/// alone; θ of the coordinate i = 1 … K sees units of degrees below i. So a row of W_in has entries at the
/// first d_h columns alone, one of A_l and B_l at units of a degree up to its own, one of W_out at units of a
/// degree below i: degrees rise with h, and what is left of each row are its first columns. A tensor `weight`
/// holds these entries one row after another, [their number]; the others are zero. Products skip them.
///
/// In training the inner silu of each block is multiplied by a dropout mask. Fresh: the last layer's
/// weights are zero and its biases the kind's; other weights are drawn from N(0, 1/n) with n the entries
/// left in the row, those of B_l with a tenth of that deviation, and their biases are zero.
protocol MaskedKind: FlowLayerKind {
  /// H, the width of every hidden layer.
  var width: Int { get }
  /// How many residual blocks.
  var blocks: Int { get }
  /// How many networks.
  var networks: Int { get }
  /// P.
  var parametersPerElement: Int { get }
  /// Why the numbers of t cannot be used; nil when they can.
  var transformFault: String? { get }
  /// θ_i of a fresh layer, P numbers.
  var freshElement: [Float] { get }
  func makeTransform(networks: Int, elements: Int, columns: Int) -> any ElementwiseTransform
  /// Numbers that t holds for each element and lane.
  var transformNumbers: Int { get }
}

extension MaskedKind {
  func fault(dimension: Int) -> String? {
    if let why = transformFault { return why }
    if !(1...8192 ~= width) { return "width = \(width), expected 1 ... 8192" }
    return 0...16 ~= blocks ? nil : "blocks = \(blocks), expected 0 ... 16"
  }

  /// Without the entries that are skipped: half of each product, about.
  func multiplyAdds(dimension: Int) -> Int {
    let degrees = Degrees(dimension: dimension, width: width)
    let hidden = 2 * blocks * degrees.hidden.entryCount
    let output = degrees.output(perElement: parametersPerElement)
    return networks * (degrees.input.entryCount + hidden + output.entryCount)
  }

  func placed(_ places: inout TensorPlaces) -> any PlacedFlowLayer {
    let degrees = Degrees(dimension: places.dimension, width: width)
    let output = degrees.output(perElement: parametersPerElement)
    var slots: [MaskedSlots] = []
    for network in 0..<networks {
      let input = MaskedDense("network.\(network).input", degrees.input, &places)
      var pairs: [MaskedBlock] = []
      for block in 0..<blocks {
        let name = "network.\(network).block.\(block)"
        pairs.append(
          MaskedBlock(
            inner: MaskedDense(name + ".inner", degrees.hidden, &places),
            outer: MaskedDense(name + ".outer", degrees.hidden, &places)))
      }
      slots.append(
        MaskedSlots(
          degrees: degrees, parametersPerElement: parametersPerElement, input: input,
          blocks: pairs,
          output: MaskedDense("network.\(network).output", output, &places)))
    }
    return PlacedMasked(
      index: places.index, dimension: places.dimension, kind: self, networks: slots)
  }
}

/// Which unit sees which coordinates.
struct Degrees {
  /// K and H.
  let dimension: Int
  let width: Int
  /// `unitCounts[d]`: how many units have a degree of at most d, d = 0 … K.
  let unitCounts: [Int]

  init(dimension: Int, width: Int) {
    self.dimension = dimension
    self.width = width
    // 1 + ⌊h (K − 1)/H⌋ ≤ d where h (K − 1) < d H.
    unitCounts = (0...dimension).map { degree in
      dimension == 1
        ? (degree == 0 ? 0 : width) : min(width, (degree * width + dimension - 2) / (dimension - 1))
    }
  }

  func degree(ofUnit unit: Int) -> Int { 1 + unit * (dimension - 1) / width }

  /// The units of one degree.
  func units(ofDegree degree: Int) -> Range<Int> { unitCounts[degree - 1]..<unitCounts[degree] }

  var input: Staircase {
    Staircase(inner: dimension, limits: (0..<width).map { degree(ofUnit: $0) })
  }

  var hidden: Staircase {
    Staircase(inner: width, limits: (0..<width).map { unitCounts[degree(ofUnit: $0)] })
  }

  func output(perElement count: Int) -> Staircase {
    Staircase(inner: width, limits: (0..<dimension * count).map { unitCounts[$0 / count] })
  }
}

/// One dense layer y = W x + b of a masked network: its shape and offsets.
struct MaskedDense {
  let stairs: Staircase
  let weight: Int
  let bias: Int

  init(_ name: String, _ stairs: Staircase, _ places: inout TensorPlaces) {
    self.stairs = stairs
    weight = places.add("\(name).weight", stairs.entryCount)
    bias = places.add("\(name).bias", stairs.rows)
  }

  var weights: Range<Int> { weight..<weight + stairs.entryCount }
}

struct MaskedBlock {
  let inner: MaskedDense
  let outer: MaskedDense
}

/// The places of a masked network's tensors.
struct MaskedSlots {
  let degrees: Degrees
  let parametersPerElement: Int
  let input: MaskedDense
  let blocks: [MaskedBlock]
  let output: MaskedDense

  /// All layers, input first.
  var dense: [MaskedDense] { [input] + blocks.flatMap { [$0.inner, $0.outer] } + [output] }
}

struct PlacedMasked<Kind: MaskedKind>: NonlinearFlowLayer {
  /// The layer's index in the flow, which separates its dropout masks from the others'.
  let index: Int
  let dimension: Int
  let kind: Kind
  let networks: [MaskedSlots]

  private var dense: [MaskedDense] { networks.flatMap(\.dense) }

  var decayedWeights: [Range<Int>] { dense.map(\.weights) }

  var numbersPerLane: Int {
    let theta = 2 * kind.networks * kind.parametersPerElement
    return dimension * (theta + kind.transformNumbers)
      + kind.networks * kind.width * (6 * kind.blocks + 6)
  }

  func initialize(_ parameters: inout [Float], key: RandomKey) {
    func draw(_ dense: MaskedDense, _ key: RandomKey, scale: Double = 1) {
      var stream = key.stream()
      var offset = dense.weight
      for limit in dense.stairs.limits {
        let deviation = scale / Double(limit).squareRoot()
        for _ in 0..<limit {
          parameters[offset] = Float(deviation * stream.normal())
          offset += 1
        }
      }
    }
    for (number, slots) in networks.enumerated() {
      let key = key.child(number)
      draw(slots.input, key.child(0))
      for (block, pair) in slots.blocks.enumerated() {
        draw(pair.inner, key.child(2 * block + 1))
        draw(pair.outer, key.child(2 * block + 2), scale: 0.1)
      }
      let fresh = kind.freshElement
      for row in 0..<slots.output.stairs.rows {
        parameters[slots.output.bias + row] = fresh[row % fresh.count]
      }
    }
  }

  func fault(in parameters: [Float]) -> String? { nil }

  func makeTrainingLayer(columns: Int, lanes: Int) -> any NormalizingLayer {
    let together = make(columns: columns, lanes: lanes, packed: nil)
    if networks.count == 1 { return together }
    let share = (lanes + networks.count - 1) / networks.count
    let alone = networks.indices.map { number in
      make(columns: paddedColumns(share), lanes: share, packed: nil, only: number)
    }
    return DividedLayer(
      together: together, alone: alone, dimension: dimension, columns: columns, lanes: lanes)
  }

  func packed(_ parameters: [Float]) -> any PackedFlowLayer {
    PackedMasked(layer: self, networks: networks.map { PackedMaskedNetwork($0, parameters) })
  }

  /// - Parameters:
  ///   - packed: the networks' numbers when they are fixed.
  ///   - only: the one network to take; nil for all.
  fileprivate func make(
    columns: Int, lanes: Int, packed: [PackedMaskedNetwork]?, only: Int? = nil
  ) -> MaskedLayer {
    let chosen = only.map { $0..<$0 + 1 } ?? networks.indices
    return MaskedLayer(
      chosen.map { (networks[$0], firstStage: $0 * kind.blocks, packed: packed?[$0]) },
      transform: kind.makeTransform(
        networks: chosen.count, elements: dimension, columns: columns),
      columns: columns, lanes: lanes, index: index)
  }
}

private struct PackedMasked<Kind: MaskedKind>: PackedFlowLayer {
  let layer: PlacedMasked<Kind>
  let networks: [PackedMaskedNetwork]

  func makeNormalizing(columns: Int, lanes: Int) -> any NormalizingLayer {
    layer.make(columns: columns, lanes: lanes, packed: networks)
  }

  func makeGenerating(columns: Int, lanes: Int) -> any GeneratingLayer {
    layer.make(columns: columns, lanes: lanes, packed: networks)
  }
}
