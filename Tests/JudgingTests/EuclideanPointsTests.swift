import Randomness
import Tensors
import Testing
import Workers

@testable import Judging
@testable import Numerics

/// n points of N(shift, I) in D dimensions.
func normalPoints(_ count: Int, _ dimension: Int, shift: Double = 0, seed: UInt64)
  -> EuclideanPoints
{
  var stream = RandomKey(seed: seed).child("points").stream()
  return EuclideanPoints(
    FloatBuffer((0..<count * dimension).map { _ in Float(shift + stream.normal()) }),
    dimension: dimension)
}

@Suite struct EuclideanPointsTests {
  // More than one block of each side, and the last ones not full.
  private static let points = normalPoints(300, 7, seed: 1)
  private static let targets = normalPoints(1100, 7, seed: 2)

  private func squares(_ a: EuclideanPoints, _ b: EuclideanPoints) -> [[Double]] {
    (0..<a.count).map { i in (0..<b.count).map { a.squaredDistance(i, to: $0, of: b) } }
  }

  /// Fails when: the product's factor 2 is lost, a row's length is taken for the other's, the last block
  /// is cut short, or a run's first target is miscounted.
  @Test("the nearest targets are those of a search through all, for any number of threads")
  func nearest() {
    let all = squares(Self.points, Self.targets)
    for threads in [1, 2, 3] {
      let found = Self.points.nearest(in: Self.targets, pool: WorkerPool(threads: threads))
      for (row, item) in zip(all, found) {
        let best = row.min()!
        // Single precision: 1e-6 of lengths of about 7.
        #expect(item.distance * item.distance < best + 1e-4)
        #expect(abs(row[item.index] - item.distance * item.distance) < 1e-12)
      }
    }
  }

  /// Fails when: a point is its own neighbour, or the k are not kept in order.
  @Test("neighbourhoods reach to the k-th nearest of the others", arguments: [1, 3, 5])
  func neighbourhoods(k: Int) {
    let found = Self.targets.neighbourhoods(k: k, pool: WorkerPool(threads: 2))
    for (index, row) in squares(Self.targets, Self.targets).enumerated() {
      var others = row
      others.remove(at: index)
      #expect(abs(Double(found[index]) - others.sorted()[k - 1]) < 1e-4)
    }
  }

  @Test("points that agree are at distance 0 of each other, and neighbours for all that")
  func copies() {
    let points = EuclideanPoints(FloatBuffer([1, 2, 1, 2, 5, 6]), dimension: 2)
    let pool = WorkerPool(threads: 1)
    #expect(points.neighbourhoods(k: 1, pool: pool) == [0, 0, 32])
    #expect(points.nearest(in: points, pool: pool).allSatisfy { $0.distance == 0 })
  }

  @Test("about a centre distances are the same")
  func centred() {
    let rows = normalPoints(20, 4, shift: 30, seed: 3)
    let shifted = rows.about([30, 30, 30, 30])
    for target in 0..<20 {
      let difference =
        rows.squaredDistance(0, to: target, of: rows)
        - shifted.squaredDistance(0, to: target, of: shifted)
      #expect(abs(difference) < 1e-3)
    }
    #expect(abs(shifted.values.pointer[0]) < 10)
  }
}

@Suite struct PrecisionRecallTests {
  private let pool = WorkerPool(threads: 2)

  private func measure(_ points: EuclideanPoints, _ real: EuclideanPoints, k: Int = 3)
    -> PrecisionRecall
  {
    PrecisionRecall(
      of: points, against: real, realRadii: real.neighbourhoods(k: k, pool: pool), k: k,
      pool: pool)
  }

  private func line(_ values: Float...) -> EuclideanPoints {
    EuclideanPoints(FloatBuffer(values), dimension: 1)
  }

  @Test("identical sets have 1 and 1, sets far apart 0 and 0")
  func extremes() {
    let real = normalPoints(600, 5, seed: 4)
    let same = measure(real, real)
    #expect(same.precision == 1 && same.recall == 1)
    let apart = measure(normalPoints(600, 5, shift: 50, seed: 5), real)
    #expect(apart.precision == 0 && apart.recall == 0)
    // Of equal distributions nearly all, but not all, lies inside.
    let alike = measure(normalPoints(600, 5, seed: 6), real)
    #expect((0.75..<1).contains(alike.precision) && (0.75..<1).contains(alike.recall))
  }

  /// Real points 0, 1, 3 and 10, k = 1: balls of radius 1, 1, 2 and 7 about them cover [−1, 5] and
  /// [3, 17]. Points 4.9, 5.5, 17.5 and −2: balls of 0.6, 0.6, 12 and 6.9, which cover [−8.9, 4.9],
  /// [4.3, 6.1] and [5.5, 29.5].
  /// Fails when: precision and recall are exchanged; a ball's radius is not that of its centre.
  @Test("on a line it is what can be counted by hand")
  func byHand() {
    let found = measure(line(4.9, 5.5, 17.5, -2), line(0, 1, 3, 10), k: 1)
    #expect(found.precision == 0.5 && found.recall == 1)
    let narrow = measure(line(0.25, 0.5, 0.75), line(0, 1, 3, 10), k: 1)
    #expect(narrow.precision == 1 && narrow.recall == 0.5)
  }

  /// A distribution that is too narrow is precise and recalls little; one too wide the other way round.
  @Test("points too narrow are precise, points too wide recall more")
  func widths() {
    let real = normalPoints(800, 4, seed: 7)
    let base = normalPoints(800, 4, seed: 8)
    func scaled(_ factor: Float) -> EuclideanPoints {
      EuclideanPoints(FloatBuffer(base.values.array.map { factor * $0 }), dimension: 4)
    }
    let (narrow, wide) = (measure(scaled(0.4), real), measure(scaled(2), real))
    #expect(narrow.precision > 0.95 && narrow.recall < 0.6, "\(narrow)")
    #expect(wide.precision < 0.6 && wide.recall > narrow.recall + 0.2, "\(wide)")
  }
}
