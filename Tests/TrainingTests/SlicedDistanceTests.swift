import Flows
import Foundation
import Numerics
import Randomness
import Tensors
import Testing
import Workers

@testable import Training

@Suite struct SlicedDistanceTests {
  private let dimension = 6

  /// m codes, feature by feature: N(0, I) but for the unit direction a, along which they are ±0.8 with
  /// a spread of 0.6, of variance one too.
  private func codes(_ count: Int, along a: [Double], seed: UInt64 = 3) -> FloatBuffer {
    var stream = RandomKey(seed: seed).child("two heaps").stream()
    let result = FloatBuffer(dimension * count)
    for item in 0..<count {
      let x = stream.normals(dimension)
      let along = zip(x, a).reduce(0) { $0 + $1.0 * $1.1 }
      let bent = (stream.uniform() < 0.5 ? 0.8 : -0.8) + 0.6 * along
      for k in 0..<dimension {
        result.pointer[k * count + item] = Float(x[k] + (bent - along) * a[k])
      }
    }
    return result
  }

  private func unit(_ seed: UInt64, rows: Int = 1) -> [Double] {
    var stream = RandomKey(seed: seed).stream()
    return orthonormalRows(stream.normals(rows * dimension), columns: dimension)
  }

  /// Along a coordinate of N(0, I) moved by 0.5 the squared distance is 0.25, with a sampling error of
  /// 2·0.5/√m = 0.0071 at m = 20,000.
  /// Seen to fail: the distance doubled.
  @Test("the distance of a shifted normal is its shift squared")
  func shiftedNormal() {
    let count = 20_000
    var stream = RandomKey(seed: 4).stream()
    let codes = FloatBuffer(stream.normals(dimension * count).map { Float($0) })
    for item in 0..<count { codes.pointer[2 * count + item] += 0.5 }
    let distance = SlicedDistance(
      codes: codes, dimension: dimension, directions: 2, pool: WorkerPool(threads: 2))
    var directions = [Double](repeating: 0, count: 2 * dimension)
    directions[2] = 1
    directions[dimension + 4] = 1
    #expect(abs(distance.value(directions) - 0.25) < 4 * 0.0071)
  }

  /// Along itself, so that the slope is large; the remainders are along another direction.
  /// Fails when: the distance's gradient is twice or half what it is.
  @Test("the gradient is that of differences, and its remainders fall as h²")
  func gradientMatchesDifferences() {
    let distance = SlicedDistance(
      codes: codes(2000, along: unit(1)), dimension: dimension, directions: 3,
      pool: WorkerPool(threads: 2))
    let directions = unit(2, rows: 3)
    let value = distance.value(directions)
    let gradient = distance.gradient()
    func along(_ h: Double) -> Double {
      distance.value(zip(directions, gradient).map { $0 + h * $1 })
    }
    let square = gradient.reduce(0) { $0 + $1 * $1 }
    // h² times the third derivative, and single precision: 1e-7 over h.
    let h = 0.01 / square.squareRoot()
    let steepest = (along(h) - along(-h)) / (2 * h)
    #expect(abs(steepest / square - 1) < 0.01, "\(steepest) \(square)")
    var stream = RandomKey(seed: 5).stream()
    let move = stream.normals(directions.count)
    let slope = zip(gradient, move).reduce(0) { $0 + $1.0 * $1.1 }
    func remainder(_ h: Double) -> Double {
      let moved = distance.value(zip(directions, move).map { $0 + h * $1 })
      return abs(moved - value - h * slope)
    }
    // 16 but for changes of order, and single precision of values of order one: 1e-7 of 1e-4.
    let ratio = remainder(0.04) / remainder(0.01)
    #expect(ratio > 12 && ratio < 20, "\(ratio)")
  }

  /// Two heaps have a distance of their own; directions of the normal rest have sampling error only.
  /// Seen to fail: the sign of the step.
  @Test("the search finds the direction that is not normal")
  func findsTheDirection() {
    let hidden = unit(1)
    let distance = SlicedDistance(
      codes: codes(8000, along: hidden), dimension: dimension, directions: 2,
      pool: WorkerPool(threads: 2))
    let start = unit(6, rows: 2)
    let found = distance.maximized(from: start, iterations: 100)
    #expect(distance.value(found) > distance.value(start))
    func product(_ row: Int, _ b: ArraySlice<Double>) -> Double {
      zip(found[row * dimension..<(row + 1) * dimension], b).reduce(0) { $0 + $1.0 * $1.1 }
    }
    // The plane of both rows holds the direction: how much of it lies across is left.
    let within = (0..<2).reduce(0) { $0 + product($1, hidden[...]) * product($1, hidden[...]) }
    #expect(within > 0.98, "\(within)")
    #expect(abs(product(0, found[dimension...])) < 1e-12)
    #expect(abs(product(0, found[..<dimension]) - 1) < 1e-12)
  }
}
