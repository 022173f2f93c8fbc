import Foundation
import Tensors

/// Values at the ends of an instrument's range: those that clipped noise piled up there, and those that
/// stand alone, as dead and hot pixels do.
///
/// A value at an end stands alone when the median of the observed values around it (5×5 of the same
/// channel) is farther from the end than four times their scatter, 1.4826 times the median distance from
/// that median, and the nearest of its eight neighbours is farther than three times it; the scatter counts
/// as at least its middle over the picture, and as at least a sixteenth of the range. Clipped noise puts a
/// value there that its neighbours are near as well, whether they were clipped or not: with noise of σ a
/// pixel of intensity m is clipped with probability Φ(−m/σ), 3e-5 at the bound.
///
/// Measured on 300 Fashion-MNIST pictures and 135 crops of nine photographs, at each σ of 0.005, 0.02, 0.05,
/// 0.1 and 0.2: pictures without dead pixels are told to have one in at most 1.3 % and 1.5 %; a dead pixel on
/// a part brighter than a half is found in 36 to 48 % (edges hide it) and 50 to 82 % up to σ = 0.1.
///
/// Data count as clipped when at least four of the others, and at least one in two hundred, lie at or
/// beyond one end. A picture stretched over its own range has one value at each end and does not count. A
/// noise-free picture with a black background does: taking its zeros as "0 or less" is still true, and
/// costs little, since means are never below zero. Where fewer values are clipped than this, treating them
/// as measured changes the answer by less than they weigh.
public struct ClippingPileUp: Sendable, Equatable {
  /// Whether values pile up at an end.
  public let isClipped: Bool
  /// Row-major indices of the values that stand alone at an end, ascending. Empty when they are more than
  /// one in fifty: then they are no exception.
  public let isolated: [Int]

  /// - Parameters:
  ///   - picture: C×H×W.
  ///   - observed: one flag for each value; nil for all.
  /// - Precondition: `picture` is C×H×W and `observed` has one flag for each value.
  public init(_ picture: Tensor, observed: [Bool]? = nil, low: Float = 0, high: Float = 1) {
    precondition(picture.shape.rank == 3)
    precondition(observed.map { $0.count == picture.count } ?? true)
    let values = picture.values
    func isSeen(_ index: Int) -> Bool { observed?[index] ?? true }
    let count = observed?.count { $0 } ?? values.count
    let atEnds = values.indices.filter { isSeen($0) && (values[$0] <= low || values[$0] >= high) }
    guard !atEnds.isEmpty else {
      (isClipped, isolated) = (false, [])
      return
    }
    let around = Neighbourhoods(picture, observed)
    // The middle scatter, from at most about a thousand places.
    let step = max(1, values.count / 1000)
    let scatters = stride(from: 0, to: values.count, by: step).compactMap {
      around.summary($0)?.scatter
    }
    let floor = max(middle(scatters), (high - low) / 16)
    let alone = atEnds.filter { index in
      guard let (center, scatter) = around.summary(index) else { return false }
      let end = values[index] <= low ? low : high
      let unit = max(scatter, floor)
      return abs(center - end) > 4 * unit && around.distance(index, from: end) > 3 * unit
    }
    isolated = 50 * alone.count <= count ? alone : []
    let others = Set(isolated)
    var (atLow, atHigh) = (0, 0)
    for index in atEnds where !others.contains(index) {
      if values[index] <= low { atLow += 1 }
      if values[index] >= high { atHigh += 1 }
    }
    isClipped = max(atLow, atHigh) >= max(4, (count + 199) / 200)
  }
}

/// What lies around each pixel.
private struct Neighbourhoods {
  let picture: Tensor
  let observed: [Bool]?

  init(_ picture: Tensor, _ observed: [Bool]?) {
    (self.picture, self.observed) = (picture, observed)
  }

  /// From `end` to the nearest of the observed ones among the eight neighbours.
  func distance(_ index: Int, from end: Float) -> Float {
    around(index, reach: 1).map { abs($0 - end) }.min() ?? 0
  }

  /// The observed values up to `reach` rows and columns away, without the element's own.
  private func around(_ index: Int, reach: Int) -> [Float] {
    let (height, width) = (picture.shape[1], picture.shape[2])
    let (row, column) = (index / width % height, index % width)
    let start = index - row * width - column
    var values: [Float] = []
    for y in max(row - reach, 0)...min(row + reach, height - 1) {
      for x in max(column - reach, 0)...min(column + reach, width - 1) where (y, x) != (row, column)
      {
        let place = start + y * width + x
        if observed?[place] ?? true { values.append(picture.values[place]) }
      }
    }
    return values
  }

  /// Median and scatter of the observed values around an element; nil for fewer than five.
  func summary(_ index: Int) -> (center: Float, scatter: Float)? {
    let values = around(index, reach: 2)
    guard values.count >= 5 else { return nil }
    let center = middle(values)
    return (center, 1.4826 * middle(values.map { abs($0 - center) }))
  }
}

/// The upper median; 0 of nothing.
private func middle(_ values: [Float]) -> Float {
  values.isEmpty ? 0 : values.sorted()[values.count / 2]
}
