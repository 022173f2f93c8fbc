import Tensors

/// Pictures of one size to train on, as intensities.
public protocol ImageSource: Sendable {
  /// C×H×W.
  var shape: Shape { get }
  var count: Int { get }
  /// Variance of what intensities lost by being stored in whole grey levels, step²/12; 0 where that is
  /// not known.
  var roundingVariance: Float { get }
  /// A number for each picture, the same for those cut from one file; nil where each is a file of its own.
  var sources: [Int]? { get }
  /// Copies picture `index` to `target`, which has room for `shape.count` numbers.
  func copy(_ index: Int, into target: UnsafeMutablePointer<Float>)
}

/// Some of the pictures of another source, in a given order.
package struct ImageSubset: ImageSource {
  let base: any ImageSource
  let indices: [Int]

  package init(_ base: any ImageSource, _ indices: [Int]) {
    self.base = base
    self.indices = indices
  }

  package var shape: Shape { base.shape }
  package var count: Int { indices.count }
  package var roundingVariance: Float { base.roundingVariance }
  package var sources: [Int]? { base.sources.map { sources in indices.map { sources[$0] } } }
  package func copy(_ index: Int, into target: UnsafeMutablePointer<Float>) {
    base.copy(indices[index], into: target)
  }
}
