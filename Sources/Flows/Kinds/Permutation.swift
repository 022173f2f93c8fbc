import Randomness

/// `permutation`: y_j = x_order[j], ℓ = 0. No tensors.
struct Permutation: FlowLayerKind {
  static let operation = "permutation"

  var order: [Int]

  func fault(dimension: Int) -> String? {
    order.sorted() == Array(0..<dimension)
      ? nil : "the order is no permutation of 0 ..< \(dimension)"
  }

  func multiplyAdds(dimension: Int) -> Int { 0 }

  func placed(_ places: inout TensorPlaces) -> any PlacedFlowLayer {
    PlacedPermutation(order: order)
  }
}

struct PlacedPermutation: LinearFlowLayer {
  let order: [Int]

  func initialize(_ parameters: inout [Float], key: RandomKey) {}

  func fault(in parameters: [Float]) -> String? { nil }

  func makeTrainingLayer(columns: Int, lanes: Int) -> any NormalizingLayer {
    PermutationLayer(order: order, columns: columns)
  }

  func map(_ parameters: [Float]) -> AffineMap { map { ($0, order[$0]) } }

  func inverseMap(_ parameters: [Float]) -> AffineMap { map { (order[$0], $0) } }

  /// The map whose matrix has ones at K places.
  private func map(_ place: (Int) -> (row: Int, column: Int)) -> AffineMap {
    let dimension = order.count
    var matrix = [Double](repeating: 0, count: dimension * dimension)
    for index in 0..<dimension {
      let (row, column) = place(index)
      matrix[row * dimension + column] = 1
    }
    return AffineMap(
      matrix: matrix, offset: [Double](repeating: 0, count: dimension), logDeterminant: 0)
  }
}
