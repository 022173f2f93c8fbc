import Foundation
import Noise
import Operators
import Maps
import Randomness
import Tensors
import Workers

/// The in-memory door of this module: a picture of any size, its damage, a prior on tiles; and what the picture
/// may have been.
///
///     let prior = try TilePrior.read(path: "data/models/photo.safetensors")
///     let data = try TileData(picture: noisy, noise: .white(sigma: 0.1))
///     let answer = try TilePosterior(prior, data, TileOptions(threads: 2)).solve()
///
/// The same prior, data, options and seed give the same bytes, whatever the number of threads.
public struct TilePosterior {
  private let prior: TilePrior
  private let data: TileData
  private let options: TileOptions
  private let pool: WorkerPool

  /// - Throws: `data` when the picture has other channels than the prior or holds no tile.
  public init(_ prior: TilePrior, _ data: TileData, _ options: TileOptions) throws(TileError) {
    let shape = data.shape
    guard shape[0] == prior.channels else {
      throw .data("the picture has \(shape[0]) channels, the model \(prior.name) \(prior.channels)")
    }
    guard min(shape[1], shape[2]) >= prior.side else {
      throw .data(
        "the picture is \(shape[1])×\(shape[2]); the model \(prior.name) needs at least "
          + "\(prior.side) rows and columns")
    }
    self.prior = prior
    self.data = data
    self.options = options
    pool = WorkerPool(threads: max(1, options.threads))
  }

  /// - Parameter progress: called now and then with what is done and the share of it that is.
  /// - Throws: `PlanError` of an operator or a noise model; `TileError` when the adapted mixture is none.
  public func solve(
    progress: (_ phase: String, _ share: Double) -> Void = { _, _ in }
  ) throws -> TileAnswer {
    switch data.kind {
    case .pixels(let values, let noise, let observed):
      let sigma = try level(values, noise, observed)
      if let sigma, observed == nil {
        return try solveWhite(values, sigma, isEstimated: isUnknown(noise), progress)
      }
      return try solvePixels(
        values, noise, observed, sigma, isEstimated: isUnknown(noise), progress)
    case .forward(let forward): return try solveForward(forward, progress)
    }
  }

  private func isUnknown(_ noise: TileData.PixelNoise) -> Bool {
    if case .unknown = noise { return true }
    return false
  }

  /// σ of white noise, estimated from whole tiles where it is not known; nil where levels differ.
  private func level(
    _ values: [Float], _ noise: TileData.PixelNoise, _ observed: [Bool]?
  ) throws(TileError) -> Double? {
    switch noise {
    case .white(let sigma): return sigma
    case .deviations: return nil
    case .unknown: break
    }
    let (height, width, side) = (data.shape[1], data.shape[2], prior.side)
    // What is missing may be anything, NaN included; those tiles are not looked at.
    let buffer = FloatBuffer(values)
    let picture = Planes(
      buffer, channels: prior.channels, height: height, width: width)
    var places = TilePattern(height: height, width: width, side: side, stride: side)
      .places(rows: 0..<height - side + 1)
      .filter { Int($0.row) % side == 0 && Int($0.column) % side == 0 }
    func keep(_ isMeasured: (Int) -> Bool) -> [TilePlace] {
      places.filter { place in
        (0..<prior.tileCount).allSatisfy { pixel in
          let row = Int(place.row) + pixel / side % side
          let column = Int(place.column) + pixel % side
          return isMeasured((pixel / (side * side) * height + row) * width + column)
        }
      }
    }
    if let observed { places = keep { observed[$0] } }
    if let range = data.clipping {
      // Noise that was cut off looks weaker than it is; where all tiles have some they must do.
      let whole = keep { values[$0] > range.lowerBound && values[$0] < range.upperBound }
      if !whole.isEmpty { places = whole }
    }
    let workers = (0..<pool.threads).map { _ in TileWorker(prior) }
    guard
      let sigma = TileNoiseLevel.estimate(
        prior, picture, places: places, workers: workers, pool: pool)
    else {
      throw .data(
        "no tile of \(side)×\(side) pixels is seen whole, so the noise level cannot be estimated; "
          + "give it")
    }
    return sigma
  }

  // MARK: White noise everywhere

