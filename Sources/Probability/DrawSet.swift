/// A set of draws of a D-dimensional position from several chains of equal length.
public struct DrawSet: Sendable, Equatable {
  public let chains: Int
  /// Draws kept per chain.
  public let draws: Int
  public let dimension: Int
  /// Positions, chains × draws × dimension, row-major.
  public let positions: [Double]
  /// Log density (nats) of each draw, chains × draws.
  public let logDensities: [Double]

  /// - Precondition: the arrays have the sizes that the counts ask for.
  public init(
    chains: Int, draws: Int, dimension: Int, positions: [Double], logDensities: [Double]
  ) {
    precondition(positions.count == chains * draws * dimension)
    precondition(logDensities.count == chains * draws)
    self.chains = chains
    self.draws = draws
    self.dimension = dimension
    self.positions = positions
    self.logDensities = logDensities
  }

  /// The position of one draw: `dimension` numbers.
  public func position(chain: Int, draw: Int) -> ArraySlice<Double> {
    let start = (chain * draws + draw) * dimension
    return positions[start..<start + dimension]
  }

  /// The trace of one coordinate, chains × draws.
  public func coordinate(_ index: Int) -> [[Double]] {
    precondition((0..<dimension).contains(index))
    return (0..<chains).map { chain in
      (0..<draws).map { positions[(chain * draws + $0) * dimension + index] }
    }
  }
}
