import CFFTW
import Maps
import Tensors

/// y_c = h ∗ x_c: each channel blurred by one point-spread function h, periodic at the borders:
/// y(i, j) = Σ h(a, b) x(i − a + ⌊rows/2⌋, j − b + ⌊columns/2⌋), indices modulo H and W.
///
/// A kernel larger than the picture wraps around. Cost: O(HW log HW) for a channel.
public struct ConvolutionOperator: LinearOperator {
  /// C×H×W.
  public let domain: Shape
  public var codomain: Shape { domain }
  /// rows × columns; its centre is the element (⌊rows/2⌋, ⌊columns/2⌋). Not normalized: a blur that
  /// keeps the brightness sums to one.
  public let kernel: Tensor
  /// Transfer function / (H·W), H×(W/2+1): real parts, then imaginary parts.
  private let transfer: [SIMD2<Float>]

  /// - Throws: `unusable` when the kernel is not finite; `tooLarge` when the grid is.
  /// - Precondition: `shape` is C×H×W and `kernel` is rows × columns, not empty.
  public init(shape: Shape, kernel: Tensor) throws(PlanError) {
    precondition(shape.rank == 3 && kernel.shape.rank == 2 && kernel.count > 0)
    if let index = kernel.values.firstIndex(where: { !$0.isFinite }) {
      throw .unusable("element \(index) of the blur kernel is not finite")
    }
    domain = shape
    self.kernel = kernel
    let (height, width) = (shape[1], shape[2])
    let plan = try RealFourierPlan(height: height, width: width)
    plan.real.update(repeating: 0)
    let (rows, columns) = (kernel.shape[0], kernel.shape[1])
    for row in 0..<rows {
      let y = wrapped(row - rows / 2, height)
      for column in 0..<columns {
        let x = wrapped(column - columns / 2, width)
        plan.real[y * width + x] += Double(kernel.values[row * columns + column])
      }
    }
    plan.forward()
    let scale = 1 / Double(height * width)
    transfer = plan.spectrum.map { SIMD2(Float($0.0 * scale), Float($0.1 * scale)) }
  }

  public func makePlan(lanes: Int) throws(PlanError) -> any MapPlan {
    ConvolutionPlan(
      grids: lanes * domain[0], transfer: transfer,
      fourier: try SingleRealFourierPlan(height: domain[1], width: domain[2]))
  }
}

/// `index` modulo `extent`, in 0..<extent.
private func wrapped(_ index: Int, _ extent: Int) -> Int {
  let remainder = index % extent
  return remainder < 0 ? remainder + extent : remainder
}

final class ConvolutionPlan: MapPlan {
  private let grids: Int
  private let transfer: [SIMD2<Float>]
  private let fourier: SingleRealFourierPlan

  init(grids: Int, transfer: [SIMD2<Float>], fourier: SingleRealFourierPlan) {
    self.grids = grids
    self.transfer = transfer
    self.fourier = fourier
  }

  func apply(_ x: Span<Float>, into y: inout MutableSpan<Float>) {
    filter(x, into: &y, imaginarySign: 1)
  }

  /// The adjoint of a periodic convolution multiplies by the conjugate transfer function.
  func vjp(_ dy: Span<Float>, into dx: inout MutableSpan<Float>) {
    filter(dy, into: &dx, imaginarySign: -1)
  }

  private func filter(
    _ input: Span<Float>, into output: inout MutableSpan<Float>, imaginarySign sign: Float
  ) {
    let cells = fourier.real.count
    precondition(input.count == grids * cells && output.count == grids * cells)
    for grid in 0..<grids {
      for cell in 0..<cells { fourier.real[cell] = input[grid * cells + cell] }
      fourier.forward()
      for bin in transfer.indices {
        let (a, b) = fourier.spectrum[bin]
        let (c, d) = (transfer[bin].x, sign * transfer[bin].y)
        fourier.spectrum[bin] = (a * c - b * d, a * d + b * c)
      }
      fourier.backward()
      for cell in 0..<cells { output[grid * cells + cell] = fourier.real[cell] }
    }
  }
}