  private func solveWhite(
    _ values: [Float], _ sigma: Double, isEstimated: Bool,
    _ progress: (String, Double) -> Void
  ) throws -> TileAnswer {
    let shape = data.shape
    let censoring = data.clipping.flatMap { Censoring(values, shape: shape, range: $0) }
    let step = PixelStep(
      data: values, precisions: [Float](repeating: Float(1 / (sigma * sigma)), count: values.count),
      censoring: censoring)
    let complete =
      censoring.map { completions(values, $0, sigma, step, progress) } ?? [values]
    let buffer = FloatBuffer(complete[0])
    let adapted = try adapt(planes(buffer), sigma, progress)
    let average = TileAverage(adapted.prior, pool: pool)
    progress("mean", 0)
    let mixtures = average.mixtures(sigma: sigma, height: shape[1], width: shape[2])
    let estimate = average.estimate(planes(buffer), mixtures, stride: options.meanStride)
    let scale = calibrated(estimate, complete[0], sigma, average, mixtures)
    let others = complete.dropFirst().map {
      average.estimate(planes(FloatBuffer($0)), mixtures, stride: options.meanStride).mean
    }
    var mean = Tensor(shape: shape, values: estimate.mean.array)
    if let censoring {
      pool(others, with: estimate)
      mean = Tensor(shape: shape, values: estimate.mean.array.map(censoring.clamped))
    }
    progress("mean", 1)
    var best: Tensor?
    if options.quality != .fast {
      progress("best picture", 0)
      let x = FloatBuffer(complete[0])
      BestPicture.denoising(sigma: sigma, stride: 1)
        .improve(
          x, channels: shape[0], height: shape[1], width: shape[2], average, step)
      best = Tensor(shape: shape, values: x.array.map { censoring?.clamped($0) ?? $0 })
      progress("best picture", 1)
    }
    let raw = try draws(
      around: mean, average, from: sigma, to: 0.05 * sigma,
      makeStep: { step.copy() }, progress)
    let deviation = Tensor(shape: shape, values: estimate.variance.array.map { $0.squareRoot() })
    var drawn = fitted(raw, to: mean, deviation)
    if let censoring {
      for index in drawn.indices {
        drawn[index].values = drawn[index].values.map(censoring.clamped)
      }
    }
    var square = 0.0
    for values in complete {
      for index in values.indices {
        let misfit = Double(values[index] - mean.values[index])
        square += misfit * misfit + Double(estimate.variance.pointer[index])
      }
    }
    return TileAnswer(
      mean: mean, deviation: deviation, best: best, draws: drawn, sigma: sigma,
      sigmaIsEstimated: isEstimated, scale: scale, adaptation: adapted.divergence,
      censored: data.clipping.map { _ in censoring?.count ?? 0 },
      chiSquarePerDatum: square / (sigma * sigma * Double(values.count * complete.count)))
  }

  /// The data with draws of what the censored values were before they were cut: each from another short chain of
  /// pictures, which starts where two rounds of EM on a coarse average lead.
  private func completions(
    _ values: [Float], _ censoring: Censoring, _ sigma: Double, _ step: PixelStep,
    _ progress: (String, Double) -> Void
  ) -> [[Float]] {
    let shape = data.shape
    let average = TileAverage(prior, pool: pool)
    let mixtures = average.mixtures(sigma: sigma, height: shape[1], width: shape[2])
    progress("censored values", 0)
    let buffer = FloatBuffer(values)
    var centre = buffer
    for _ in 0..<2 {
      centre = average.estimate(planes(buffer), mixtures, stride: 4).mean
      censoring.forEachExpectation(centre.pointer, deviation: sigma) { buffer.pointer[$0] = $1 }
    }
    let key = RandomKey(seed: options.seed).child("censored values")
    let pictures = TileSampler(
      from: sigma, to: 0.2 * sigma, levels: 6, sweepsPerLevel: 1,
      mosaics: TileSampler.calibratedMosaics
    ).draws(
      completionCount, start: Tensor(shape: shape, values: centre.array), average,
      key: key.child("pictures"), atOnce: max(pool.threads, 2), makeStep: { step.copy() })
    progress("censored values", 1)
    return pictures.enumerated().map { number, picture in
      var stream = key.child("values").child(number).stream()
      var result = values
      // The truth lies in the range.
      picture.values.map(censoring.clamped).withUnsafeBufferPointer {
        censoring.forEachDraw($0.baseAddress!, deviation: sigma, &stream) { result[$0] = $1 }
      }
      return result
    }
  }

  /// Completions of censored data: their spread tells what is not known of them.
  private var completionCount: Int { options.quality == .fast ? 2 : 4 }

