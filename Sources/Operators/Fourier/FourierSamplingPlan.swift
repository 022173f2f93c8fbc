import CFFTW
import Maps
import Numerics

/// Executes `FourierSamplingOperator`, one channel of one lane after another.
final class FourierSamplingPlan: MapPlan {
  private let grids: Int
  private let dataPerGrid: Int
  /// For each sampled bin its index in the half spectrum and that of its opposite if that is stored
  /// there too; else its own.
  private let bins: [Int32]
  private let opposites: [Int32]
  private let isSelfConjugate: [Bool]
  /// (HW)^(−1/2) and (2/HW)^(1/2): from FFTW's transform to a datum.
  private let selfScale: Float
  private let pairScale: Float
  private let fourier: SingleRealFourierPlan

  init(
    grids: Int, height: Int, width: Int, bins: [FourierSamplingOperator.Bin],
    fourier: SingleRealFourierPlan
  ) {
    let columns = halfSpectrumColumns(width)
    self.grids = grids
    self.bins = bins.map { Int32($0.row * columns + $0.column) }
    opposites = bins.map { bin in
      let isStored = halfSpectrumWeight(column: bin.column, width: width) == 1
      return Int32((isStored ? (height - bin.row) % height : bin.row) * columns + bin.column)
    }
    isSelfConjugate = bins.map(\.isSelfConjugate)
    dataPerGrid = bins.reduce(0) { $0 + ($1.isSelfConjugate ? 1 : 2) }
    selfScale = Float(1 / Double(height * width).squareRoot())
    pairScale = Float((2 / Double(height * width)).squareRoot())
    self.fourier = fourier
  }

  func apply(_ x: Span<Float>, into y: inout MutableSpan<Float>) {
    let cells = fourier.real.count
    precondition(x.count == grids * cells && y.count == grids * dataPerGrid)
    var output = 0
    for grid in 0..<grids {
      let start = grid * cells
      for cell in 0..<cells { fourier.real[cell] = x[unchecked: start &+ cell] }
      fourier.forward()
      for index in bins.indices {
        let (real, imaginary) = fourier.spectrum[Int(bins[index])]
        if isSelfConjugate[index] {
          y[output] = selfScale * real
          output += 1
        } else {
          y[output] = pairScale * real
          y[output + 1] = pairScale * imaginary
          output += 2
        }
      }
    }
  }

  /// The backward transform sums both members of a pair, so each takes half of the forward scale.
  func vjp(_ dy: Span<Float>, into dx: inout MutableSpan<Float>) {
    let cells = fourier.real.count
    precondition(dx.count == grids * cells && dy.count == grids * dataPerGrid)
    var input = 0
    for grid in 0..<grids {
      // Backward destroys what was there.
      fourier.spectrum.update(repeating: (0, 0))
      for index in bins.indices {
        if isSelfConjugate[index] {
          fourier.spectrum[Int(bins[index])] = (selfScale * dy[input], 0)
          input += 1
        } else {
          let real = 0.5 * pairScale * dy[input]
          let imaginary = 0.5 * pairScale * dy[input + 1]
          // The opposite first: where it is not stored the bin overwrites it.
          fourier.spectrum[Int(opposites[index])] = (real, -imaginary)
          fourier.spectrum[Int(bins[index])] = (real, imaginary)
          input += 2
        }
      }
      fourier.backward()
      let start = grid * cells
      for cell in 0..<cells { dx[unchecked: start &+ cell] = fourier.real[cell] }
    }
  }
}
