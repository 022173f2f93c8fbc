/// (kept, moved) ↦ (kept, t(moved; θ(kept))). The halves are contiguous blocks of rows.
final class CouplingLayer: NormalizingLayer, GeneratingLayer {
  private let columns: Int
  private let keptCount: Int
  private let movedCount: Int
  /// Offsets of the two halves, in numbers.
  private let kept: Int
  private let moved: Int
  private let conditioner: Conditioner
  private let transform: any ElementwiseTransform

  init(
    dimension: Int, half: CouplingHalf, columns: Int, conditioner: Conditioner,
    transform: any ElementwiseTransform
  ) {
    self.columns = columns
    let first = dimension / 2
    kept = half == .first ? first * columns : 0
    moved = half == .first ? 0 : first * columns
    keptCount = (half == .first ? dimension - first : first) * columns
    movedCount = half.count(dimension: dimension)
    self.conditioner = conditioner
    self.transform = transform
  }

  func normalize(
    _ x: UnsafePointer<Float>, into y: UnsafeMutablePointer<Float>,
    logDeterminants: UnsafeMutablePointer<Float>, parameters: UnsafePointer<Float>,
    masks: DropoutMasks?
  ) {
    conditioner.apply(x + kept, parameters: parameters, masks: masks)
    (y + kept).update(from: x + kept, count: keptCount)
    transform.normalize(
      x + moved, into: y + moved, logDeterminants: logDeterminants,
      theta: conditioner.output.pointer)
  }

  func normalizeVJP(
    _ cotangent: UnsafeMutablePointer<Float>, _ dLogDeterminants: UnsafePointer<Float>,
    at x: UnsafePointer<Float>, parameters: UnsafePointer<Float>,
    gradient: UnsafeMutablePointer<Float>?
  ) {
    transform.normalizeVJP(
      cotangent + moved, dLogDeterminants, theta: conditioner.output.pointer,
      dTheta: conditioner.dOutput.pointer)
    conditioner.vjp(
      addingTo: cotangent + kept, parameters: parameters,
      training: gradient.map { (input: x + kept, gradient: $0) })
  }

  func generate(_ values: UnsafeMutablePointer<Float>, parameters: UnsafePointer<Float>) {
    conditioner.apply(values + kept, parameters: parameters, masks: nil)
    transform.generate(values + moved, elements: 0..<movedCount, theta: conditioner.output.pointer)
  }

  func generateVJP(_ cotangent: UnsafeMutablePointer<Float>, parameters: UnsafePointer<Float>) {
    transform.generateVJP(
      cotangent + moved, elements: 0..<movedCount, theta: conditioner.output.pointer,
      dTheta: conditioner.dOutput.pointer)
    conditioner.vjp(addingTo: cotangent + kept, parameters: parameters, training: nil)
  }
}
