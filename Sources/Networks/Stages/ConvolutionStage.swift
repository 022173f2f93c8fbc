import Numerics
import Tensors

/// y = a(columns(x) Wᵀ + b): large image to small; W: outputs × (kernel · kernel · inputs).
final class ConvolutionStage: Stage {
  private let lanes: Int
  private let geometry: ConvolutionGeometry
  private let outputs: Int
  private let parameters: ProductParameters
  private let activation: Activation
  private let group: Int
  /// Patches of one group of items; made anew in `backward`, which is cheaper than keeping all.
  private let columns: FloatBuffer
  private let derivative: FloatBuffer

  init(
    lanes: Int, geometry: ConvolutionGeometry, outputs: Int, parameters: ProductParameters,
    activation: Activation, columnBudget: Int
  ) {
    self.lanes = lanes
    self.geometry = geometry
    self.outputs = outputs
    self.parameters = parameters
    self.activation = activation
    group = geometry.group(lanes: lanes, budget: columnBudget)
    columns = FloatBuffer(group * geometry.smallPixels * geometry.patch)
    derivative = FloatBuffer(lanes * geometry.smallPixels * outputs)
  }

  func forward(_ x: UnsafePointer<Float>, _ y: UnsafeMutablePointer<Float>) {
    parameters.refreshTransposed(rows: outputs, columns: geometry.patch)
    for (first, count) in groups {
      gather(x, first, count)
      let rows = count * geometry.smallPixels
      let offset = first * geometry.smallPixels * outputs
      parameters.multiplyByTransposed(
        m: rows, rows: outputs, columns: geometry.patch, columns.pointer,
        into: derivative.pointer + offset)
      activation.apply(
        rows: rows, channels: outputs, bias: parameters.bias, z: derivative.pointer + offset,
        y: y + offset)
    }
  }

  func backward(
    _ x: UnsafePointer<Float>, _ dy: UnsafeMutablePointer<Float>,
    _ dx: UnsafeMutablePointer<Float>?,
    gradients: UnsafeMutablePointer<Float>?
  ) {
    let smallCount = geometry.smallPixels * outputs
    gradients.map { ($0 + parameters.biasOffset).update(repeating: 0, count: outputs) }
    for (first, count) in groups {
      let rows = count * geometry.smallPixels
      let dySlice = dy + first * smallCount
      if activation != .identity {
        multiplyInPlace(dySlice, derivative.pointer + first * smallCount, rows * outputs)
      }
      if let gradients {
        gather(x, first, count)
        addColumnSums(
          dySlice, rows: rows, channels: outputs, into: gradients + parameters.biasOffset)
        multiply(
          .transposed, .plain, m: outputs, n: geometry.patch, k: rows, dySlice, lda: outputs,
          columns.pointer, ldb: geometry.patch, beta: first == 0 ? 0 : 1,
          into: gradients + parameters.weightOffset, ldc: geometry.patch)
      }
      if let dx {
        multiply(
          m: rows, n: geometry.patch, k: outputs, dySlice, lda: outputs, parameters.weight,
          ldb: geometry.patch, into: columns.pointer, ldc: geometry.patch)
        for item in 0..<count {
          geometry.scatter(
            columns.pointer + item * geometry.smallPixels * geometry.patch,
            into: dx + (first + item) * geometry.largeCount)
        }
      }
    }
  }

  private func gather(_ x: UnsafePointer<Float>, _ first: Int, _ count: Int) {
    for item in 0..<count {
      geometry.gather(
        x + (first + item) * geometry.largeCount,
        into: columns.pointer + item * geometry.smallPixels * geometry.patch)
    }
  }

  private var groups: some Sequence<(first: Int, count: Int)> {
    stride(from: 0, to: lanes, by: group).lazy.map { [lanes, group] in
      ($0, min(group, lanes - $0))
    }
  }
}
