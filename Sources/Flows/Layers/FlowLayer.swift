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
