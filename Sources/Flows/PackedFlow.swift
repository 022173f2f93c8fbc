import Networks
import Numerics
import Synchronization

/// A flow whose parameters do not change, laid out for its kernels once: all plans share it. Each
/// direction is made when a plan first asks for it, O(K³) for every linear layer.
final class PackedFlow: Sendable {
  /// A run of linear layers, multiplied out, or another layer by its index in the flow.
  enum Layer: Sendable {
    case linear(PackedAffineMap)
    case coupling(Int, [PackedDense])
    case sliced(PackedSlicedSpline)
  }

  private let layout: FlowLayout
  private let parameters: [Float]
  private let made = Mutex(Made())

  private struct Made {
    var conditioners: [Int: [PackedDense]] = [:]
    var sliced: [Int: PackedSlicedSpline] = [:]
    var normalizing: [Layer]?
    var generating: [Layer]?
  }

  init(_ layout: FlowLayout, parameters: [Float]) {
    self.layout = layout
    self.parameters = parameters
  }

  /// In the order of use, codes to base.
  var normalizing: [Layer] {
    made.withLock { made in
      let layers =
        made.normalizing
        ?? runs(&made, layout.layers.indices) {
          AffineMap(
            layout.layers[$0], layout.slots[$0], parameters: parameters,
            dimension: layout.dimension)
        }
      made.normalizing = layers
      return layers
    }
  }

  /// The inverses in the order of use, base to codes.
  var generating: [Layer] {
    made.withLock { made in
      let layers =
        made.generating
        ?? runs(&made, layout.layers.indices.reversed()) {
          AffineMap(
            inverseOf: layout.layers[$0], layout.slots[$0], parameters: parameters,
            dimension: layout.dimension)
        }
      made.generating = layers
      return layers
    }
  }

  private func runs(
    _ made: inout Made, _ indices: some Sequence<Int>, map: (Int) -> AffineMap?
  ) -> [Layer] {
    var layers: [Layer] = []
    var run: AffineMap?
    for index in indices {
      if let linear = map(index) {
        run = run?.followed(by: linear) ?? linear
        continue
      }
      if let map = run { layers.append(.linear(PackedAffineMap(map))) }
      run = nil
      if case .slicedSpline(let slots) = layout.slots[index] {
        let packed =
          made.sliced[index]
          ?? PackedSlicedSpline(slots, parameters: parameters, dimension: layout.dimension)
        made.sliced[index] = packed
        layers.append(.sliced(packed))
        continue
      }
      let conditioner = made.conditioners[index] ?? pack(index)
      made.conditioners[index] = conditioner
      layers.append(.coupling(index, conditioner))
    }
    if let run { layers.append(.linear(PackedAffineMap(run))) }
    return layers
  }

  private func pack(_ index: Int) -> [PackedDense] {
    guard case .conditioner(let dense) = layout.slots[index] else { return [] }
    return parameters.withUnsafeBufferPointer { parameters in
      dense.map { PackedDense($0, parameters.baseAddress! + $0.weight) }
    }
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
