import Tensors

/// In which other positions a picture is one of its kind as well.
public enum Symmetries: String, Codable, Sendable, CaseIterable {
  case none
  /// Mirrored left to right.
  case flips
  /// Mirrored, and turned by quarters: eight positions; of square pictures only.
  case turns

  var count: Int {
    switch self {
    case .none: 1
    case .flips: 2
    case .turns: 8
    }
  }
}

/// What `--augment` says: symmetries, or those that held-out pictures are told best with.
public enum Augmentation: Sendable, Equatable {
  case auto
  case given(Symmetries)
}

/// Every picture of another source in all its positions; picture i stands at i·count, as it is.
struct SymmetricImages: ImageSource {
  let base: any ImageSource
  let symmetries: Symmetries

  /// - Precondition: `turns` go with square pictures.
  init(_ base: any ImageSource, _ symmetries: Symmetries) {
    precondition(symmetries != .turns || base.shape[1] == base.shape[2])
    self.base = base
    self.symmetries = symmetries
  }

  var shape: Shape { base.shape }
  var count: Int { base.count * symmetries.count }
  var roundingVariance: Float { base.roundingVariance }
  var sources: [Int]? {
    (0..<count).map { index in
      let picture = index / symmetries.count
      return base.sources?[picture] ?? picture
    }
  }

  func copy(_ index: Int, into target: UnsafeMutablePointer<Float>) {
    let position = index % symmetries.count
    base.copy(index / symmetries.count, into: target)
    guard position > 0 else { return }
    let plane = shape[1] * shape[2]
    var old = [Float](repeating: 0, count: plane)
    for channel in 0..<shape[0] {
      let values = target + channel * plane
      for element in 0..<plane { old[element] = values[element] }
      for row in 0..<shape[1] {
        for column in 0..<shape[2] {
          values[row * shape[2] + column] = old[Self.origin(row, column, position, shape)]
        }
      }
    }
  }

  /// Where an element of the moved picture comes from: bit 0 mirrors, bits 1 and 2 count quarter turns.
  private static func origin(_ row: Int, _ column: Int, _ position: Int, _ shape: Shape) -> Int {
    let (height, width) = (shape[1], shape[2])
    var (row, column) = (row, position & 1 == 1 ? width - 1 - column : column)
    for _ in 0..<position >> 1 { (row, column) = (column, height - 1 - row) }
    return row * width + column
  }
}
