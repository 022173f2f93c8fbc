import Maps
import Tensors
import Workers

/// What a map makes of many rows of numbers, such as the features of pictures: in blocks, by all workers.
package struct MappedRows: @unchecked Sendable {
  package let count: Int
  /// Numbers of one row that came out.
  package let dimension: Int
  /// count × dimension, row-major; written by `init` alone.
  package let values: FloatBuffer

  private static let lanes = 50

  /// - Parameter copy: puts a row, `map.domain.count` numbers, where it is told; called from all workers.
  package init(
    count: Int, by map: any DifferentiableMap, pool: WorkerPool,
    copy: @escaping @Sendable (Int, UnsafeMutablePointer<Float>) -> Void
  ) throws(PlanError) {
    let (inputs, outputs) = (map.domain.count, map.codomain.count)
    let blocks = (count + Self.lanes - 1) / Self.lanes
    var workers: [(plan: any MapPlan, input: FloatBuffer, output: FloatBuffer)] = []
    for _ in 0..<min(pool.threads, max(blocks, 1)) {
      let plan = try map.makePlan(lanes: Self.lanes)
      workers.append(
        (plan, FloatBuffer(Self.lanes * inputs), FloatBuffer(Self.lanes * outputs)))
    }
    let values = FloatBuffer(count * outputs)
    // Blocks are dealt to workers in turn; each writes its own rows.
    pool.run(workers.count) { [workers] index in
      let (plan, input, output) = workers[index]
      for block in stride(from: index, to: blocks, by: workers.count) {
        let first = block * Self.lanes
        let some = min(Self.lanes, count - first)
        for lane in 0..<some { copy(first + lane, input.pointer + lane * inputs) }
        var span = output.buffer.mutableSpan
        plan.apply(input.buffer.span, into: &span)
        (values.pointer + first * outputs).update(from: output.pointer, count: some * outputs)
      }
    }
    self.count = count
    dimension = outputs
    self.values = values
  }

  package init(
    _ images: any ImageSource, by map: any DifferentiableMap, pool: WorkerPool
  ) throws(PlanError) {
    precondition(images.shape.count == map.domain.count)
    try self.init(count: images.count, by: map, pool: pool) { images.copy($0, into: $1) }
  }

  /// The rows that came out of one map, through another.
  package func mapped(
    by map: any DifferentiableMap, pool: WorkerPool
  ) throws(PlanError) -> MappedRows {
    precondition(dimension == map.domain.count)
    return try MappedRows(count: count, by: map, pool: pool) { [self] row, target in
      target.update(from: values.pointer + row * dimension, count: dimension)
    }
  }

  /// One row.
  package func row(_ index: Int) -> [Float] {
    precondition((0..<count).contains(index))
    return Array(values.buffer[index * dimension..<(index + 1) * dimension])
  }
}
