/// The elementwise map of a coupling layer, x ↦ t(x; θ), over `elements` rows of `columns` lanes.
/// It owns what its vjps need. θ is [elements·P, columns], row i·P + p for number p of element i;
/// `normalize` and `generate` may overwrite it with what the vjps need; these write dθ, laid out alike.
protocol CouplingTransform: AnyObject {
  /// y = t(x; θ), and adds ln ∂t/∂x to each column of `logDeterminants`.
  func normalize(
    _ x: UnsafePointer<Float>, into y: UnsafeMutablePointer<Float>,
    logDeterminants: UnsafeMutablePointer<Float>, theta: UnsafeMutablePointer<Float>)
  /// Turns `cotangent` from dy into dx and writes dθ.
  func normalizeVJP(
    _ cotangent: UnsafeMutablePointer<Float>, _ dLogDeterminants: UnsafePointer<Float>,
    theta: UnsafePointer<Float>, dTheta: UnsafeMutablePointer<Float>)
  /// Turns `values` from y into x = t⁻¹(y; θ).
  func generate(_ values: UnsafeMutablePointer<Float>, theta: UnsafeMutablePointer<Float>)
  /// Turns `cotangent` from dx into dy and writes dθ. From y = t(x; θ) held fixed or moved,
  /// dx = (dy − ∂t/∂θ dθ)/t'(x): the cotangents are ȳ = x̄/t' and θ̄ = −(∂t/∂θ)ᵀ x̄/t'.
  func generateVJP(
    _ cotangent: UnsafeMutablePointer<Float>, theta: UnsafePointer<Float>,
    dTheta: UnsafeMutablePointer<Float>)
}
