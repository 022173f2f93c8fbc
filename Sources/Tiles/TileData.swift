import Noise
import Operators
import Maps
import Tensors

/// What was measured of a picture x (C×H×W), and the law of its noise.
public struct TileData: Sendable {
  /// The law of the noise of data that see pixels one by one.
  public enum PixelNoise: Sendable {
    /// White, of this deviation (intensity).
    case white(sigma: Double)
    /// White, of a deviation that the tiles themselves tell.
    case unknown
    /// The deviation of each element, C×H×W, channels first.
    case deviations([Float])
  }

  enum Kind: Sendable {
    /// y = x + n where `observed`, one flag for each element; all of them where it is nil.
    case pixels(values: [Float], noise: PixelNoise, observed: [Bool]?)
    /// y = A x + n.
    case forward(ForwardData)
  }

  struct ForwardData: Sendable {
    let values: [Float]
    let map: any LinearOperator
    let noise: any NoiseModel
    /// Each datum's cell, where the noise has more cells than there are data.
    var cells: [Int]?
    /// The standard deviation of the noise in the direction where it is largest, as far as known.
    var widest = 0.0
  }

  /// C×H×W of x.
  public let shape: Shape
  let kind: Kind
  /// Ends at which noise was cut off; nil where it was not.
  let clipping: ClosedRange<Float>?

  /// The picture itself, in noise, where `observed` (C×H×W flags; nil: everywhere). What it holds elsewhere is
  /// not looked at.
  /// - Parameter clipping: the range of the truth, where values at its ends or beyond say only that: noise was cut
  ///   off there. Read where the picture is seen whole in white noise; nil: all values were measured.
  /// - Throws: `data` when a datum is not finite, a deviation not positive, or nothing is observed.
  public init(
    picture: Tensor, noise: PixelNoise, observed: [Bool]? = nil,
    clipping: ClosedRange<Float>? = nil
  ) throws(TileError) {
    try Self.check(picture.shape)
    let count = picture.count
    guard observed == nil || observed!.count == count else {
      throw .data("the mask has \(observed!.count) flags for \(count) elements")
    }
    func isSeen(_ index: Int) -> Bool { observed?[index] ?? true }
    if let bad = picture.values.indices.first(where: { isSeen($0) && !picture.values[$0].isFinite })
    {
      throw .data("element \(bad) of the picture is not finite; mark it as missing")
    }
    guard picture.values.indices.contains(where: isSeen) else {
      throw .data("nothing of the picture is observed")
    }
    switch noise {
    case .white(let sigma):
      guard sigma > 0, sigma.isFinite else {
        throw .data("the noise level is \(sigma); it must be positive and finite")
      }
    case .deviations(let deviations):
      guard deviations.count == count else {
        throw .data("\(deviations.count) noise levels for \(count) elements")
      }
      if let bad = deviations.indices.first(where: {
        isSeen($0) && !(deviations[$0] > 0 && deviations[$0].isFinite)
      }) {
        throw .data("noise level \(bad) is \(deviations[bad]); it must be positive and finite")
      }
    case .unknown: break
    }
    shape = picture.shape
    self.clipping = clipping
    let complete = observed?.allSatisfy { $0 } ?? true
    kind = .pixels(values: picture.values, noise: noise, observed: complete ? nil : observed)
  }

  /// y = A x + n with a linear operator on C×H×W and Gaussian noise.
  /// - Throws: `data` when the sizes do not fit or a datum is not finite.
  public init(
    values: [Float], forward: any LinearOperator, noise: any NoiseModel
  ) throws(TileError) {
    try Self.check(forward.domain)
    guard values.count == forward.codomain.count, noise.dimension == values.count else {
      throw .data(
        "\(values.count) data and noise for \(noise.dimension) where the operator gives "
          + "\(forward.codomain.count)")
    }
    if let bad = values.firstIndex(where: { !$0.isFinite }) {
      throw .data("datum \(bad) is not finite")
    }
    shape = forward.domain
    clipping = nil
    kind = .forward(ForwardData(values: values, map: forward, noise: noise))
  }

