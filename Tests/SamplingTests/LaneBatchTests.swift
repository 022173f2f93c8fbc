import Randomness
import Synchronization
import Testing
import Workers

@testable import Sampling

/// Problem k: −½ (x − k)², so that every lane's answer tells whose it is.
private let offsets = FunctionTarget(dimension: 1, problemCount: 11) { problem, x, gradient in
  gradient[0] = Double(problem) - x[0]
  return -0.5 * gradient[0] * gradient[0]
}

@Suite struct LaneBatchTests {
  // Fails when: the last lane, or the short last block, is skipped; rows are mixed up in a block.
  @Test("every lane gets its own answer", arguments: [1, 2, 3], [1, 4, 8])
  func answers(_ threads: Int, _ lanesPerBlock: Int) throws {
    let batch = try LaneBatch(
      density: offsets, problems: Array(0..<11), lanesPerBlock: lanesPerBlock,
      pool: WorkerPool(threads: threads))
    let states = Box<[ChainState]>()
    states.value = (0..<11).map { _ in ChainState(position: [0]) }
    batch.run { lane in
      // Lanes ask for different numbers of gradients: 1, 2, …
      for trial in 0...lane.index {
        states.value![lane.index].position[0] = Double(trial)
        await lane.evaluate(states.value![lane.index])
      }
    }
    for (index, state) in states.value!.enumerated() {
      #expect(state.gradient == [0] && state.logDensity == 0)
      #expect(batch.lanes[index].gradients == index + 1)
    }
    #expect(batch.requestedGradients == 66)
  }

  // Eleven lanes in blocks of four: lanes 0…3 live 1…4 rounds and so on; 4, 8 and 11 rounds of 4.
  // Fails when: idle blocks are evaluated.
  @Test("idle blocks are skipped and utilization says so")
  func utilization() throws {
    let batch = try LaneBatch(
      density: offsets, problems: Array(0..<11), lanesPerBlock: 4, pool: WorkerPool(threads: 1))
    batch.run { lane in
      let state = ChainState(position: [0])
      for _ in 0...lane.index { await lane.evaluate(state) }
    }
    #expect(batch.computedGradients == 4 * 4 + 8 * 4 + 11 * 4)
    #expect(batch.utilization == 66.0 / 92.0)
  }

  // Fails when: waiting lanes are not let go.
  @Test("a stopped run ends, waiting lanes included")
  func cancelled() throws {
    let batch = try LaneBatch(
      density: offsets, problems: [0, 1, 2], lanesPerBlock: 2, pool: WorkerPool(threads: 2))
    var rounds = 0
    batch.run(keepGoing: {
      rounds += 1
      return rounds < 5
    }) { lane in
      if lane.index == 1 { return await lane.wait() }
      let state = ChainState(position: [0])
      while !lane.isCancelled { await lane.evaluate(state) }
    }
    #expect(rounds == 5)
    #expect(batch.lanes.allSatisfy { $0.isCancelled })
  }

  @Test("what is not finite becomes density zero", arguments: [Double.nan, .infinity, -.infinity])
  func notFinite(_ value: Double) throws {
    for inGradient in [true, false] {
      let target = FunctionTarget(dimension: 2) { _, _, gradient in
        gradient[0] = 1
        gradient[1] = inGradient ? value : 2
        return inGradient ? 3 : value
      }
      let (logDensity, gradient) = try inOneLane(target) { lane in
        let state = ChainState(position: [0, 0])
        await lane.evaluate(state)
        return (state.logDensity, state.gradient)
      }
      #expect(logDensity == -.infinity && gradient == [0, 0])
    }
  }

  // Fails when: a block spans problems of sixteen chains; few lanes make small blocks; the lanes of one
  // problem are not dealt out to the processors (where there are two).
  @Test("lanes are dealt out in blocks of 8 to 32")
  func blocks() {
    #expect(LaneBatch.lanesPerBlock([16, 16, 16]) == 16)
    #expect(LaneBatch.lanesPerBlock([4, 4]) == 8)
    #expect(LaneBatch.lanesPerBlock([1]) == 8)
    #expect(LaneBatch.lanesPerBlock([100_000]) == 32)
    #expect(LaneBatch.lanesPerBlock([100, 100]) == 32)
    #expect(LaneBatch.lanesPerBlock([16 * WorkerPool.installedProcessors]) == 16)
  }
}
