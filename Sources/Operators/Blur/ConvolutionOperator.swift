import CFFTW
import Maps
import Tensors

/// y_c = h ∗ x_c: each channel blurred by one point-spread function h,
/// y(i, j) = Σ h(a, b) x(i − a + ⌊rows/2⌋, j − b + ⌊columns/2⌋), where x beyond the borders is what
/// `border` says. The output has the picture's size.
///
/// Cost: O(HW log HW) for a channel; the grid of `zero` and `reflecting` is larger by the kernel.
public struct ConvolutionOperator: LinearOperator {
  /// C×H×W.
  public let domain: Shape
  public var codomain: Shape { domain }
  /// rows × columns; its centre is the element (⌊rows/2⌋, ⌊columns/2⌋). Not normalized: a blur that
  /// keeps the brightness sums to one.
  public let kernel: Tensor
  public let border: Border
  private let extended: GridExtension
  /// Transfer function / cells of the grid, half spectrum: real parts, then imaginary parts.
  private let transfer: [SIMD2<Float>]

  /// - Throws: `unusable` when an element of the kernel is not finite, when the kernel is larger than
  ///   the picture or when it sums to zero (less than 1e-6 of the sum of its magnitudes: the
  ///   brightness would be lost in rounding); `tooLarge` when the grid is.
  /// - Precondition: `shape` is C×H×W and `kernel` is rows × columns, not empty.
  public init(
    shape: Shape, kernel: Tensor, border: Border = .periodic
  ) throws(PlanError) {
    precondition(shape.rank == 3 && kernel.shape.rank == 2 && kernel.count > 0)
    try Self.check(kernel, on: shape)
    domain = shape
    self.kernel = kernel
    self.border = border
    let (rows, columns) = (kernel.shape[0], kernel.shape[1])
    // Before the extension, whose sums could overflow on extents that no transform takes.
    _ = try fourierExtents(height: shape[1], width: shape[2])
    extended = GridExtension(
      rows: .init(extent: shape[1], kernel: rows, border: border),
      columns: .init(extent: shape[2], kernel: columns, border: border))
    let (height, width) = (extended.rows.cells, extended.columns.cells)
    let plan = try RealFourierPlan(height: height, width: width)
    plan.real.update(repeating: 0)
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

  private static func check(_ kernel: Tensor, on shape: Shape) throws(PlanError) {
    if let index = kernel.values.firstIndex(where: { !$0.isFinite }) {
      throw .unusable("element \(index) of the blur kernel is not finite")
    }
    guard kernel.shape[0] <= shape[1], kernel.shape[1] <= shape[2] else {
      throw .unusable(
        "the blur kernel is \(kernel.shape) but the picture is \(shape[1])×\(shape[2]); "
          + "cut the kernel to at most the size of the picture")
    }
    let sum = accurateSum(kernel.values)
    let size = accurateSum(kernel.values.map(abs))
    guard size > 0, abs(sum) >= 1e-6 * size else {
      throw .unusable(
        "the blur kernel sums to zero (\(sum), its magnitudes to \(size)), which loses the "
          + "brightness of the picture; use a kernel that sums to one")
    }
  }

  public func makePlan(lanes: Int) throws(PlanError) -> any MapPlan {
    ConvolutionPlan(
      grids: lanes * domain[0], extended: extended, transfer: transfer,
      fourier: try SingleRealFourierPlan(
        height: extended.rows.cells, width: extended.columns.cells))
  }
}

/// `index` modulo `extent`, in 0..<extent.
private func wrapped(_ index: Int, _ extent: Int) -> Int {
  let remainder = index % extent
  return remainder < 0 ? remainder + extent : remainder
}

/// A = crop · F⁻¹ diag(transfer) F · copyBorders · embed, one channel of one lane after another.
final class ConvolutionPlan: MapPlan {
  private let grids: Int
  private let extended: GridExtension
  private let transfer: [SIMD2<Float>]
  private let fourier: SingleRealFourierPlan

  init(
    grids: Int, extended: GridExtension, transfer: [SIMD2<Float>], fourier: SingleRealFourierPlan
  ) {
    self.grids = grids
    self.extended = extended
    self.transfer = transfer
    self.fourier = fourier
  }

  func apply(_ x: Span<Float>, into y: inout MutableSpan<Float>) {
    let cells = extended.rows.extent * extended.columns.extent
    precondition(x.count == grids * cells && y.count == grids * cells)
    for grid in 0..<grids {
      extended.embed(x, from: grid * cells, into: fourier.real)
      extended.copyBorders(fourier.real)
      filter(imaginarySign: 1)
      extended.crop(fourier.real, into: &y, from: grid * cells)
    }
  }

  /// The adjoint of a periodic convolution multiplies by the conjugate transfer function.
  func vjp(_ dy: Span<Float>, into dx: inout MutableSpan<Float>) {
    let cells = extended.rows.extent * extended.columns.extent
    precondition(dx.count == grids * cells && dy.count == grids * cells)
    for grid in 0..<grids {
      extended.embed(dy, from: grid * cells, into: fourier.real)
      filter(imaginarySign: -1)
      extended.foldBorders(fourier.real)
      extended.crop(fourier.real, into: &dx, from: grid * cells)
    }
  }

  /// The periodic convolution of the whole grid, in place.
  private func filter(imaginarySign sign: Float) {
    fourier.forward()
    for bin in transfer.indices {
      let (a, b) = fourier.spectrum[bin]
      let (c, d) = (transfer[bin].x, sign * transfer[bin].y)
      fourier.spectrum[bin] = (a * c - b * d, a * d + b * c)
    }
    fourier.backward()
  }
}
