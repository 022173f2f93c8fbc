import Synchronization

/// A flow whose parameters do not change, laid out for its kernels once: all plans share it. Each
/// direction is made when a plan first asks for it, O(K³) for every linear layer.
final class PackedFlow: Sendable {
  private let layout: FlowLayout
  private let parameters: [Float]
  private let made = Mutex(Made())

  private struct Made {
    var nonlinear: [Int: any PackedFlowLayer] = [:]
    var normalizing: [any PackedFlowLayer]?
    var generating: [any PackedFlowLayer]?
  }

  init(_ layout: FlowLayout, parameters: [Float]) {
    self.layout = layout
    self.parameters = parameters
  }

  /// In the order of use, codes to base; runs of linear layers are multiplied out.
  var normalizing: [any PackedFlowLayer] {
    made.withLock { made in
      let layers =
        made.normalizing ?? runs(&made, layout.placed.indices) { $0.map(parameters) }
      made.normalizing = layers
      return layers
    }
  }

  /// The inverses in the order of use, base to codes.
  var generating: [any PackedFlowLayer] {
    made.withLock { made in
      let layers =
        made.generating
        ?? runs(&made, layout.placed.indices.reversed()) { $0.inverseMap(parameters) }
      made.generating = layers
      return layers
    }
  }

  private func runs(
    _ made: inout Made, _ indices: some Sequence<Int>, map: (any LinearFlowLayer) -> AffineMap
  ) -> [any PackedFlowLayer] {
    var layers: [any PackedFlowLayer] = []
    var run: AffineMap?
    for index in indices {
      switch layout.placed[index] {
      case let linear as any LinearFlowLayer:
        let next = map(linear)
        run = run?.followed(by: next) ?? next
      case let layer as any NonlinearFlowLayer:
        if let map = run { layers.append(PackedAffineMap(map)) }
        run = nil
        let packed = made.nonlinear[index] ?? layer.packed(parameters)
        made.nonlinear[index] = packed
        layers.append(packed)
      case let layer: preconditionFailure("\(layer) is neither linear nor nonlinear")
      }
    }
    if let run { layers.append(PackedAffineMap(run)) }
    return layers
  }
}
