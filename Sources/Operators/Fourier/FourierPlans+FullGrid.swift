/// What estimates of spectra need of a transform: all H×W bins, with their conjugates.
extension RealFourierPlan {
  /// Σ_x r_x exp(−2πi k·x), real and imaginary part.
  package func transform(_ values: [Double]) -> [(Double, Double)] {
    for index in values.indices { real[index] = values[index] }
    forward()
    let columns = halfSpectrumColumns(width)
    return (0..<height * width).map { index in
      let (row, column) = (index / width, index % width)
      if column < columns {
        let bin = spectrum[row * columns + column]
        return (bin.0, bin.1)
      }
      let bin = spectrum[(height - row) % height * columns + width - column]
      return (bin.0, -bin.1)
    }
  }

  /// The real grid whose `transform` this is.
  package func inverseTransform(_ values: [(Double, Double)]) -> [Double] {
    let columns = halfSpectrumColumns(width)
    let scale = 1 / Double(height * width)
    for row in 0..<height {
      for column in 0..<columns {
        let (re, im) = values[row * width + column]
        spectrum[row * columns + column] = (re * scale, im * scale)
      }
    }
    backward()
    return Array(real)
  }

  /// (1/HW) Σ_k P_k cos(2π k·d) for every offset d of an even spectrum of any sign.
  package func autocovariance(_ power: [Double]) -> [Double] {
    inverseTransform(power.map { ($0, 0) })
  }

  /// |Σ_x z_x exp(−2πi k·x)|² / HW of the chosen cells about their mean, z = 0 elsewhere.
  package func periodogram(_ picture: [Double], of cells: [Int]) -> [Double] {
    let mean = cells.reduce(0.0) { $0 + picture[$1] } / Double(cells.count)
    var values = [Double](repeating: 0, count: height * width)
    for cell in cells { values[cell] = picture[cell] - mean }
    let scale = 1 / Double(height * width)
    return transform(values).map { ($0.0 * $0.0 + $0.1 * $0.1) * scale }
  }
}
