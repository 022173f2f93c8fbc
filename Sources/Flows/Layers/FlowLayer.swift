/// y = f(x) of one layer with its log-determinant, feature by feature (see `paddedColumns`). The
/// layer owns what its vjp needs; `parameters` is the flow's whole flat vector, which may change
/// between applications but not between an application and its vjp.
protocol NormalizingLayer: AnyObject {
  /// Adds the layer's ln|det| to `logDeterminants` (one number a column). `masks` sets the dropout
  /// masks of a conditioner; nil means no dropout.
  func normalize(
    _ x: UnsafePointer<Float>, into y: UnsafeMutablePointer<Float>,
    logDeterminants: UnsafeMutablePointer<Float>, parameters: UnsafePointer<Float>,
    masks: DropoutMasks?)
  /// Turns `cotangent` from dy into dx, at the `x` of the latest `normalize`; adds the parameters'
  /// cotangents to `gradient` (laid out as `parameters`) where one is given.
  func normalizeVJP(
    _ cotangent: UnsafeMutablePointer<Float>, _ dLogDeterminants: UnsafePointer<Float>,
    at x: UnsafePointer<Float>, parameters: UnsafePointer<Float>,
    gradient: UnsafeMutablePointer<Float>?)
}

/// x = f⁻¹(y) of one layer, in place.
protocol GeneratingLayer: AnyObject {
  /// Turns `values` from y into x.
  func generate(_ values: UnsafeMutablePointer<Float>, parameters: UnsafePointer<Float>)
  /// Turns `cotangent` from dx into dy = (∂x/∂y)ᵀ dx, at the latest `generate`.
  func generateVJP(_ cotangent: UnsafeMutablePointer<Float>, parameters: UnsafePointer<Float>)
}

extension FlowLayout {
  /// The layers of the normalizing direction for parameters that change, one for one.
  func makeTrainingLayers(columns: Int, lanes: Int) -> [any NormalizingLayer] {
    zip(layers, slots).enumerated().map { index, layer in
      switch layer {
      case (.permutation(let order), _): PermutationLayer(order: order, columns: columns)
      case (_, .affine(let mean, let logScale)):
        StandardizingLayer(
          dimension: dimension, columns: columns, mean: mean, logScale: logScale)
      case (_, .luLinear(let lower, let upper, let logDiagonal, let bias)):
        TriangularLayer(
          dimension: dimension, columns: columns, lower: lower, upper: upper,
          logDiagonal: logDiagonal, bias: bias)
      case (_, .slicedSpline(let slots)):
        SlicedSplineLayer(
          .fromParameters(slots, dimension: dimension), columns: columns, lanes: lanes)
      default: makeCoupling(index, columns: columns, lanes: lanes, packed: nil)
      }
    }
  }

  /// The layers of the normalizing direction for fixed parameters.
  func makeNormalizingLayers(columns: Int, lanes: Int, packed: PackedFlow) -> [any NormalizingLayer]
  {
    packed.normalizing.map {
      switch $0 {
      case .linear(let map): FixedLinearLayer(map, columns: columns, lanes: lanes)
      case .coupling(let index, let dense):
        makeCoupling(index, columns: columns, lanes: lanes, packed: dense)
      case .sliced(let packed):
        SlicedSplineLayer(.fixed(packed), columns: columns, lanes: lanes)
      }
    }
  }

  /// The layers of the inverse in the order of their use, base to codes.
  func makeGeneratingLayers(columns: Int, lanes: Int, packed: PackedFlow) -> [any GeneratingLayer] {
    packed.generating.map {
      switch $0 {
      case .linear(let map): FixedLinearLayer(map, columns: columns, lanes: lanes)
      case .coupling(let index, let dense):
        makeCoupling(index, columns: columns, lanes: lanes, packed: dense)
      case .sliced(let packed):
        SlicedSplineLayer(.fixed(packed), columns: columns, lanes: lanes)
      }
    }
  }

  /// `packed`: the conditioner's weights when they are fixed.
  private func makeCoupling(
    _ index: Int, columns: Int, lanes: Int, packed: [PackedDense]?
  ) -> CouplingLayer {
    guard case .conditioner(let dense) = slots[index] else {
      preconditionFailure("layer \(index) is no coupling")
    }
    let first = dimension / 2
    let transform: any CouplingTransform
    let half: CouplingHalf
    switch layers[index] {
    case .splineCoupling(let coupling):
      half = coupling.transforms
      transform = SplineTransform(
        bins: coupling.bins, bound: coupling.bound,
        elements: half == .first ? first : dimension - first, columns: columns)
    case .affineCoupling(let coupling):
      half = coupling.transforms
      transform = AffineTransform(
        maxLogScale: coupling.maxLogScale,
        elements: half == .first ? first : dimension - first, columns: columns)
    case .affine, .luLinear, .permutation, .slicedSpline:
      preconditionFailure("layer \(index) is no coupling")
    }
    return CouplingLayer(
      dimension: dimension, half: half, columns: columns,
      conditioner: Conditioner(dense, columns: columns, lanes: lanes, index: index, packed: packed),
      transform: transform)
  }
}
