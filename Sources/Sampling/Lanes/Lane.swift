/// One chain's place in the batch: where it hands in a position and waits for value and gradient.
/// Touched only by the thread that runs the batch.
package final class Lane: @unchecked Sendable {
  /// Number of the lane in its batch.
  package let index: Int
  /// Gradients asked for so far.
  package private(set) var gradients = 0
  /// The run is being abandoned: evaluations return −∞ and the chain should return.
  package internal(set) var isCancelled = false

  private let block: LaneBlock
  private let row: Int
  private(set) var suspension = Suspension.running

  enum Suspension {
    case running
    /// Waits for its gradient.
    case requesting(UnsafeContinuation<Void, Never>)
    /// Waits for other chains of its problem.
    case waiting(UnsafeContinuation<Void, Never>)
    case finished
  }

  init(index: Int, block: LaneBlock, row: Int) {
    self.index = index
    self.block = block
    self.row = row
  }

  /// Sets value and gradient at the state's position. A value or gradient that is not finite becomes
  /// value −∞ and gradient zero.
  package func evaluate(_ state: ChainState) async {
    guard !isCancelled else { return state.markImpossible() }
    block.request(state.position, row: row)
    gradients += 1
    await withUnsafeContinuation { suspension = .requesting($0) }
    guard !isCancelled else { return state.markImpossible() }
    block.read(row: row, into: state)
  }

  /// Suspends until another chain calls `resume`.
  func wait() async {
    guard !isCancelled else { return }
    await withUnsafeContinuation { suspension = .waiting($0) }
  }

  /// Resumes the chain if it is suspended: its job joins the executor's queue.
  func resume() {
    switch suspension {
    case .requesting(let continuation), .waiting(let continuation):
      suspension = .running
      continuation.resume()
    case .running, .finished: break
    }
  }

  func finish() { suspension = .finished }
}

extension ChainState {
  fileprivate func markImpossible() {
    logDensity = -.infinity
    for i in gradient.indices { gradient[i] = 0 }
  }
}
