import Flows
import Foundation
import Maps
import Tensors
import Workers

/// Codes carried through one layer of a flow after another, with their ln|det| so far.
final class CarriedCodes {
  let dimension: Int
  let count: Int
  /// n × K, row-major.
  private(set) var values: [Float]
  private var logDeterminants: [Double]

  private static let lanes = 256

  init(_ codes: [Float], dimension: Int) {
    self.dimension = dimension
    count = codes.count / dimension
    values = codes
    logDeterminants = [Double](repeating: 0, count: codes.count / dimension)
  }

  /// z ← f(z), in blocks that workers take in turn; each writes its own rows.
  func carry(through flow: NormalizingFlow, pool: WorkerPool) throws(PlanError) {
    let blocks = (count + Self.lanes - 1) / Self.lanes
    var workers: [CarryingWorker] = []
    for _ in 0..<min(pool.threads, blocks) {
      workers.append(try CarryingWorker(flow, lanes: Self.lanes))
    }
    let (dimension, count) = (dimension, count)
    values.withUnsafeMutableBufferPointer { values in
      logDeterminants.withUnsafeMutableBufferPointer { logs in
        nonisolated(unsafe) let (rows, sums) = (values.baseAddress!, logs.baseAddress!)
        pool.run(workers.count) { [workers] index in
          for block in stride(from: index, to: blocks, by: workers.count) {
            let first = block * Self.lanes
            workers[index].run(
              rows + first * dimension, logDeterminants: sums + first,
              count: min(Self.lanes, count - first))
          }
        }
      }
    }
  }

  /// Mean ln p(z) in nats, with N(0, I) for the base.
  func meanLogDensity() -> Double {
    let squares = accurateSum(values.lazy.map { Double($0) * Double($0) })
    let constant = 0.5 * log(2 * Double.pi) * Double(dimension)
    return (accurateSum(logDeterminants) - 0.5 * squares) / Double(count) - constant
  }

  /// The rows at `indices`, feature by feature: [K, m].
  func features(of indices: some Collection<Int>) -> FloatBuffer {
    let result = FloatBuffer(dimension * indices.count)
    for (place, index) in indices.enumerated() {
      for k in 0..<dimension {
        result.pointer[k * indices.count + place] = values[index * dimension + k]
      }
    }
    return result
  }
}

private final class CarryingWorker {
  private let plan: any NormalizingPlan
  private let lanes: Int
  private let codes: FloatBuffer
  private let base: FloatBuffer
  private let logs: FloatBuffer

  init(_ flow: NormalizingFlow, lanes: Int) throws(PlanError) {
    plan = try flow.makeNormalizingPlan(lanes: lanes)
    self.lanes = lanes
    codes = FloatBuffer(lanes * flow.dimension)
    base = FloatBuffer(lanes * flow.dimension)
    logs = FloatBuffer(lanes)
  }

  /// `count` rows, in place; the lanes beyond them hold rows of before, which no lane sees.
  func run(
    _ rows: UnsafeMutablePointer<Float>, logDeterminants: UnsafeMutablePointer<Double>, count: Int
  ) {
    let size = count * (codes.count / lanes)
    codes.pointer.update(from: rows, count: size)
    var u = base.buffer.mutableSpan
    var logSpan = logs.buffer.mutableSpan
    plan.apply(codes.buffer.span, into: &u, logDeterminants: &logSpan)
    rows.update(from: base.pointer, count: size)
    for row in 0..<count { logDeterminants[row] += Double(logs.pointer[row]) }
  }
}
