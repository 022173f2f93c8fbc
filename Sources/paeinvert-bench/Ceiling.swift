import Foundation
import Networks
import Numerics
import Tensors
import Workers

/// The machine's own limits, of all workers together: each multiplies or copies matrices of its own,
/// as the program does.
final class Ceiling {
  /// Extents of C = A·B: m×k times k×n.
  struct Product: Equatable {
    let m: Int
    let n: Int
    let k: Int

    /// Floating-point operations, a multiply-add counted as two.
    var operations: Double { 2 * Double(m) * Double(n) * Double(k) }
    var text: String { "\(m)×\(k)×\(n)" }
  }

  /// None is the fastest on every machine.
  static let products = [
    Product(m: 384, n: 384, k: 384), Product(m: 1024, n: 1024, k: 1024),
    Product(m: 1920, n: 1920, k: 384),
  ]
  /// Bytes of one worker's source, far beyond any cache.
  static let copiedBytes = 64 << 20

  struct BestProduct {
    let product: Product
    let gflops: Spread
    let gflopsPerCore: Spread
    /// Processor time / (wall time · threads): 1 when every thread had a core to itself.
    let share: Spread
  }

  private let pool: WorkerPool
  private let matrices: [(a: FloatBuffer, b: FloatBuffer, c: FloatBuffer)]

  init(pool: WorkerPool) {
    self.pool = pool
    func buffer(_ count: (Product) -> Int) -> FloatBuffer {
      let count = Self.products.map(count).max() ?? 0
      return FloatBuffer((0..<count).map { 0.25 + Float($0 % 61) / 128 })
    }
    matrices = (0..<pool.threads).map { _ in
      (buffer { $0.m * $0.k }, buffer { $0.k * $0.n }, buffer { $0.m * $0.n })
    }
  }

  /// Single-threaded products, one after another, on every worker at once.
  func measure(_ product: Product, seconds: Double) -> OperationRate {
    // Fixed work for each worker; its number follows from what one product took.
    let once = Elapsed { multiply(product, times: 1) }.seconds
    let times = max(1, Int((seconds / once).rounded(.up)))
    let elapsed = Elapsed { multiply(product, times: times) }
    return OperationRate(
      operations: product.operations * Double(times * pool.threads), elapsed)
  }

  /// The product with the highest median, and how fast it is.
  func best(_ stopwatch: Stopwatch) -> BestProduct {
    let found = Self.products.map { product in
      let rates = (0..<stopwatch.repeats).map { _ in
        measure(product, seconds: stopwatch.seconds)
      }
      return BestProduct(
        product: product, gflops: Spread(rates.map(\.gflops)),
        gflopsPerCore: Spread(rates.map(\.gflopsPerCore)),
        share: Spread(rates.map { $0.gflops / $0.gflopsPerCore / Double(pool.threads) }))
    }
    return found.max { $0.gflops.median < $1.gflops.median }!
  }

  private func multiply(_ product: Product, times: Int) {
    let (m, n, k) = (product.m, product.n, product.k)
    pool.run(pool.threads) { [matrices] worker in
      let own = matrices[worker]
      for _ in 0..<times {
        Numerics.multiply(
          m: m, n: n, k: k, own.a.pointer, lda: k, own.b.pointer, ldb: n, into: own.c.pointer,
          ldc: n)
      }
    }
  }

  /// GB/s of large copies on every worker at once, bytes read and bytes written both counted.
  static func copyRates(_ stopwatch: Stopwatch, pool: WorkerPool) -> Spread {
    let count = copiedBytes / MemoryLayout<Float>.stride
    // `FloatBuffer` writes its elements, so every page is there.
    let buffers = (0..<pool.threads).map { _ in (FloatBuffer(count), FloatBuffer(count)) }
    let seconds = stopwatch.secondsPerRun {
      pool.run(pool.threads) { worker in
        memcpy(buffers[worker].1.pointer, buffers[worker].0.pointer, copiedBytes)
      }
    }
    return Spread(seconds.map { 2e-9 * Double(copiedBytes * pool.threads) / $0 })
  }
}
