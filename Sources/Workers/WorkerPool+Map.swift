extension WorkerPool {
  /// `body` of each index in 0..<count, from all workers, in order; workers take items as they come.
  ///
  /// - Throws: the error of the first index that failed.
  public func map<Value>(
    _ count: Int, _ body: @escaping (Int) throws -> Value
  ) throws -> [Value] {
    try collected(count) { store in
      run(count) { index in store(index, Result { try body(index) }) }
    }
  }

  /// The same with what one thread needs for its items, which are dealt to the workers in turn; what `body`
  /// gives must not depend on the worker.
  public func map<Worker, Value>(
    _ count: Int, worker make: () throws -> Worker,
    _ body: @escaping (Worker, Int) throws -> Value
  ) throws -> [Value] {
    let workers = try (0..<min(threads, count)).map { _ in try make() }
    return try collected(count) { store in
      run(workers.count) { worker in
        for index in stride(from: worker, to: count, by: workers.count) {
          store(index, Result { try body(workers[worker], index) })
        }
      }
    }
  }

  /// The results that `work` stores, one for each index, from any thread.
  private func collected<Value>(
    _ count: Int, _ work: (@escaping (Int, Result<Value, any Error>) -> Void) -> Void
  ) throws -> [Value] {
    let results = UnsafeMutableBufferPointer<Result<Value, any Error>?>.allocate(capacity: count)
    results.initialize(repeating: nil)
    defer {
      results.deinitialize()
      results.deallocate()
    }
    // Each item writes its own element.
    nonisolated(unsafe) let output = results
    work { output[$0] = $1 }
    return try results.map { result in
      guard let result else { preconditionFailure("an item was not run") }
      return try result.get()
    }
  }
}
