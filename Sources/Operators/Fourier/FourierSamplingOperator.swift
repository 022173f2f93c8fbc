import Maps
import Numerics
import Tensors

/// y = the sampled Fourier coefficients of each channel, as real numbers, with orthonormal rows
/// (A Aᵀ = I): white noise of variance σ² in the pixels is white noise of variance σ² in the data.
///
/// F_k = (HW)^(−1/2) Σ_x x exp(−2πi k·x), the unitary transform (numpy.fft.fft2 with norm="ortho").
/// Since x is real, F at −k is the conjugate of F at k, and a pair counts once. The data are, channel
/// by channel, for each sampled bin of `bins` in order:
///
/// | bin | data |
/// | --- | --- |
/// | its own opposite (frequencies 0 or ½ along both axes) | F_k, which is real |
/// | any other | √2 Re F_k, √2 Im F_k |
///
/// Cost: O(HW log HW) for a channel.
public struct FourierSamplingOperator: LinearOperator {
  /// One independent frequency; bin (row, column) is (row/H, column/W) cycles per pixel.
  package struct Bin: Equatable, Sendable {
    package let row: Int
    /// In 0...W/2.
    package let column: Int
    /// Whether the bin is its own opposite: one datum, else two.
    package let isSelfConjugate: Bool
  }

  /// C×H×W.
  public let domain: Shape
  /// A vector of C × `dataPerChannel` elements.
  public let codomain: Shape
  /// Number of data of one channel.
  public let dataPerChannel: Int
  /// The sampled independent frequencies in row-major order of the half spectrum H×(W/2+1). In its
  /// columns 0 and, when W is even, W/2, where the opposite is in the same column, the rows 0...H/2
  /// stand for the pairs.
  package let bins: [Bin]
  /// H×W flags as given.
  private let sampled: [Bool]

  /// - Parameter sampled: H×W flags, row-major in the order of the Fourier transform (zero frequency
  ///   first, as numpy.fft.fft2). A flag on either member of a conjugate pair samples the pair.
  /// - Throws: `unusable` when the number of flags is not H·W or none is set; `tooLarge` when the
  ///   grid is.
  /// - Precondition: `shape` is C×H×W.
  public init(shape: Shape, sampled: [Bool]) throws(PlanError) {
    precondition(shape.rank == 3)
    let (height, width) = (shape[1], shape[2])
    _ = try fourierExtents(height: height, width: width)
    guard sampled.count == height * width else {
      throw .unusable(
        "there are \(sampled.count) sampling flags for the \(height)×\(width) frequencies of the "
          + "picture; give one for each")
    }
    guard sampled.contains(true) else {
      throw .unusable("no Fourier frequency is sampled; sample at least one")
    }
    var bins: [Bin] = []
    for row in 0..<height {
      for column in 0..<halfSpectrumColumns(width) {
        let (oppositeRow, oppositeColumn) = ((height - row) % height, (width - column) % width)
        guard sampled[row * width + column] || sampled[oppositeRow * width + oppositeColumn],
          oppositeColumn != column || row <= oppositeRow
        else { continue }
        bins.append(
          Bin(
            row: row, column: column,
            isSelfConjugate: oppositeRow == row && oppositeColumn == column))
      }
    }
    self.sampled = sampled
    self.bins = bins
    domain = shape
    dataPerChannel = bins.reduce(0) { $0 + ($1.isSelfConjugate ? 1 : 2) }
    codomain = Shape(shape[0] * dataPerChannel)
  }

  public func makePlan(lanes: Int) throws(PlanError) -> any MapPlan {
    FourierSamplingPlan(
      grids: lanes * domain[0], height: domain[1], width: domain[2], bins: bins,
      fourier: try SingleRealFourierPlan(height: domain[1], width: domain[2]))
  }
}

extension FourierSamplingOperator {
  /// The data vector of measured coefficients.
  ///
  /// Where both members of a pair are sampled, F_k and the conjugate of F at −k are averaged: equal
  /// for the spectrum of a real picture; when both were measured with independent noise of standard
  /// deviation σ in the real and in the imaginary part, the noise of every such datum is σ as well.
  /// A pair sampled once gives √2 σ then. The imaginary part of a bin that is its own opposite is no
  /// datum.
  /// - Parameter spectrum: C×H×W coefficients of the unitary transform, real and imaginary part in
  ///   turn; those not sampled are not read.
  /// - Throws: `unusable` when the count is wrong or a sampled coefficient is not finite.
  public func data(fromSpectrum spectrum: [Double]) throws(PlanError) -> [Float] {
    let (height, width) = (domain[1], domain[2])
    guard spectrum.count == 2 * domain.count else {
      throw .unusable(
        "the spectrum has \(spectrum.count / 2) coefficients but the picture of \(domain) has "
          + "\(domain.count); give one for each")
    }
    var data: [Float] = []
    data.reserveCapacity(codomain.count)
    for channel in 0..<domain[0] {
      for bin in bins {
        let members = [
          (bin.row * width + bin.column, 1.0),
          ((height - bin.row) % height * width + (width - bin.column) % width, -1.0),
        ].filter { sampled[$0.0] }
        var (real, imaginary) = (0.0, 0.0)
        for (cell, sign) in members {
          let index = channel * height * width + cell
          real += spectrum[2 * index] / Double(members.count)
          imaginary += sign * spectrum[2 * index + 1] / Double(members.count)
          guard real.isFinite, imaginary.isFinite else {
            throw .unusable(
              "the Fourier coefficient of row \(cell / width), column \(cell % width) is sampled "
                + "but not finite; take its flag away")
          }
        }
        if bin.isSelfConjugate {
          data.append(Float(real))
        } else {
          data.append(Float(2.0.squareRoot() * real))
          data.append(Float(2.0.squareRoot() * imaginary))
        }
      }
    }
    return data
  }

  /// C×H×W coefficients of the unitary transform, real and imaginary part in turn: those of the data
  /// at both members of each sampled pair, zero elsewhere.
  /// - Precondition: as many data as `codomain` has elements.
  public func spectrum(from data: [Float]) -> [Double] {
    precondition(data.count == codomain.count)
    let (height, width) = (domain[1], domain[2])
    var spectrum = [Double](repeating: 0, count: 2 * domain.count)
    var input = 0
    for channel in 0..<domain[0] {
      for bin in bins {
        let cell = (channel * height + bin.row) * width + bin.column
        if bin.isSelfConjugate {
          spectrum[2 * cell] = Double(data[input])
          input += 1
          continue
        }
        let real = Double(data[input]) * 0.5.squareRoot()
        let imaginary = Double(data[input + 1]) * 0.5.squareRoot()
        input += 2
        let opposite =
          (channel * height + (height - bin.row) % height) * width + (width - bin.column) % width
        (spectrum[2 * cell], spectrum[2 * cell + 1]) = (real, imaginary)
        (spectrum[2 * opposite], spectrum[2 * opposite + 1]) = (real, -imaginary)
      }
    }
    return spectrum
  }

  /// Aᵀ y: the picture with the measured coefficients and zero for all others, intensity.
  /// - Throws: what `makePlan` throws.
  /// - Precondition: as many data as `codomain` has elements.
  public func zeroFilledPicture(from data: [Float]) throws(PlanError) -> Tensor {
    var picture = Tensor(shape: domain)
    let plan = try makePlan(lanes: 1)
    var pixels = picture.values.mutableSpan
    plan.vjp(data.span, into: &pixels)
    return picture
  }
}
