import Maps
import Networks
import Numerics
import Randomness
import Tensors
import Testing
import Training
import Workers

@Suite struct MappedRowsTests {
  /// Fails when: the last block is cut short, or a worker writes another's rows.
  @Test("rows are what the map makes of each alone, for any number of threads")
  func rows() throws {
    let network = try Network(
      domain: Shape(1, 8, 8), layers: [.flatten, .linear(inputs: 64, outputs: 3), .silu],
      key: RandomKey(seed: 1))
    let last = try Network(
      domain: Shape(3), layers: [.linear(inputs: 3, outputs: 2)], key: RandomKey(seed: 2))
    let images = Spots(count: 117)
    let plan = try network.makePlan(lanes: 1)
    let lastPlan = try last.makePlan(lanes: 1)
    for threads in [1, 3] {
      let pool = WorkerPool(threads: threads)
      let rows = try MappedRows(images, by: network, pool: pool)
      let further = try rows.mapped(by: last, pool: pool)
      #expect(rows.count == 117 && rows.dimension == 3 && further.dimension == 2)
      for index in 0..<117 {
        let picture = FloatBuffer(64)
        images.copy(index, into: picture.pointer)
        var (y, z) = ([Float](repeating: 0, count: 3), [Float](repeating: 0, count: 2))
        var ySpan = y.mutableSpan
        plan.apply(picture.buffer.span, into: &ySpan)
        var zSpan = z.mutableSpan
        lastPlan.apply(y.span, into: &zSpan)
        // Products of other sizes sum in another order.
        #expect(zip(rows.row(index), y).allSatisfy { abs($0 - $1) < 1e-5 })
        #expect(zip(further.row(index), z).allSatisfy { abs($0 - $1) < 1e-5 })
      }
    }
  }
}
