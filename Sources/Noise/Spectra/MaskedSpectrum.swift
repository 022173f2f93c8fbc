import Maps

/// A power spectrum of which only some cells are data: channels with the same spectrum, each on its
/// own, on a periodic grid. The grid may be larger than the picture; then opposite edges of the
/// picture are no neighbours ("embedding", the circulant embedding of Dietrich and Newsam 1997).
public struct MaskedSpectrum: Sendable, Equatable {
  public let spectrum: PowerSpectrum
  public let channels: Int
  /// Cell of each datum in the C·H·W cells of the spectrum's grids, row-major, ascending.
  public let cells: [Int]
  /// The number of observed cells.
  public var dimension: Int { cells.count }
  /// Whether every cell of the grid is a datum.
  public var isComplete: Bool { cells.count == channels * spectrum.values.count }

  /// The data are the observed cells of the grids, in row-major order.
  ///
  /// - Parameter observed: C·H·W flags, channels first.
  /// - Throws: `unusable` when the number of flags is another, or none is set.
  /// - Precondition: `channels` ≥ 1.
  public init(
    _ spectrum: PowerSpectrum, channels: Int = 1, observed: [Bool]
  ) throws(PlanError) {
    try self.init(
      embedding: spectrum, height: spectrum.height, width: spectrum.width, channels: channels,
      observed: observed)
  }

  /// Pictures of height×width cells in a corner of a larger periodic grid; the data are the observed
  /// cells of the pictures, in row-major order. With a grid of at least twice the picture's extents
  /// no pair of cells is closer across the border than within the picture.
  ///
  /// - Parameter observed: C·height·width flags, channels first.
  /// - Throws: `unusable` when the grid is smaller than the picture, the number of flags is another, or
  ///   none is set.
  /// - Precondition: `channels` ≥ 1.
  public init(
    embedding spectrum: PowerSpectrum, height: Int, width: Int, channels: Int = 1,
    observed: [Bool]
  ) throws(PlanError) {
    precondition(channels >= 1)
    guard observed.count.isMultiple(of: channels),
      Self.isPicture(height, width, cells: observed.count / channels)
    else {
      throw .unusable(
        "\(observed.count) flags of observed cells for \(channels) × \(height)×\(width) cells")
    }
    guard height <= spectrum.height, width <= spectrum.width else {
      throw .unusable(
        "pictures of \(height)×\(width) cells in a grid of \(spectrum.height)×\(spectrum.width)")
    }
    guard observed.contains(true) else { throw .unusable("no cell is observed") }
    guard channels * spectrum.values.count < Int(Int32.max) else {
      throw .tooLarge("\(channels) grids of \(spectrum.height)×\(spectrum.width) cells")
    }
    self.spectrum = spectrum
    self.channels = channels
    cells = observed.indices.filter { observed[$0] }.map { index in
      let (row, column) = (index / width, index % width)
      let (channel, line) = (row / height, row % height)
      return (channel * spectrum.height + line) * spectrum.width + column
    }
  }

  /// Whether height×width is that many cells, at least one.
  static func isPicture(_ height: Int, _ width: Int, cells: Int) -> Bool {
    let (product, overflow) = height.multipliedReportingOverflow(by: width)
    return height >= 1 && width >= 1 && !overflow && product == cells
  }

  /// The extent of a periodic grid that holds `extent` cells without making its ends neighbours: the
  /// least 2ᵃ3ᵇ5ᶜ (which FFTW is fast for) that is at least twice as long; 1 for 1, which has no ends.
  public static func embeddingExtent(_ extent: Int) -> Int {
    guard extent > 1 else { return 1 }
    var candidate = 2 * extent
    while true {
      var rest = candidate
      for prime in [2, 3, 5] { while rest % prime == 0 { rest /= prime } }
      if rest == 1 { return candidate }
      candidate += 1
    }
  }
}
