import CFFTW
import Maps
import Numerics
import Operators
import Randomness

/// The covariance M F⁻¹ diag(P) F Mᵀ of masked stationary noise, applied: scatter to the grid,
/// transform, multiply, transform back, gather. Owns its arrays.
final class GridProduct {
  private let grid: MaskedSpectrum
  private let fourier: RealFourierPlan
  /// P/n and √P/n of the stored bins: backward after forward multiplies by n = HW.
  private let powers: [Double]
  private let roots: [Double]
  /// The data of channel c are starts[c]..<starts[c + 1].
  private let starts: [Int]
  private let cells: [Int32]

  init(_ grid: MaskedSpectrum) throws(PlanError) {
    self.grid = grid
    let (height, width) = (grid.spectrum.height, grid.spectrum.width)
    fourier = try RealFourierPlan(height: height, width: width)
    let scale = 1 / Double(height * width)
    var powers: [Double] = []
    for row in 0..<height {
      for column in 0..<halfSpectrumColumns(width) {
        powers.append(grid.spectrum.values[row * width + column])
      }
    }
    self.powers = powers.map { scale * $0 }
    roots = powers.map { scale * $0.squareRoot() }
    let cellsOfChannel = height * width
    var starts = [0]
    for channel in 1...grid.channels {
      var end = starts[channel - 1]
      while end < grid.cells.count, grid.cells[end] < channel * cellsOfChannel { end += 1 }
      starts.append(end)
    }
    self.starts = starts
    cells = grid.cells.map { Int32($0 % cellsOfChannel) }
  }

  /// y ← y + N x. `x`, `y`: D data.
  func add(_ x: UnsafePointer<Double>, to y: UnsafeMutablePointer<Double>) {
    for channel in 0..<grid.channels {
      fourier.real.update(repeating: 0)
      let plane = fourier.real.baseAddress!
      cells.withUnsafeBufferPointer { cells in
        for datum in starts[channel]..<starts[channel + 1] { plane[Int(cells[datum])] = x[datum] }
      }
      multiply(by: powers)
      gather(channel, to: y)
    }
  }

  /// y ← y + a draw: of the whole grid, then masked.
  func addDraw(_ stream: inout RandomStream, to y: UnsafeMutablePointer<Double>) {
    for channel in 0..<grid.channels {
      for cell in fourier.real.indices { fourier.real[cell] = stream.normal() }
      multiply(by: roots)
      gather(channel, to: y)
    }
  }

  private func multiply(by factors: [Double]) {
    fourier.forward()
    factors.withUnsafeBufferPointer { factors in
      fourier.spectrum.withMemoryRebound(to: SIMD2<Double>.self) { bins in
        let pointer = bins.baseAddress!
        for bin in 0..<factors.count { pointer[bin] *= factors[bin] }
      }
    }
    fourier.backward()
  }

  private func gather(_ channel: Int, to y: UnsafeMutablePointer<Double>) {
    let plane = fourier.real.baseAddress!
    cells.withUnsafeBufferPointer { cells in
      for datum in starts[channel]..<starts[channel + 1] { y[datum] += plane[Int(cells[datum])] }
    }
  }
}