  /// The mean of estimates from completions; to the variance is added that between them, averaged over 5×5
  /// pixels since there are few (Rubin, "Multiple imputation", 1987, equation 3.1.5).
  private func pool(_ others: [FloatBuffer], with estimate: TileEstimate) {
    let shape = data.shape
    let number = Float(others.count + 1)
    var between = [Float](repeating: 0, count: shape.count)
    for index in 0..<shape.count {
      let own = estimate.mean.pointer[index]
      var (sum, square) = (own, own * own)
      for other in others {
        sum += other.pointer[index]
        square += other.pointer[index] * other.pointer[index]
      }
      let mean = sum / number
      estimate.mean.pointer[index] = mean
      between[index] = max(square - number * mean * mean, 0) / (number - 1) * (1 + 1 / number)
    }
    ErrorBarScale.smooth(
      &between, channels: shape[0], height: shape[1], width: shape[2], radius: 2)
    for index in 0..<shape.count { estimate.variance.pointer[index] += between[index] }
  }

  /// Scales the estimate's variances by Stein's estimate of its risk.
  private func calibrated(
    _ estimate: TileEstimate, _ values: [Float], _ sigma: Double, _ average: TileAverage,
    _ mixtures: [NoisyMixture]
  ) -> ErrorBarScale {
    let shape = data.shape
    var stream = RandomKey(seed: options.seed).child("error bars").stream()
    let signs = values.map { _ in Float(stream.next() & 1 == 0 ? 1 : -1) }
    // Small against the noise, large against rounding.
    let delta = Float(0.05 * sigma)
    let moved = FloatBuffer(zip(values, signs).map { $0 + delta * $1 })
    let other = average.estimate(planes(moved), mixtures, stride: options.meanStride)
    let differences = values.indices.map {
      (other.mean.pointer[$0] - estimate.mean.pointer[$0]) * signs[$0] / delta
    }
    let texture = ErrorBarScale.texture(
      estimate.variance.pointer, channels: shape[0], height: shape[1], width: shape[2])
    let scale = ErrorBarScale(
      data: values, estimate: estimate.mean.array, variance: estimate.variance.array,
      differences: differences, texture: texture, sigma: sigma)
    for index in values.indices {
      estimate.variance.pointer[index] *= Float(scale.factor(Double(texture[index])))
    }
    return scale
  }

  // MARK: Other data

  private func solvePixels(
    _ values: [Float], _ noise: TileData.PixelNoise, _ observed: [Bool]?, _ sigma: Double?,
    isEstimated: Bool, _ progress: (String, Double) -> Void
  ) throws -> TileAnswer {
    let precisions = values.indices.map { index -> Float in
      guard observed?[index] ?? true else { return 0 }
      if let sigma { return Float(1 / (sigma * sigma)) }
      guard case .deviations(let deviations) = noise else { return 0 }
      return 1 / (deviations[index] * deviations[index])
    }
    let known = precisions.filter { $0 > 0 }.sorted()
    let level = Double(1 / known[known.count / 2].squareRoot())
    let filled = PictureFill.fill(
      Tensor(shape: data.shape, values: values), observed: precisions.map { $0 > 0 })
    var adapted: (prior: TilePrior, divergence: Double?) = (prior, nil)
    if observed == nil {
      let buffer = FloatBuffer(filled.values)
      adapted = try adapt(planes(buffer), level, progress)
    }
    progress("mean", 0)
    let (estimate, scale) = masked(adapted.prior, filled.values, precisions)
    progress("mean", 1)
    let mean = Tensor(shape: data.shape, values: estimate.mean.array)
    let deviation = Tensor(
      shape: data.shape, values: estimate.variance.array.map { $0.squareRoot() })
    let step = PixelStep(data: filled.values, precisions: precisions)
    let average = TileAverage(adapted.prior, pool: pool)
    var best: Tensor?
    if options.quality != .fast {
      best = bestPicture(
        from: mean, first: observed == nil ? level : max(level, 0.04), level: level, average, step,
        progress)
    }
    let raw = try draws(
      around: mean, average, from: observed == nil ? level : max(level, 0.1),
      to: max(0.05 * level, 0.001), makeStep: { step }, progress)
    var square = 0.0
    for index in values.indices where precisions[index] > 0 {
      let misfit = Double(values[index] - mean.values[index])
      square +=
        Double(precisions[index]) * (misfit * misfit + Double(estimate.variance.pointer[index]))
    }
    return TileAnswer(
      mean: mean, deviation: deviation, best: best, draws: fitted(raw, to: mean, deviation),
      sigma: sigma, sigmaIsEstimated: isEstimated, scale: scale, adaptation: adapted.divergence,
      censored: nil, chiSquarePerDatum: square / Double(known.count))
  }

