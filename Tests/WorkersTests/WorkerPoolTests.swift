import Foundation
import Synchronization
import Testing
import Workers

@Suite struct WorkerPoolTests {
  /// Seen to fail: the claim `index > count`; the wait for `working` left out; `nextItem` not reset.
  @Test("every index is done exactly once, in every one of many runs", arguments: 1...4)
  func exactlyOnce(_ threads: Int) {
    let pool = WorkerPool(threads: threads)
    #expect(pool.threads == threads)
    for run in 0..<2000 {
      let count = [0, 1, 2, 3, 7, 64][run % 6]
      let counts = Counts(count)
      pool.run(count) { counts.add(1, at: $0) }
      #expect(counts.values.allSatisfy { $0 == 1 })
    }
  }

  @Test("a run returns only when all items are done: their writes are seen", arguments: 1...4)
  func finished(_ threads: Int) {
    let pool = WorkerPool(threads: threads)
    for run in 0..<500 {
      var results = [Int](repeating: -1, count: 33)
      results.withUnsafeMutableBufferPointer { results in
        nonisolated(unsafe) let results = results
        pool.run(33) { index in
          // Uneven work, so that the last to finish is not the caller.
          var sum = 0
          for value in 0..<(index * 50) { sum = (sum &* 31) &+ value }
          results[index] = sum == .min ? 0 : run &+ index
        }
      }
      #expect(results == (0..<33).map { run + $0 })
    }
  }

  // Fails when: a worker's items are stored at its own index; the last error is thrown; an error is dropped.
  @Test(
    "maps give the results in order, or the error of the first item that failed", arguments: 1...3)
  func maps(_ threads: Int) throws {
    struct Failure: Error, Equatable { let item: Int }
    let pool = WorkerPool(threads: threads)
    for count in [0, 1, 2, 3, 50] {
      #expect(try pool.map(count) { $0 * $0 } == (0..<count).map { $0 * $0 })
      #expect(
        try pool.map(count, worker: { 10 }) { $0 * $1 } == (0..<count).map { 10 * $0 })
    }
    func body(_ item: Int) throws -> Int {
      if item % 10 == 7 { throw Failure(item: item) }
      return item
    }
    #expect(throws: Failure(item: 7)) { try pool.map(40) { try body($0) } }
    #expect(throws: Failure(item: 7)) { try pool.map(40, worker: {}) { try body($1) } }
    #expect(throws: Failure(item: -1)) {
      try pool.map(3, worker: { throw Failure(item: -1) }) { (_: Int, item) in item }
    }
  }

  @Test("the results do not depend on the number of threads")
  func independentOfThreads() {
    let results = (1...4).map { threads in
      let pool = WorkerPool(threads: threads)
      var values = [Double](repeating: 0, count: 101)
      values.withUnsafeMutableBufferPointer { values in
        nonisolated(unsafe) let values = values
        pool.run(101) { index in
          for term in 1...200 { values[index] += sin(Double(index * term)) / Double(term) }
        }
      }
      return values
    }
    #expect(results.dropFirst().allSatisfy { $0 == results[0] })
  }

  /// An item may run another pool, and read and write what its closure captured.
  @Test("runs of different pools may be nested, and captures are shared")
  func nested() {
    let outer = WorkerPool(threads: 3)
    let inner = (0..<4).map { _ in WorkerPool(threads: 2) }
    let counts = Counts(4)
    outer.run(4) { item in
      let factor = item + 1
      inner[item].run(10) { counts.add(factor * $0, at: item) }
    }
    #expect(counts.values == [45, 90, 135, 180])
  }

  /// Seen to fail: `pthread_join` left out (a worker wakes in freed memory); `stopping` not looked at
  /// (a worker without work traps).
  @Test("pools end with their owners: used, unused, and hundreds of them")
  func ends() {
    for round in 0..<300 {
      let pool = WorkerPool(threads: 1 + round % 4)
      guard round % 3 > 0 else { continue }
      let counts = Counts(5)
      pool.run(5) { counts.add(1, at: $0) }
      #expect(counts.values == [1, 1, 1, 1, 1])
    }
  }

  @Test("what an item captured is released after the run")
  func released() {
    let pool = WorkerPool(threads: 2)
    weak var observed: Counts?
    do {
      let counts = Counts(3)
      observed = counts
      pool.run(3) { counts.add(1, at: $0) }
    }
    #expect(observed == nil)
  }

  @Test("at least one processor is available")
  func processors() { #expect(WorkerPool.availableProcessors >= 1) }
}

/// Counters behind one lock.
private final class Counts: Sendable {
  private let storage: Mutex<[Int]>
  init(_ count: Int) { storage = Mutex([Int](repeating: 0, count: count)) }
  func add(_ amount: Int, at index: Int) { storage.withLock { $0[index] += amount } }
  var values: [Int] { storage.withLock { $0 } }
}
