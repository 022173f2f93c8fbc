import LawCheckers
import Maps
import Randomness
import Testing

@testable import Likelihoods
@testable import Noise
@testable import Numerics

private let key = RandomKey(seed: 59)

/// A masked 6×10 grid with the factor of its covariance.
private struct Problem {
  let grid: MaskedSpectrum
  let factor: InverseFactor
  let covariance: [Double]
  var count: Int { grid.dimension }

  init(neighbours: Int) throws {
    let spectrum = try PowerSpectrum.power(exponent: 2, sigma: 1, height: 6, width: 10)
    grid = try MaskedSpectrum(spectrum, observed: (0..<60).map { $0 % 7 != 5 })
    let zeros = [Double](repeating: 0, count: grid.dimension)
    factor = try InverseFactor(
      CovarianceElements(variances: zeros, grids: [grid]), dimension: grid.dimension, grid: grid,
      neighbours: neighbours, singular: { .unusable("\($0)") })
    covariance = submatrix(stationaryCovariance(spectrum), grid.cells)
  }

  func apply(_ x: [Double]) -> [Double] {
    var y = x
    factor.apply(x, into: &y)
    return y
  }

  func applyTransposed(_ x: [Double]) -> [Double] {
    var y = x
    factor.applyTransposed(x, into: &y)
    return y
  }
}

@Suite struct InverseFactorTests {
  // Fails when: a row is scaled by the pivot once more; the datum is not the last of its row.
  @Test(arguments: [1, 4, 9])
  func whitenedDataHaveUnitVariance(_ neighbours: Int) throws {
    let problem = try Problem(neighbours: neighbours)
    let count = problem.count
    for row in 0..<count {
      var unit = [Double](repeating: 0, count: count)
      unit[row] = 1
      let weights = problem.applyTransposed(unit)
      var variance = 0.0
      for i in 0..<count {
        for j in 0..<count {
          variance += weights[i] * problem.covariance[i * count + j] * weights[j]
        }
      }
      // The elements are in single precision.
      #expect(abs(variance - 1) < 1e-6)
    }
  }

  // Fails when: the transpose, the normal form or the solve leaves out an element or the diagonal.
  @Test(arguments: [1, 6])
  func productsAgree(_ neighbours: Int) throws {
    let problem = try Problem(neighbours: neighbours)
    var stream = key.stream()
    let (x, y) = (stream.normals(problem.count), stream.normals(problem.count))
    func dot(_ a: [Double], _ b: [Double]) -> Double { zip(a, b).reduce(0) { $0 + $1.0 * $1.1 } }
    let image = problem.apply(x)
    #expect(abs(dot(image, y) - dot(x, problem.applyTransposed(y))) < 1e-10 * dot(image, image))
    var normal = x
    let square = problem.factor.applyNormal(x, into: &normal)
    #expect(abs(square - dot(image, image)) < 1e-12 * square)
    let expected = problem.applyTransposed(image)
    #expect(zip(normal, expected).allSatisfy { abs($0 - $1) < 1e-10 * square })
    var back = image
    problem.factor.solve(image, into: &back)
    #expect(zip(back, x).allSatisfy { abs($0 - $1) < 1e-9 })
  }

  // Fails when: the predecessors are unrestricted, so that G is no triangle.
  @Test func everyDatumComesAfterItsNeighbours() throws {
    let grid = try Problem(neighbours: 1).grid
    let neighbours = NeighbourOrder(grid)
    let order = neighbours.order
    var place = [Int](repeating: -1, count: order.count)
    for (index, datum) in order.enumerated() { place[Int(datum)] = index }
    #expect(!place.contains(-1))
    var list: [Int32] = []
    for datum in 0..<order.count {
      neighbours.predecessors(of: datum, count: 30, into: &list)
      #expect(list.allSatisfy { place[Int($0)] < place[datum] })
      #expect(Set(list).count == list.count)
      if place[datum] > 0 { #expect(!list.isEmpty, "\(grid.cells[datum])") }
    }
  }

  /// The point of it all: with 30 neighbours what is left is near the identity.
  @Test func moreNeighboursAreNearer() throws {
    var stream = key.child("near").stream()
    let spread = try [2, 8, 30].map { neighbours in
      let problem = try Problem(neighbours: neighbours)
      let x = stream.normals(problem.count)
      let pulled = problem.applyTransposed(x)
      let count = problem.count
      let product = (0..<count).map { i in
        (0..<count).reduce(0.0) { $0 + problem.covariance[i * count + $1] * pulled[$1] }
      }
      let back = problem.apply(product)
      return zip(back, x).reduce(0.0) { $0 + ($1.0 - $1.1) * ($1.0 - $1.1) } / Double(count)
    }
    #expect(spread[0] > 2 * spread[1] && spread[1] > 2 * spread[2], "\(spread)")
    #expect(spread[2] < 2e-2)
  }
}