  /// y = A x + n with stationary noise on a periodic grid, of which `spectrum` is the law in each channel on its
  /// own. A's codomain C×H×W lies in the grid's upper left corner; only what is `observed` (C·H·W flags; nil: all
  /// of it) are data. Exact whatever is missing.
  /// - Throws: `data` when the sizes do not fit, nothing is observed, or a datum is not finite.
  public init(
    values: [Float], forward: any LinearOperator, spectrum: PowerSpectrum,
    observed: [Bool]? = nil
  ) throws(TileError) {
    try Self.check(forward.domain)
    let seen = forward.codomain
    guard seen.rank == 3, values.count == seen.count,
      observed.map({ $0.count == seen.count }) ?? true,
      seen[1] <= spectrum.height, seen[2] <= spectrum.width
    else {
      throw .data(
        "\(values.count) data and a spectrum of \(spectrum.height)×\(spectrum.width) for data of shape "
          + "\(seen)")
    }
    let kept = values.indices.filter { observed?[$0] ?? true }
    guard !kept.isEmpty else { throw .data("nothing of the picture is observed") }
    if let bad = kept.first(where: { !values[$0].isFinite }) {
      throw .data("datum \(bad) is not finite")
    }
    let noise = StationaryNoise(spectrum: spectrum, channels: seen[0])
    let cells = kept.map { index in
      let (row, column) = (index / seen[2], index % seen[2])
      return (row / seen[1] * spectrum.height + row % seen[1]) * spectrum.width + column
    }
    var map = forward
    if kept.count < values.count {
      let flags = values.indices.map { observed?[$0] ?? true }
      do {
        map = try ComposedOperator([forward, MaskOperator(shape: seen, observed: flags)])
      } catch { throw .data("\(error)") }
    }
    shape = forward.domain
    clipping = nil
    kind = .forward(
      ForwardData(
        values: kept.map { values[$0] }, map: map, noise: noise,
        cells: kept.count == noise.dimension ? nil : cells,
        widest: (spectrum.values.max() ?? 0).squareRoot()))
  }

  private static func check(_ shape: Shape) throws(TileError) {
    guard shape.rank == 3, shape[0] == 1 || shape[0] == 3 else {
      throw .data("a picture is 1×H×W or 3×H×W, not \(shape)")
    }
  }
}

/// How much work goes into an answer.
public struct TileOptions: Sendable, Equatable {
  public enum Quality: String, Sendable, CaseIterable {
    /// Mean and error bars, from one tile in four.
    case fast
    /// All tiles of pictures in white noise, adapted; also the best picture and draws.
    case normal
    /// All tiles of others too, one more round of adaptation, and slower schedules for draws.
    case best
  }

  public var quality: Quality
  /// Whether the mixture is adapted to the picture.
  public var adapts: Bool
  /// Draws of the whole picture; 0 in `fast` where the mean needs none.
  public var draws: Int
  public var seed: UInt64
  public var threads: Int
  /// Draws that are made at the same time: each holds five pictures.
  public var drawsAtOnce: Int?

  public init(
    quality: Quality = .normal, adapts: Bool? = nil, draws: Int? = nil, seed: UInt64 = 1,
    threads: Int
  ) {
    self.quality = quality
    self.adapts = adapts ?? (quality != .fast)
    self.draws = draws ?? (quality == .fast ? 0 : 16)
    self.seed = seed
    self.threads = threads
  }

  /// Of the mean's tiles in white noise: with 2 it is 0.08 dB behind.
  var meanStride: Int { quality == .fast ? 2 : 1 }
  /// Of the mean's tiles in other data, each of which costs a hundred times as much.
  var maskedStride: Int { quality == .best ? 1 : 2 }
  /// Levels of ρ of the draws, where pixels are seen one by one.
  var samplingLevels: Int { quality == .best ? 24 : 16 }
  /// And where they are not: what an operator hides is narrowed by the tiles alone, level by level.
  var forwardLevels: Int { quality == .best ? 64 : 40 }
}

/// What the data and the prior say about a picture.
public struct TileAnswer: Sendable {
  /// An estimate of least squares, C×H×W: the average over tiles, or over draws where the data do not see
  /// pixels one by one.
  public let mean: Tensor
  /// The standard deviation of the truth about the mean, intensity, by `scale` where there is one.
  public let deviation: Tensor
  /// The most probable picture (`BestPicture`); nil in `fast`.
  public let best: Tensor?
  public let draws: [Tensor]
  /// σ, as given or estimated; nil where the noise is not white.
  public package(set) var sigma: Double?
  public package(set) var sigmaIsEstimated: Bool
  /// What the error bars were multiplied by; nil where the data gave no scale.
  public let scale: ErrorBarScale?
  /// Kullback–Leibler divergence in nats of the shipped weights from those of this picture, where the mixture
  /// was adapted: 0 for a picture as the training photographs are on average.
  public let adaptation: Double?
  /// How many values were taken as "at this end of the range or beyond" instead of as measured; nil where all were
  /// taken as measured.
  public let censored: Int?
  /// (‖W(y − A x̂)‖² + what the posterior's width adds) / data: 1 where model and noise fit.
  public let chiSquarePerDatum: Double
}
