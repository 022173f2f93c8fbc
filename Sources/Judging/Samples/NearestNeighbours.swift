import Numerics
import Tensors
import Workers

/// Numbers of which each is written by one worker.
private final class Shared<Value: Sendable>: @unchecked Sendable {
  let values: UnsafeMutableBufferPointer<Value>

  init(repeating value: Value, count: Int) {
    values = .allocate(capacity: count)
    values.initialize(repeating: value)
  }

  deinit { values.deallocate() }
}

extension EuclideanPoints {
  /// The nearest of `targets` to each point, and how far it is. The search is in single precision, the
  /// distance of what it finds in double: where two are equally near to 1e-6, either may be found.
  func nearest(in targets: EuclideanPoints, pool: WorkerPool) -> [(index: Int, distance: Double)] {
    precondition(targets.count > 0)
    let best = Shared(repeating: (index: 0, square: Float.infinity), count: count)
    forEachDistance(to: targets, pool: pool) { point, first, squares in
      var (index, square) = best.values[point]
      for (offset, value) in squares.enumerated() where value < square {
        (index, square) = (first + offset, value)
      }
      best.values[point] = (index, square)
    }
    return (0..<count).map { point in
      let index = best.values[point].index
      return (index, squaredDistance(point, to: index, of: targets).squareRoot())
    }
  }

  /// The squared distance from each point to its k-th nearest of the others.
  /// - Precondition: there are more than k points.
  func neighbourhoods(k: Int, pool: WorkerPool) -> [Float] {
    precondition(k >= 1 && count > k)
    // The k smallest squares of each point, in rising order.
    let nearest = Shared(repeating: Float.infinity, count: count * k)
    forEachDistance(to: self, pool: pool) { point, first, squares in
      let own = nearest.values.baseAddress! + point * k
      for (offset, value) in squares.enumerated()
      where value < own[k - 1] && first + offset != point {
        var place = k - 1
        while place > 0 && own[place - 1] > value {
          own[place] = own[place - 1]
          place -= 1
        }
        own[place] = value
      }
    }
    return (0..<count).map { nearest.values[$0 * k + k - 1] }
  }

  /// The share of these points that lie in a ball about one of `targets`.
  /// - Parameter squaredRadii: one for each of `targets`.
  func share(inside targets: EuclideanPoints, squaredRadii: [Float], pool: WorkerPool) -> Double {
    precondition(squaredRadii.count == targets.count && count > 0)
    let isInside = Shared(repeating: false, count: count)
    forEachDistance(to: targets, pool: pool) { point, first, squares in
      guard !isInside.values[point] else { return }
      isInside.values[point] = squares.indices.contains { squares[$0] <= squaredRadii[first + $0] }
    }
    return Double(isInside.values.count { $0 }) / Double(count)
  }
}

/// Precision and recall of a set of points against real ones (Kynkäänniemi et al., NeurIPS 2019, eqs. 1
/// and 2). A set's manifold is taken to be the union of balls about its points, each as large as the
/// distance to its k-th nearest of the others.
struct PrecisionRecall: Equatable {
  /// The share of points inside the manifold of the real ones.
  let precision: Double
  /// The share of the real ones inside the manifold of the points.
  let recall: Double

  /// The number of neighbours of the paper.
  static let neighbours = 3

  /// Cost O((n + m)² D).
  /// - Parameter realRadii: `real.neighbourhoods(k:)`, computed once for several sets of points.
  init(
    of points: EuclideanPoints, against real: EuclideanPoints, realRadii: [Float],
    k: Int = PrecisionRecall.neighbours, pool: WorkerPool
  ) {
    precision = points.share(inside: real, squaredRadii: realRadii, pool: pool)
    recall = real.share(
      inside: points, squaredRadii: points.neighbourhoods(k: k, pool: pool), pool: pool)
  }
}
