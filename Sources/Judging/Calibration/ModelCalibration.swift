import Diagnostics
import ImageFiles
import Inversion
import Problems
import Randomness
import Tensors

/// How many elements of one held-out picture the central intervals of their draws hold.
package struct CoverageRecord: Codable, Sendable {
  /// Elements, of which `covered` counts: where the data see the picture, and where they do not.
  let counts: [Int]
  /// Observed, missing × masses.
  let covered: [[Int]]
  /// Observed, missing × factors: elements in the 90 % interval stretched about its median.
  let stretched: [[Int]]
  let divergences: Int

  static let masses = [0.5, 0.8, 0.9, 0.95]
  static let stretchedMass = 0.9
  /// What the half widths of the 90 % interval are multiplied by.
  static let factors = (0...40).map { 0.5 + 0.05 * Double($0) }
}

/// Is the model right: held-out pictures with the same damage, and how often the intervals hold the truth.
///
/// Pictures stored as bytes are known to half a grey level only, and half of the pixels of many are black
/// exactly, which every interval about black holds, however narrow: so the truth that is looked for is
/// spread evenly over its grey level, as the picture before rounding may have been.
package struct ModelCalibration {
  let problem: CalibrationProblem
  let images: ImageSet
  /// The order in which pictures are taken, the same for any number of them.
  private let order: [Int]

  package init(_ problem: CalibrationProblem, images: ImageSet, key: RandomKey) {
    self.problem = problem
    self.images = images
    var stream = key.child("order").stream()
    let lots = (0..<images.count).map { _ in stream.uniform() }
    order = (0..<images.count).sorted { lots[$0] < lots[$1] }
  }

  /// The records of pictures `range` of the order.
  package func records(
    _ range: Range<Int>, key: RandomKey, progress: (SolveProgress) -> Bool
  ) throws -> [CoverageRecord] {
    let truths = range.map { images.tensor(order[$0]).values }
    let isRounded = if case .bytes = images.storage { true } else { false }
    let pictures = try range.map {
      try problem.damaged(truths[$0 - range.lowerBound], key: key.child("noise").child($0))
    }
    let batch = try problem.solve(
      pictures, key: key.child("solve").child(range.lowerBound), progress: progress)
    return try problem.solver.pool.map(pictures.count) { index in
      let run = batch.run.problems[index]
      let drawn = try PosteriorPictures.drawn(
        CalibrateOptions.drawnPictures, posterior: batch.posterior, problem: index,
        draws: run.draws, residual: batch.measurement.residuals[index],
        key: key.child("pictures").child(range.lowerBound + index))
      var stream = key.child("rounding").child(range.lowerBound + index).stream()
      let before = truths[index].map { value in
        isRounded ? value + Float(stream.uniform() - 0.5) / 255 : value
      }
      return record(
        before, drawn, isKnown: pictures[index].suggestion.isKnown,
        divergences: run.divergences)
    }
  }

  private func record(
    _ truth: [Float], _ drawn: [Tensor], isKnown: [Bool], divergences: Int
  ) -> CoverageRecord {
    let masses = CoverageRecord.masses
    var counts = [0, 0]
    var covered = [[Int]](repeating: [Int](repeating: 0, count: masses.count), count: 2)
    var stretched = [[Int]](
      repeating: [Int](repeating: 0, count: CoverageRecord.factors.count), count: 2)
    for element in truth.indices {
      let side = isKnown[element] ? 0 : 1
      let sorted = drawn.map { Double($0.values[element]) }.sorted()
      let value = Double(truth[element])
      counts[side] += 1
      // With n draws the truth's rank is one of n + 1, so the interval of mass p leaves out
      // (1 − p)(n + 1)/2 ranks on either side.
      func interval(_ mass: Double) -> (Double, Double) {
        let outside = Int(((1 - mass) * Double(sorted.count + 1) / 2).rounded()) - 1
        return (sorted[max(outside, 0)], sorted[sorted.count - 1 - max(outside, 0)])
      }
      for (index, mass) in masses.enumerated() {
        let (low, high) = interval(mass)
        if value >= low && value <= high { covered[side][index] += 1 }
      }
      let (low, high) = interval(CoverageRecord.stretchedMass)
      let middle = sorted[sorted.count / 2]
      for (index, factor) in CoverageRecord.factors.enumerated()
      where value >= middle - factor * (middle - low)
        && value <= middle + factor * (high - middle)
      {
        stretched[side][index] += 1
      }
    }
    return CoverageRecord(
      counts: counts, covered: covered, stretched: stretched, divergences: divergences)
  }
}
