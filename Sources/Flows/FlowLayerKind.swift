import Maps
import Randomness
import Tensors

/// A kind of layer as its JSON describes it: its name, which descriptions can be used, and where its
/// tensors lie. A new kind is one file that conforms, and its name in `FlowLayerDescription.kinds`.
protocol FlowLayerKind: Codable, Sendable, Equatable {
  /// The "op" of the model file.
  static var operation: String { get }
  /// Why the layer cannot act on `dimension` coordinates; nil when it can.
  func fault(dimension: Int) -> String?
  /// Multiply-adds of the matrix products of one code's forward pass.
  func multiplyAdds(dimension: Int) -> Int
  /// The layer with its tensors added to `places`. - Precondition: `fault` is nil.
  func placed(_ places: inout TensorPlaces) -> any PlacedFlowLayer
}

/// Where the tensors `flow.{index}.…` of one layer of a flow go.
struct TensorPlaces {
  let index: Int
  let dimension: Int
  private(set) var layout: ParameterLayout

  init(index: Int, dimension: Int, layout: ParameterLayout) {
    self.index = index
    self.dimension = dimension
    self.layout = layout
  }

  /// The offset of a new tensor in the flat vector.
  mutating func add(_ name: String, _ extents: Int...) -> Int {
    layout.add("flow.\(index).\(name)", Shape(extents)).offset
  }
}

/// A layer that knows the places of its tensors in the flow's flat parameter vector, `parameters` below.
protocol PlacedFlowLayer: Sendable {
  /// Sets a fresh layer's numbers; they are zero beforehand.
  func initialize(_ parameters: inout [Float], key: RandomKey)
  /// Why numbers, all finite, make no bijection; nil when they do.
  func fault(in parameters: [Float]) -> String?
  /// Ranges of the weight matrices that weight decay may act on.
  var decayedWeights: [Range<Int>] { get }
  /// Roughly how many numbers a plan holds for each lane, beside inputs and outputs.
  var numbersPerLane: Int { get }
  /// The normalizing direction for parameters that change.
  func makeTrainingLayer(columns: Int, lanes: Int) -> any NormalizingLayer
}

/// A layer x ↦ M x + b: neighbours are multiplied out once their numbers are fixed.
protocol LinearFlowLayer: PlacedFlowLayer {
  func map(_ parameters: [Float]) -> AffineMap
  /// The inverse of `map`.
  func inverseMap(_ parameters: [Float]) -> AffineMap
}

extension LinearFlowLayer {
  var decayedWeights: [Range<Int>] { [] }
  var numbersPerLane: Int { 0 }
}

/// Any other layer.
protocol NonlinearFlowLayer: PlacedFlowLayer {
  func packed(_ parameters: [Float]) -> any PackedFlowLayer
}

/// A layer, or a run of linear ones, whose numbers are fixed and laid out for the kernels; immutable.
protocol PackedFlowLayer: Sendable {
  func makeNormalizing(columns: Int, lanes: Int) -> any NormalizingLayer
  func makeGenerating(columns: Int, lanes: Int) -> any GeneratingLayer
}