  /// The average over tiles of pixels in independent noise, and its error bars scaled by pixels held out.
  private func masked(
    _ prior: TilePrior, _ values: [Float], _ precisions: [Float]
  ) -> (TileEstimate, ErrorBarScale?) {
    let shape = data.shape
    let average = MaskedAverage(mixture: PixelMixture(prior), pool: pool)
    let variances = precisions.map { $0 > 0 ? 1 / $0 : Float.infinity }
    let estimate = average.estimate(
      values, variances: variances, shape: shape, stride: options.maskedStride)
    // Two per cent of what is seen, but no more than tells the scale to a few per cent.
    var stream = RandomKey(seed: options.seed).child("held out").stream()
    let seen = variances.indices.filter { variances[$0].isFinite }
    let share = min(0.02, 4000 / Double(seen.count))
    var left = variances
    var isOut = [Bool](repeating: false, count: shape.count)
    for index in seen where stream.uniform() < share {
      isOut[index] = true
      left[index] = .infinity
    }
    let out = seen.filter { isOut[$0] }
    // Fewer would scale by chance.
    guard out.count >= 100 else { return (estimate, nil) }
    let predicted = average.estimate(
      values, variances: left, shape: shape, stride: 2 * options.maskedStride, wanted: isOut)
    let scale = ErrorBarScale(
      squares: out.map {
        let misfit = values[$0] - predicted.mean.pointer[$0]
        return misfit * misfit - variances[$0]
      }, noise: out.map { variances[$0] }, stated: out.map { predicted.variance.pointer[$0] })
    for index in 0..<shape.count {
      estimate.variance.pointer[index] *= Float(
        scale.factor(log(Double(estimate.variance.pointer[index]))))
    }
    return (estimate, scale)
  }

  private func bestPicture(
    from start: Tensor, first: Double, level: Double, _ average: TileAverage,
    _ step: any PictureStep, _ progress: (String, Double) -> Void
  ) -> Tensor {
    let shape = data.shape
    progress("best picture", 0)
    let x = FloatBuffer(start.values)
    BestPicture.annealing(
      from: first, to: max(0.2 * level, 0.002), count: 8, stride: 1
    ).improve(x, channels: shape[0], height: shape[1], width: shape[2], average, step)
    progress("best picture", 1)
    return Tensor(shape: shape, values: x.array)
  }

  private func solveForward(
    _ forward: TileData.ForwardData, _ progress: (String, Double) -> Void
  ) throws -> TileAnswer {
    let makeStep = {
      try OperatorStep(
        data: forward.values, forward: forward.map, noise: forward.noise, cells: forward.cells)
    }
    let start = FloatBuffer([Float](repeating: 0.5, count: data.shape.count))
    try makeStep().smoothest(deviation: Self.neighbourDeviation, start.pointer)
    // Draws have to cross as far as the noise leaves open: from there on ρ falls.
    return try solveBySplitting(
      start: Tensor(shape: data.shape, values: start.array), level: 0.01,
      first: min(max(Self.firstTie, forward.widest), 1), makeStep: makeStep,
      data: forward.values.count, progress)
  }

  /// Of the differences of neighbouring pixels in photographs, intensity; and ρ where the draws begin, at least.
  private static let neighbourDeviation = 0.05, firstTie = 0.1

  /// Best picture and draws by splitting; the mean and its error bars are the draws'.
  private func solveBySplitting(
    start: Tensor, level: Double, first: Double = Self.firstTie,
    makeStep: () throws -> any PictureStep, data count: Int,
    _ progress: (String, Double) -> Void
  ) throws -> TileAnswer {
    let shape = data.shape
    let average = TileAverage(prior, pool: pool)
    let step = try makeStep()
    let raw = try draws(
      around: start, average, from: first, to: 0.1 * level, levels: options.forwardLevels, least: 8,
      makeStep: makeStep, progress)
    var mean = Tensor(shape: shape)
    var deviation = Tensor(shape: shape)
    let number = Float(raw.count)
    for index in 0..<shape.count {
      var (sum, square): (Float, Float) = (0, 0)
      for draw in raw { sum += draw.values[index] }
      sum /= number
      for draw in raw { square += (draw.values[index] - sum) * (draw.values[index] - sum) }
      mean.values[index] = sum
      // The truth is one more draw about a mean of n.
      deviation.values[index] =
        Self.width(number - 1) * (square / (number - 1) * (1 + 1 / number)).squareRoot()
    }
    // From the mean on: what the tiles hardly tell, the ties to them hold where they begin.
    let best = bestPicture(
      from: mean, first: Self.firstTie, level: level, average, step, progress)
    let chiSquare =
      raw.reduce(0) {
        $0 + $1.values.withUnsafeBufferPointer { step.chiSquare(of: $0.baseAddress!) }
      }
      / Double(raw.count)
    return TileAnswer(
      mean: mean, deviation: deviation, best: best, draws: Array(raw.prefix(options.draws)),
      sigma: nil, sigmaIsEstimated: false, scale: nil, adaptation: nil, censored: nil,
      chiSquarePerDatum: chiSquare / Double(count))
  }

