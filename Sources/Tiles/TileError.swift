/// Why there is no tile prior, or no answer from one.
public enum TileError: Error, Equatable, CustomStringConvertible {
  /// The parts of a prior do not fit one another, or a covariance is none.
  case parts(String)
  /// The data do not fit the prior or one another; what and where.
  case data(String)

  public var description: String {
    switch self {
    case .parts(let what): "the tile prior's parts do not fit: \(what)"
    case .data(let what): what
    }
  }
}
