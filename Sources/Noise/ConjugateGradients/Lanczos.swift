import CLAPACK
import Numerics

/// Functions of the symmetric B = S N Sᵀ by the Lanczos process: with T the k×k tridiagonal matrix of
/// the Krylov space of v, f(B) v ≈ ‖v‖ · basis · f(T) e₁ and vᵀf(B)v ≈ ‖v‖² e₁ᵀ f(T) e₁ (Golub and
/// Meurant 2010, chapters 4 and 6). Nothing is reorthogonalized: B is near the identity and few steps
/// are taken. The basis is not stored: a second pass makes it again, bit for bit.
final class Lanczos {
  private let covariance: WhitenedCovariance
  private let dimension: Int
  private let limit: Int
  /// Three basis vectors.
  private let vectors: [Scratch]
  /// T.
  private let diagonal: Scratch
  private let offDiagonal: Scratch
  /// Eigenvalues, off-diagonals that LAPACK destroys, eigenvectors k×k column-major, its work.
  private let nodes: Scratch
  private let spare: Scratch
  private let eigenvectors: Scratch
  private let work: Scratch
  /// ‖v‖ f(T) e₁.
  private let coefficients: Scratch
  /// Steps of the latest call.
  private(set) var steps = 0
  /// Least eigenvalue of T of the latest call: positive unless rounding has the better of B.
  private(set) var smallestNode = 0.0

  /// - Parameter limit: steps that are never exceeded.
  init(_ covariance: WhitenedCovariance, limit: Int) {
    self.covariance = covariance
    self.limit = limit
    dimension = covariance.map.dimension
    let dimension = dimension
    vectors = (0..<3).map { _ in Scratch(dimension) }
    diagonal = Scratch(limit)
    offDiagonal = Scratch(limit)
    nodes = Scratch(limit)
    spare = Scratch(limit)
    eigenvectors = Scratch(limit * limit)
    work = Scratch(2 * limit)
    coefficients = Scratch(limit)
  }

  /// output = f(B) start, to a relative error of about 1e-12; the two must not be the same.
  func apply(
    _ function: (Double) -> Double, to start: UnsafePointer<Double>,
    into output: UnsafeMutablePointer<Double>
  ) {
    output.update(repeating: 0, count: dimension)
    let norm = VectorKernels.dot(start, start, dimension).squareRoot()
    var nextCheck = 4
    run(start, norm: norm, limit: limit) { count, isLast, _ in
      guard isLast || count == nextCheck else { return false }
      nextCheck += max(4, count / 4)
      evaluate(function, count: count, norm: norm)
      // The coefficients fall geometrically; what follows is of the order of the last ones.
      let tail = abs(coefficients.pointer[count - 1]) + abs(coefficients.pointer[max(0, count - 2)])
      return tail <= 1e-13 * norm
    }
    let count = steps
    run(start, norm: norm, limit: count) { step, _, vector in
      VectorKernels.add(coefficients.pointer[step - 1], vector, to: output, dimension)
      return false
    }
  }

  /// startᵀ f(B) start, to about `tolerance`.
  func form(
    _ function: (Double) -> Double, _ start: UnsafePointer<Double>, tolerance: Double
  ) -> Double {
    let square = VectorKernels.dot(start, start, dimension)
    var (value, nextCheck) = (0.0, 4)
    run(start, norm: square.squareRoot(), limit: limit) { count, isLast, _ in
      guard isLast || count == nextCheck else { return false }
      nextCheck += 4
      findNodes(count)
      var sum = 0.0
      for node in 0..<count {
        let first = eigenvectors.pointer[node * count]
        sum += first * first * function(nodes.pointer[node])
      }
      let change = abs(square * sum - value)
      value = square * sum
      return count > 4 && change <= tolerance
    }
    return value
  }

  /// Up to `limit` steps; `visit` is given the number of the step (from 1), whether it is the last, and
  /// its basis vector, and says whether to end.
  private func run(
    _ start: UnsafePointer<Double>, norm: Double, limit: Int,
    _ visit: (Int, Bool, UnsafePointer<Double>) -> Bool
  ) {
    steps = 0
    guard norm > 0 else { return }
    var (previous, current, next) = (
      vectors[0].pointer, vectors[1].pointer, vectors[2].pointer
    )
    for index in 0..<dimension { current[index] = start[index] / norm }
    previous.update(repeating: 0, count: dimension)
    var beta = 0.0
    for step in 1...limit {
      steps = step
      covariance.apply(current, into: next)
      let alpha = VectorKernels.dot(next, current, dimension)
      VectorKernels.add(-alpha, current, to: next, dimension)
      VectorKernels.add(-beta, previous, to: next, dimension)
      beta = VectorKernels.dot(next, next, dimension).squareRoot()
      diagonal.pointer[step - 1] = alpha
      offDiagonal.pointer[step - 1] = beta
      // The Krylov space is all there is: what is left is rounding.
      let isLast = step == limit || !(beta > 1e-13 * abs(alpha))
      if visit(step, isLast, current) || isLast { return }
      for index in 0..<dimension { next[index] /= beta }
      (previous, current, next) = (current, next, previous)
    }
  }

  /// Eigenvalues and eigenvectors of the leading count×count block of T.
  private func findNodes(_ count: Int) {
    nodes.pointer.update(from: diagonal.pointer, count: count)
    spare.pointer.update(from: offDiagonal.pointer, count: count)
    let size = Int32(count)
    _ = LAPACKE_dstev_work(
      LAPACK_COL_MAJOR, 0x56 /* V */, size, nodes.pointer, spare.pointer, eigenvectors.pointer,
      size,
      work.pointer)
    smallestNode = nodes.pointer[0]
  }

  private func evaluate(_ function: (Double) -> Double, count: Int, norm: Double) {
    findNodes(count)
    coefficients.pointer.update(repeating: 0, count: count)
    for node in 0..<count {
      let vector = eigenvectors.pointer + node * count
      VectorKernels.add(
        norm * function(nodes.pointer[node]) * vector[0], vector, to: coefficients.pointer, count)
    }
  }
}
