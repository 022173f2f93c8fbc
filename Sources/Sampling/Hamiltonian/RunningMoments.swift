import CLAPACK
import Numerics

/// Mean and scatter Σ (x − x̄)(x − x̄)ᵀ of positions, one at a time.
///
/// Source: Welford, "Note on a method for calculating corrected sums of squares and products", 1962.
package struct RunningMoments {
  package enum Shape: Sendable {
    /// D sums of squares.
    case diagonal
    /// D × D, row-major.
    case full
  }

  package let shape: Shape
  package private(set) var count = 0
  package private(set) var mean: [Double]
  package private(set) var scatter: [Double]
  private var difference: [Double]

  package init(dimension: Int, shape: Shape) {
    self.shape = shape
    mean = [Double](repeating: 0, count: dimension)
    difference = mean
    let size = shape == .full ? dimension * dimension : dimension
    scatter = [Double](repeating: 0, count: size)
  }

  package mutating func add(_ position: [Double]) {
    count += 1
    for i in mean.indices {
      difference[i] = position[i] - mean[i]
      mean[i] += difference[i] / Double(count)
    }
    // x_n − x̄_{n−1} = d contributes (n − 1)/n d dᵀ.
    addScatter(of: difference, weight: Double(count - 1) / Double(count))
  }

  package mutating func reset() {
    count = 0
    for i in mean.indices { mean[i] = 0 }
    for i in scatter.indices { scatter[i] = 0 }
  }

  /// Adds weight · d dᵀ, or its diagonal.
  mutating func addScatter(of d: [Double], weight: Double) {
    let dimension = d.count
    switch shape {
    case .diagonal:
      for i in 0..<dimension { scatter[i] += weight * d[i] * d[i] }
    case .full:
      for i in 0..<dimension {
        let scale = weight * d[i]
        for j in 0..<dimension { scatter[i * dimension + j] += scale * d[j] }
      }
    }
  }

  /// Element (i, i) of the scatter.
  func scatterDiagonal(_ i: Int) -> Double {
    scatter[shape == .full ? i * (mean.count + 1) : i]
  }

  /// The moments of several chains of one problem.
  ///
  /// Where the chains agree, these are the moments of all their draws about the grand mean. Where they
  /// do not (some coordinate's classical R̂ exceeds 1.2), distances between chains say nothing of the
  /// local scale, and the scatter is the sum of the scatters within chains.
  package static func pooled(_ chains: [RunningMoments]) -> RunningMoments {
    var pooled = chains[0]
    pooled.reset()
    let total = Double(chains.reduce(0) { $0 + $1.count })
    pooled.count = Int(total)
    guard total > 0 else { return pooled }
    for chain in chains {
      addScaled(Double(chain.count) / total, chain.mean, to: &pooled.mean)
      addScaled(1, chain.scatter, to: &pooled.scatter)
    }
    guard chains.count > 1, potentialScaleReduction(chains) <= 1.2 else { return pooled }
    for chain in chains {
      var shift = chain.mean
      addScaled(-1, pooled.mean, to: &shift)
      pooled.addScatter(of: shift, weight: Double(chain.count))
    }
    return pooled
  }

  /// R̂, the largest over the coordinates: R̂² = (n − 1)/n + B/(n W) (Gelman and Rubin 1992). Infinite
  /// for a single chain, which cannot tell, and for chains of fewer than two draws.
  package static func potentialScaleReduction(_ chains: [RunningMoments]) -> Double {
    guard chains.count > 1, let n = chains.map(\.count).min(), n > 1 else { return .infinity }
    let m = Double(chains.count)
    let total = Double(chains.reduce(0) { $0 + $1.count })
    let squares = chains[0].mean.indices.map { i in
      let grandMean = chains.reduce(0) { $0 + Double($1.count) * $1.mean[i] } / total
      let within =
        chains.reduce(0) { $0 + $1.scatterDiagonal(i) / Double(max(1, $1.count - 1)) } / m
      let between =
        chains.reduce(0) { $0 + ($1.mean[i] - grandMean) * ($1.mean[i] - grandMean) } / (m - 1)
      return Double(n - 1) / Double(n) + between / within
    }
    // NaN (a chain that never moved among others like it) counts as disagreement.
    return squares.allSatisfy { !$0.isNaN } ? (squares.max() ?? 0).squareRoot() : .infinity
  }
}

extension RunningMoments {
  /// Whether the covariances S of the two, n and m draws in D dimensions, may be those of one
  /// distribution.
  ///
  /// The eigenvalues of S relative to the truth spread over (1 ± √(D/n))² (Marchenko and Pastur 1967),
  /// so those of S₁⁻¹ S₂ over at most the product of both spreads. Draws of a chain are correlated and
  /// not normal: twice that ratio of the largest to the smallest is allowed. False with fewer than 3 D
  /// draws, or when a covariance is degenerate.
  func resembles(_ other: RunningMoments) -> Bool {
    let width = shape == .full ? mean.count : 1
    guard shape == other.shape, count >= 3 * width, other.count >= 3 * width else { return false }
    func spread(_ n: Int) -> Double {
      let root = (Double(width) / Double(n)).squareRoot()
      return (1 + root) * (1 + root) / ((1 - root) * (1 - root))
    }
    guard let eigenvalues = relativeEigenvalues(to: other), let smallest = eigenvalues.min(),
      let largest = eigenvalues.max(), smallest > 0
    else { return false }
    return largest <= 2 * spread(count) * spread(other.count) * smallest
  }

  /// The eigenvalues of S_other⁻¹ S, or of the diagonals; nil when S_other is not positive definite.
  private func relativeEigenvalues(to other: RunningMoments) -> [Double]? {
    let scales = (1 / Double(count - 1), 1 / Double(other.count - 1))
    guard shape == .full else {
      return zip(scatter, other.scatter).map { $0 * scales.0 / ($1 * scales.1) }
    }
    var a = scatter.map { $0 * scales.0 }
    var b = other.scatter.map { $0 * scales.1 }
    guard a.allSatisfy(\.isFinite), b.allSatisfy(\.isFinite) else { return nil }
    let size = Int32(mean.count)
    var eigenvalues = mean
    let status = LAPACKE_dsygv(
      LAPACK_COL_MAJOR, 1, CChar(UInt8(ascii: "N")), CChar(UInt8(ascii: "U")), size, &a, size, &b,
      size, &eigenvalues)
    return status == 0 ? eigenvalues : nil
  }

  /// The same without covariances.
  var diagonal: RunningMoments {
    var reduced = RunningMoments(dimension: mean.count, shape: .diagonal)
    reduced.count = count
    reduced.mean = mean
    reduced.scatter = mean.indices.map(scatterDiagonal)
    return reduced
  }
}
