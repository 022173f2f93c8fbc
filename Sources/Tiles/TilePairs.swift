/// Pairs of a tile and a component of a mixture with a number for each, in order of component and then tile.
/// Owns its memory; one owner at a time.
///
/// Layout: pair p has `tiles[p]`, `shares[p]`; those of component m are `starts[m]..<starts[m + 1]`.
final class TilePairs {
  private(set) var count = 0
  let tiles: UnsafeMutablePointer<Int32>
  let shares: UnsafeMutablePointer<Float>
  /// M + 1.
  let starts: UnsafeMutablePointer<Int>
  private let components: Int
  private let listed: UnsafeMutablePointer<Int32>
  private let listedTiles: UnsafeMutablePointer<Int32>
  private let listedShares: UnsafeMutablePointer<Float>
  private let next: UnsafeMutablePointer<Int>
  private let capacity: Int

  /// - Parameter rowLength: numbers in a row of `add`, at least M.
  init(mostTiles: Int, components: Int, rowLength: Int) {
    self.components = components
    capacity = mostTiles * rowLength
    tiles = .allocate(capacity: capacity)
    shares = .allocate(capacity: capacity)
    listed = .allocate(capacity: capacity)
    listedTiles = .allocate(capacity: capacity)
    listedShares = .allocate(capacity: capacity)
    starts = .allocate(capacity: components + 1)
    starts.initialize(repeating: 0, count: components + 1)
    next = .allocate(capacity: components)
  }

  deinit {
    for pointer in [tiles, listed, listedTiles] { pointer.deallocate() }
    for pointer in [shares, listedShares] { pointer.deallocate() }
    for pointer in [starts, next] { pointer.deallocate() }
  }

  /// Replaces what is there: for each tile the components whose number in its row is at least the tile's
  /// threshold.
  /// - Parameter rows: tiles × `rowLength`; numbers beyond the components are below any threshold.
  func list(
    _ number: Int, _ rows: UnsafePointer<Float>, rowLength: Int,
    thresholds: UnsafePointer<Float>
  ) {
    precondition(number * rowLength <= capacity)
    var found = 0
    for tile in 0..<number {
      let row = rows + tile * rowLength
      let least = thresholds[tile]
      for component in 0..<components {
        // Written in any case, kept or written over: no branch to be guessed wrongly.
        listed[found] = Int32(truncatingIfNeeded: component)
        listedTiles[found] = Int32(truncatingIfNeeded: tile)
        listedShares[found] = row[component]
        found &+= row[component] >= least ? 1 : 0
        if found == capacity { break }
      }
    }
    count = found
    // Counting sort by component.
    next.update(repeating: 0, count: components)
    for pair in 0..<found { next[Int(listed[pair])] += 1 }
    var place = 0
    for component in 0..<components {
      starts[component] = place
      place += next[component]
      next[component] = starts[component]
    }
    starts[components] = place
    for pair in 0..<found {
      let component = Int(listed[pair])
      let place = next[component]
      next[component] = place + 1
      tiles[place] = listedTiles[pair]
      shares[place] = listedShares[pair]
    }
  }

  /// Drops all pairs but those that `isKept`, telling each that stays from where it goes where.
  func keep(
    _ isKept: (_ pair: Int) -> Bool, moving: (_ pair: Int, _ place: Int) -> Void
  ) {
    var place = 0
    for component in 0..<components {
      let range = starts[component]..<starts[component + 1]
      next[component] = place
      for pair in range where isKept(pair) {
        tiles[place] = tiles[pair]
        shares[place] = shares[pair]
        if place != pair { moving(pair, place) }
        place += 1
      }
    }
    starts.update(from: next, count: components)
    starts[components] = place
    count = place
  }
}
