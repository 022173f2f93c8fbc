import Maps
import Randomness
import Tensors

extension CorruptOptions.Hole {
  /// One flag for each datum, the same for all channels; nil without a hole.
  package func observed(_ shape: Shape, key: RandomKey) throws -> [Bool]? {
    if self == .none { return nil }
    guard shape.rank == 3 else {
      throw PipelineError.configuration(
        "frequencies have no mask: name the measured ones in the fourier step")
    }
    let (height, width) = (shape[1], shape[2])
    var flags = [Bool](repeating: true, count: width * height)
    switch self {
    case .none: return nil
    case .mask(let path): return try DamagedPicture.readMask(path, shape: shape).observed
    case .rectangle(let rows, let columns):
      guard (0..<height).contains(rows.upperBound), rows.lowerBound >= 0,
        (0..<width).contains(columns.upperBound), columns.lowerBound >= 0
      else {
        throw PipelineError.usage(
          "the rectangle reaches outside the picture of \(width)x\(height) pixels")
      }
      for row in rows {
        for column in columns { flags[row * width + column] = false }
      }
    case .random(let fraction):
      guard fraction > 0, fraction < 1 else {
        throw PipelineError.usage("--missing must lie between 0 and 1")
      }
      var stream = key.stream()
      for index in flags.indices { flags[index] = stream.uniform() >= fraction }
    }
    guard flags.contains(true) else {
      throw PipelineError.usage("nothing would be observed; leave some pixels")
    }
    return (0..<shape[0]).flatMap { _ in flags }
  }
}
