import Tensors

/// Pictures of one size to train on, as intensities.
public protocol ImageSource: Sendable {
  /// C×H×W.
  var shape: Shape { get }
  var count: Int { get }
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
  package func copy(_ index: Int, into target: UnsafeMutablePointer<Float>) {
    base.copy(indices[index], into: target)
  }
}
