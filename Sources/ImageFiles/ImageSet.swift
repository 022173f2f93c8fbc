import Tensors

/// Many pictures of one shape, stored as they came: bytes stand for intensity byte/255.
public struct ImageSet: Equatable, Sendable {
  /// All pictures one after another, each C×H×W row-major.
  public enum Storage: Equatable, Sendable {
    case bytes([UInt8])
    case floats([Float])
  }

  /// C×H×W of one picture.
  public let shape: Shape
  /// Number of pictures.
  public let count: Int
  public let storage: Storage
  /// For tiles the number of the file that each was cut from, rising; nil where each picture is a file of
  /// its own.
  public let sources: [Int]?

  /// - Precondition: `shape` is C×H×W, and the storage holds `count` of it; one source a picture.
  public init(shape: Shape, count: Int, storage: Storage, sources: [Int]? = nil) {
    precondition(sources == nil || sources!.count == count)
    precondition(shape.rank == 3, "a picture is C×H×W, not \(shape)")
    let elements =
      switch storage {
      case .bytes(let bytes): bytes.count
      case .floats(let floats): floats.count
      }
    precondition(elements == count * shape.count, "\(elements) elements for \(count) × \(shape)")
    self.shape = shape
    self.count = count
    self.storage = storage
    self.sources = sources
  }

  /// Copies the intensities of one picture, `shape.count` of them, to the front of `target`.
  public func copy(_ index: Int, into target: inout MutableSpan<Float>) {
    precondition(0 <= index && index < count && target.count >= shape.count)
    let start = index * shape.count
    switch storage {
    case .bytes(let bytes):
      for i in 0..<shape.count { target[i] = Float(bytes[start + i]) / 255 }
    case .floats(let floats):
      for i in 0..<shape.count { target[i] = floats[start + i] }
    }
  }

  /// One picture's intensities.
  public func tensor(_ index: Int) -> Tensor {
    var values = [Float](repeating: 0, count: shape.count)
    var span = values.mutableSpan
    copy(index, into: &span)
    return Tensor(shape: shape, values: values)
  }

  /// The pictures in `range`, copied.
  public subscript(range: Range<Int>) -> ImageSet {
    precondition(0 <= range.lowerBound && range.upperBound <= count)
    let elements = range.lowerBound * shape.count..<range.upperBound * shape.count
    let part: Storage =
      switch storage {
      case .bytes(let bytes): .bytes(Array(bytes[elements]))
      case .floats(let floats): .floats(Array(floats[elements]))
      }
    return ImageSet(
      shape: shape, count: range.count, storage: part, sources: sources.map { Array($0[range]) })
  }
}
