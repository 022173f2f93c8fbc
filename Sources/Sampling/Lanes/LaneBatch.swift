import Probability
import Workers

/// Runs one coroutine a lane, all gradients together: gathers one request from every live lane,
/// evaluates them as one batch, resumes them all, until every coroutine has returned.
///
/// Lanes are cut into fixed blocks, each with its own evaluator; the pool's threads take blocks. A lane
/// never moves and every block has the same number of rows, the last one filled up with idle ones (a
/// matrix product's last bits depend on its number of rows), so results have the same bits for any
/// number of threads and any other lanes. A block without a request is skipped. All coroutines run on
/// the calling thread.
package final class LaneBatch: @unchecked Sendable {
  package let lanes: [Lane]
  /// Gradients asked for by lanes.
  package private(set) var requestedGradients = 0
  /// Gradients computed, those of idle lanes in busy blocks included.
  package private(set) var computedGradients = 0

  private let blocks: [LaneBlock]
  private let pool: WorkerPool
  private var busyBlocks: [LaneBlock] = []
  private var liveLanes = 0

  /// `problems[lane]` is the density's problem that the lane works on.
  package init(density: any LogDensity, problems: [Int], lanesPerBlock: Int, pool: WorkerPool)
    throws
  {
    precondition(lanesPerBlock >= 1 && !problems.isEmpty)
    precondition(problems.allSatisfy { (0..<density.problemCount).contains($0) })
    var blocks: [LaneBlock] = []
    var lanes: [Lane] = []
    for start in stride(from: 0, to: problems.count, by: lanesPerBlock) {
      let range = start..<min(start + lanesPerBlock, problems.count)
      let idle = [Int](repeating: problems[start], count: lanesPerBlock - range.count)
      let block = try LaneBlock(density: density, problems: problems[range] + idle)
      blocks.append(block)
      lanes += range.map { Lane(index: $0, block: block, row: $0 - start) }
    }
    self.blocks = blocks
    self.lanes = lanes
    self.pool = pool
    busyBlocks.reserveCapacity(blocks.count)
  }

  /// The share of computed gradients that a lane had asked for, in 0…1.
  package var utilization: Double {
    computedGradients == 0 ? 1 : Double(requestedGradients) / Double(computedGradients)
  }

  /// Runs `body` once for every lane and returns when all have returned. `keepGoing` is asked after
  /// every batch; once it says false, evaluations return −∞ and waiting lanes are let go.
  package func run(
    keepGoing: () -> Bool = { true }, _ body: @escaping @Sendable (Lane) async -> Void
  ) {
    let executor = LaneExecutor()
    liveLanes = lanes.count
    for lane in lanes {
      Task.detached(executorPreference: executor) {
        await body(lane)
        lane.finish()
        self.liveLanes -= 1
      }
    }
    executor.drain()
    while liveLanes > 0 {
      evaluateRequests()
      if keepGoing() {
        for lane in lanes { if case .requesting = lane.suspension { lane.resume() } }
      } else {
        for lane in lanes { lane.isCancelled = true }
        for lane in lanes { lane.resume() }
      }
      executor.drain()
    }
  }

  private func evaluateRequests() {
    busyBlocks.removeAll(keepingCapacity: true)
    for block in blocks where block.requests > 0 {
      busyBlocks.append(block)
      requestedGradients += block.requests
      computedGradients += block.laneCount
    }
    precondition(!busyBlocks.isEmpty, "every live chain waits for another one")
    let busy = busyBlocks
    pool.run(busy.count) { busy[$0].evaluate() }
  }
}

extension LaneBatch {
  /// How many lanes to evaluate at a time when nobody says.
  ///
  /// With few rows a product reads its weights for little work, and with many the blocks are too few
  /// for the cores, or lanes idle in them when others are done. So the lanes of one problem are dealt
  /// out to the processors of the machine (not the threads of the pool, which must not change results),
  /// and with several problems a block holds those of one, whose chains finish together: a power of
  /// two between 8 and 32.
  /// - Parameter lanes: the number of lanes of each problem.
  package static func lanesPerBlock(_ lanes: [Int]) -> Int {
    let processors = WorkerPool.installedProcessors
    let most = lanes.max() ?? 1
    let wanted = lanes.count == 1 ? (most + processors - 1) / processors : most
    var size = 8
    while size < 32 && size < wanted { size *= 2 }
    return size
  }
}
