import Foundation
import Synchronization

/// One worker a core over independent items of work. Workers sleep on a condition variable between
/// runs: no spinning, so a busy machine slows a run but never stalls it.
///
/// What an item computes must not depend on which worker runs it; then results are the same to the
/// last bit for any number of threads. Cost of one `run`: a few microseconds.
public final class WorkerPool: @unchecked Sendable {
  /// Threads that work during a run, the caller's included.
  public let threads: Int

  // All mutable state below is guarded by `lock`; `nextItem` is atomic.
  private let lock: UnsafeMutablePointer<pthread_mutex_t>
  private let wake: UnsafeMutablePointer<pthread_cond_t>
  private let done: UnsafeMutablePointer<pthread_cond_t>
  private var body: ((Int) -> Void)?
  private var itemCount = 0
  private var generation = 0
  private var working = 0
  private var stopping = false
  private let nextItem = Atomic<Int>(0)
  private var handles: [pthread_t] = []

  /// - Precondition: `threads` ≥ 1.
  public init(threads: Int) {
    precondition(threads >= 1, "a pool needs at least one thread")
    _ = Self.linearAlgebraStaysOnItsThread
    self.threads = threads
    lock = .allocate(capacity: 1)
    wake = .allocate(capacity: 1)
    done = .allocate(capacity: 1)
    pthread_mutex_init(lock, nil)
    pthread_cond_init(wake, nil)
    pthread_cond_init(done, nil)
    for _ in 1..<threads { handles.append(startThread()) }
  }

  /// The number of processors of the machine, whatever this process may use of them: what must not
  /// differ from run to run goes by it.
  public static var installedProcessors: Int { max(1, ProcessInfo.processInfo.processorCount) }

  /// The number of processors this process may run on.
  public static var availableProcessors: Int {
    max(1, ProcessInfo.processInfo.activeProcessorCount)
  }

  /// OpenBLAS, which Debian puts behind LAPACK, would else start threads of its own inside each worker,
  /// and these spin. Another library has no such symbol, and then nothing is to be done.
  private static let linearAlgebraStaysOnItsThread: Void = {
    guard let symbol = dlsym(nil, "openblas_set_num_threads") else { return }
    unsafeBitCast(symbol, to: (@convention(c) (CInt) -> Void).self)(1)
  }()

  /// Calls `item` once for each index in 0..<count, from all workers, and returns when all are done.
  /// Not reentrant: an item must not call `run` of the same pool.
  public func run(_ count: Int, _ item: @escaping (Int) -> Void) {
    guard threads > 1, count > 1 else {
      for index in 0..<count { item(index) }
      return
    }
    pthread_mutex_lock(lock)
    precondition(body == nil, "a worker pool's run is not reentrant")
    body = item
    itemCount = count
    nextItem.store(0, ordering: .relaxed)
    generation += 1
    working = threads - 1
    pthread_cond_broadcast(wake)
    pthread_mutex_unlock(lock)
    claimItems(item, count)
    pthread_mutex_lock(lock)
    while working > 0 { pthread_cond_wait(done, lock) }
    body = nil
    pthread_mutex_unlock(lock)
  }

  /// Ends the workers; the pool must be idle.
  private func stop() {
    pthread_mutex_lock(lock)
    stopping = true
    pthread_cond_broadcast(wake)
    pthread_mutex_unlock(lock)
    for handle in handles { pthread_join(handle, nil) }
    pthread_cond_destroy(wake)
    pthread_cond_destroy(done)
    pthread_mutex_destroy(lock)
    wake.deallocate()
    done.deallocate()
    lock.deallocate()
  }

  deinit { stop() }

  private func claimItems(_ item: (Int) -> Void, _ count: Int) {
    while true {
      let index = nextItem.wrappingAdd(1, ordering: .relaxed).oldValue
      if index >= count { return }
      item(index)
    }
  }

  /// A worker holds the pool unretained: `deinit` joins it before the memory goes.
  private func startThread() -> pthread_t {
    var handle = pthread_t()
    let status = pthread_create(
      &handle, nil,
      { argument in
        Unmanaged<WorkerPool>.fromOpaque(argument!)._withUnsafeGuaranteedRef { $0.work() }
        return nil
      }, Unmanaged.passUnretained(self).toOpaque())
    precondition(status == 0, "the system refused a thread")
    return handle
  }

  /// This worker's part of the run that has begun: entered and left with `lock` held. Never inlined,
  /// so that its reference to the item is given up before the worker reports back.
  @inline(never)
  private func takePart() {
    guard let item = body else { return }
    let count = itemCount
    pthread_mutex_unlock(lock)
    claimItems(item, count)
    pthread_mutex_lock(lock)
  }

  private func work() {
    var seen = 0
    while true {
      pthread_mutex_lock(lock)
      while generation == seen && !stopping { pthread_cond_wait(wake, lock) }
      if stopping {
        pthread_mutex_unlock(lock)
        return
      }
      seen = generation
      takePart()
      working -= 1
      if working == 0 { pthread_cond_signal(done) }
      pthread_mutex_unlock(lock)
    }
  }
}