  /// What a deviation from draws of so many degrees of freedom is multiplied by, so that 1.645 of them hold 90 %:
  /// the 95 % quantile of Student's t over the normal one, to the second order in 1/ν (Abramowitz and Stegun,
  /// 26.7.5).
  static func width(_ freedom: Float) -> Float {
    let z = Float(1.6448536)
    let square = z * z
    return 1 + (square + 1) / (4 * freedom)
      + (5 * square * square + 16 * square + 3) / (96 * freedom * freedom)
  }

  // MARK: Parts

  private func planes(_ buffer: FloatBuffer) -> Planes {
    Planes(
      buffer, channels: data.shape[0], height: data.shape[1], width: data.shape[2])
  }

  private func adapt(
    _ picture: Planes, _ sigma: Double, _ progress: (String, Double) -> Void
  ) throws -> (prior: TilePrior, divergence: Double?) {
    guard options.adapts else { return (prior, nil) }
    progress("adapting", 0)
    let workers = (0..<pool.threads).map { _ in TileWorker(prior) }
    var adaptation = TileAdaptation()
    if options.quality == .best { adaptation.rounds = 3 }
    let adapted = try adaptation.adapted(
      prior, to: picture, sigma: sigma, workers: workers, pool: pool)
    progress("adapting", 1)
    var divergence = 0.0
    for (own, shipped) in zip(adapted.density.weights, prior.density.weights)
    where own > 0 && shipped > 0 {
      divergence += own * log(own / shipped)
    }
    return (adapted, divergence)
  }

  private func draws(
    around start: Tensor, _ average: TileAverage, from first: Double, to last: Double,
    levels: Int? = nil, least: Int = 0, makeStep: () throws -> any PictureStep,
    _ progress: (String, Double) -> Void
  ) throws -> [Tensor] {
    let count = max(options.draws, least)
    guard count > 0 else { return [] }
    progress("draws", 0)
    let sampler = TileSampler(
      from: first, to: last, levels: levels ?? options.samplingLevels, sweepsPerLevel: 2,
      mosaics: TileSampler.calibratedMosaics)
    // Each chain holds five pictures: half a gigabyte in all.
    let fit = max(pool.threads, (1 << 29) / (5 * 4 * max(start.count, 1)))
    return try sampler.draws(
      count, start: start, average, key: RandomKey(seed: options.seed).child("draws"),
      atOnce: min(options.drawsAtOnce ?? fit, count), makeStep: makeStep,
      progress: { progress("draws", $0) })
  }

  /// Draws about the mean with the error bars' width: the deviations of the draws from their own mean, scaled
  /// by the ratio of deviations in the neighbourhood (17×17 pixels), so that mean, error bars and draws say
  /// the same.
  private func fitted(_ draws: [Tensor], to mean: Tensor, _ deviation: Tensor) -> [Tensor] {
    guard draws.count > 1 else { return draws }
    let shape = data.shape
    let number = Float(draws.count)
    var centre = [Float](repeating: 0, count: shape.count)
    var spread = centre
    for index in 0..<shape.count {
      for draw in draws { centre[index] += draw.values[index] / number }
      for draw in draws {
        let step = draw.values[index] - centre[index]
        spread[index] += step * step / (number - 1)
      }
    }
    let own = ErrorBarScale.texture(
      spread, channels: shape[0], height: shape[1], width: shape[2])
    let wanted = ErrorBarScale.texture(
      deviation.values.map { $0 * $0 }, channels: shape[0], height: shape[1], width: shape[2])
    return draws.map { draw in
      var result = draw
      for index in 0..<shape.count {
        let factor = expf(0.5 * (wanted[index] - own[index]))
        result.values[index] = mean.values[index] + factor * (draw.values[index] - centre[index])
      }
      return result
    }
  }
}
