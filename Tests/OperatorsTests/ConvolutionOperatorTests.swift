import LawCheckers
import Maps
import Operators
import Randomness
import Tensors
import Testing

private typealias Border = ConvolutionOperator.Border

/// Sizes odd, even, prime and 1×N, each with kernels odd, even and as large as the picture.
private let cases: [(size: (Int, Int), kernel: (Int, Int))] = [
  ((6, 8), (3, 2)), ((5, 7), (2, 5)), ((1, 9), (1, 4)), ((4, 1), (3, 1)), ((7, 13), (7, 13)),
  ((6, 4), (6, 4)), ((1, 1), (1, 1)), ((11, 2), (5, 1)),
]

/// Index of the pixel that `index` beyond the borders shows, nil for none.
private func shown(_ index: Int, _ extent: Int, _ border: Border) -> Int? {
  if (0..<extent).contains(index) { return index }
  switch border {
  case .periodic: return (index + extent) % extent
  case .zero: return nil
  case .reflecting: return index < 0 ? -1 - index : 2 * extent - 1 - index
  }
}

/// The sum of the definition, for grids of height × width one after another.
private func directBlur(
  _ x: [Float], _ height: Int, _ width: Int, _ kernel: Tensor, _ border: Border
) -> [Double] {
  let (rows, columns) = (kernel.shape[0], kernel.shape[1])
  return x.indices.map { index in
    let (grid, i, j) = (index / (height * width), index / width % height, index % width)
    var sum = 0.0
    for a in 0..<rows {
      for b in 0..<columns {
        guard let row = shown(i - a + rows / 2, height, border),
          let column = shown(j - b + columns / 2, width, border)
        else { continue }
        let pixel = x[(grid * height + row) * width + column]
        sum += Double(kernel.values[a * columns + b]) * Double(pixel)
      }
    }
    return sum
  }
}

@Suite("blurs")
struct ConvolutionOperatorTests {
  // Fails when: the conjugate is lost in the vjp; the fold of the rows or of the columns is lost;
  // the fold goes to the columns before the rows; the grid is not cleared around the picture.
  @Test("⟨Ax, y⟩ = ⟨x, Aᵀy⟩ for every border", arguments: Border.allCases, [1, 3])
  private func adjoint(_ border: Border, _ channels: Int) throws {
    for (size, kernel) in cases {
      let blur = try ConvolutionOperator(
        shape: Shape(channels, size.0, size.1), kernel: crookedKernel(kernel.0, kernel.1),
        border: border)
      let key = RandomKey(seed: 21)
      #expect(try checkAdjoint(blur, key: key) < adjointBound, "\(size) \(kernel)")
    }
  }

  // Fails when: rows and columns of the kernel are exchanged; its centre is off by one; the edge
  // pixel is not repeated; there is one row too few around the picture.
  @Test("a blur is the sum of its definition", arguments: Border.allCases)
  private func directSum(_ border: Border) throws {
    for (size, kernel) in cases {
      let function = crookedKernel(kernel.0, kernel.1)
      let blur = try ConvolutionOperator(
        shape: Shape(2, size.0, size.1), kernel: function, border: border)
      #expect(blur.codomain == Shape(2, size.0, size.1))
      let x = randomValues(2 * 3 * size.0 * size.1, seed: 22)
      let expected = directBlur(x, size.0, size.1, function, border)
      // Values of order √(kernel elements) ≤ 10, rounding 6e-8 times log of the grid.
      let worst = largestDifference(try image(blur, x), expected)
      #expect(worst < 1e-5, "\(size) \(kernel)")
    }
  }

  // Fails when: the centre of an even kernel is chosen otherwise; the edge pixel is not repeated.
  @Test("reflecting is scipy.ndimage.convolve with mode reflect (1.17.1)")
  func scipyGolden() throws {
    let x = (0..<12).map { Float($0 * $0) / 10 }
    let kernel = Tensor(shape: Shape(3, 2), values: [0.5, 0.1, -0.2, 0.3, 0.05, 0.25])
    let blur = try ConvolutionOperator(
      shape: Shape(1, 3, 4), kernel: kernel, border: .reflecting)
    let expected = [
      1.395, 2.045, 2.895, 3.3, 4.675, 5.885, 7.295, 8.02, 5.515, 7.045, 8.775, 9.94,
    ]
    #expect(largestDifference(try image(blur, x), expected) < 1e-5)
  }

  // Fails when: the kernel is divided by its sum; another border is the default.
  @Test("the kernel is not normalized and periodic is the default")
  func defaults() throws {
    let kernel = Tensor(shape: Shape(1, 1), values: [3])
    let blur = try ConvolutionOperator(shape: Shape(1, 1, 2), kernel: kernel)
    #expect(blur.border == .periodic)
    #expect(largestDifference(try image(blur, [1, -2]), [3, -6]) < 1e-6)
  }

  // Fails when: a check is left out.
  @Test("unusable kernels are named")
  func refusals() {
    func make(_ kernel: Tensor) -> String? {
      refusal { _ = try ConvolutionOperator(shape: Shape(1, 4, 4), kernel: kernel) }
    }
    #expect(
      make(Tensor(shape: Shape(1, 3), values: [0, .nan, 1]))
        == "element 1 of the blur kernel is not finite")
    for shape in [Shape(5, 3), Shape(3, 5)] {
      #expect(
        make(Tensor(shape: shape, repeating: 1))
          == "the blur kernel is \(shape) but the picture is 4×4; cut the kernel to at most the "
          + "size of the picture")
    }
    for values: [Float] in [[0, 0, 0], [-1, 2, -1], [1, 1e-7, -1]] {
      let message = make(Tensor(shape: Shape(1, 3), values: values))
      #expect(message?.hasPrefix("the blur kernel sums to zero") == true, "\(values)")
    }
    #expect(make(Tensor(shape: Shape(1, 3), values: [-1, 2.1, -1])) == nil)
    #expect(make(Tensor(shape: Shape(4, 4), repeating: -1)) == nil)
  }
}
