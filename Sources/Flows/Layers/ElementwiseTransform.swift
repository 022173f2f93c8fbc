/// The elementwise map of a coupling or of a masked layer, x ↦ t(x; θ), over rows of `columns` lanes, one
/// for each element. It owns what its vjps need. θ is [elements·P, columns], row i·P + p for number p of
/// element i; `normalize` and `generate` may overwrite it with what the vjps need; these write dθ, laid
/// out alike. Pointers address element 0.
protocol ElementwiseTransform: AnyObject {
  /// y = t(x; θ), and adds ln ∂t/∂x to each column of `logDeterminants`.
  func normalize(
    _ x: UnsafePointer<Float>, into y: UnsafeMutablePointer<Float>,
    logDeterminants: UnsafeMutablePointer<Float>, theta: UnsafeMutablePointer<Float>)
  /// Turns `cotangent` from dy into dx and writes dθ.
  func normalizeVJP(
    _ cotangent: UnsafeMutablePointer<Float>, _ dLogDeterminants: UnsafePointer<Float>,
    theta: UnsafePointer<Float>, dTheta: UnsafeMutablePointer<Float>)
  /// Turns `values` of some elements from y into x = t⁻¹(y; θ).
  func generate(
    _ values: UnsafeMutablePointer<Float>, elements: Range<Int>, theta: UnsafeMutablePointer<Float>)
  /// Turns `cotangent` of some elements from dx into dy and writes their dθ. From y = t(x; θ) held fixed
  /// or moved, dx = (dy − ∂t/∂θ dθ)/t'(x): the cotangents are ȳ = x̄/t' and θ̄ = −(∂t/∂θ)ᵀ x̄/t'.
  func generateVJP(
    _ cotangent: UnsafeMutablePointer<Float>, elements: Range<Int>, theta: UnsafePointer<Float>,
    dTheta: UnsafeMutablePointer<Float>)
}
