import COneDNN
import Foundation

/// Whether a matrix enters a product as it lies in memory or transposed.
package enum Orientation {
  case plain
  case transposed

  var letter: CChar { self == .plain ? CChar(UInt8(ascii: "N")) : CChar(UInt8(ascii: "T")) }
}

/// C = α op(A) op(B) + β C on row-major Float32 matrices by oneDNN's `dnnl_sgemm`, single-threaded:
/// parallelism is decided once, over lanes, by whoever owns the workers. (The calling thread's OpenMP
/// setting is left at one thread; setting it costs nanoseconds.)
///
/// - Parameters:
///   - m: rows of C. - n: columns of C. - k: the summed extent.
///   - lda: row length of A as it lies in memory (likewise ldb, ldc).
/// - Precondition: the pointers hold the extents; C overlaps neither A nor B.
package func multiply(
  _ orientationA: Orientation = .plain, _ orientationB: Orientation = .plain,
  m: Int, n: Int, k: Int, alpha: Float = 1,
  _ a: UnsafePointer<Float>, lda: Int, _ b: UnsafePointer<Float>, ldb: Int,
  beta: Float = 0, into c: UnsafeMutablePointer<Float>, ldc: Int
) {
  setOpenMPThreads?(1)
  let status = dnnl_sgemm(
    orientationA.letter, orientationB.letter, Int64(m), Int64(n), Int64(k), alpha, a, Int64(lda),
    b, Int64(ldb), beta, c, Int64(ldc))
  precondition(status == dnnl_success, "dnnl_sgemm refused a product of \(m)×\(k)×\(n)")
}

/// oneDNN built on OpenMP takes the number of threads from a setting of the calling thread; a oneDNN
/// built on another runtime has no such symbol, and then nothing is to be done. Looked up once.
private let setOpenMPThreads: (@convention(c) (CInt) -> Void)? = dlsym(nil, "omp_set_num_threads")
  .map { unsafeBitCast($0, to: (@convention(c) (CInt) -> Void).self) }
