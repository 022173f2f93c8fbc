import Foundation
import ImageFiles
import Judging
import Likelihoods
import Maps
import Noise
import Operators
import Problems
import Tensors
import Tiles

/// From damaged pictures of any size to their posterior under a prior on tiles: read → posterior in closed
/// form → files. One picture after another; each has a result folder of its own.
public struct TilePipeline: SolverPipeline {
  private let command: String
  private let options: SolveOptions
  private let prior: TilePrior
  private let digest: String

  /// Pixels up to which draws are made unless a quality is asked for: beyond they take many minutes.
  static let largestNormal = 1 << 20
  /// Megabytes of draws from which on their size is told beforehand.
  private static let largeDraws = 64

  /// Loads the model.
  /// - Throws: `PipelineError` for an option that has no meaning here, `ImageFileError` for the model.
  public init(command: String, options: SolveOptions) throws {
    try options.validate()
    let path = try ModelLocator.path(of: options.model)
    prior = try TilePrior.read(path: path)
    digest = try SHA256.hexDigest(ofFile: path)
    try Self.checkMeaning(options, name: prior.name)
    self.command = command
    self.options = options
  }

  /// - Throws: `PipelineError`, `ImageFileError`, `PlanError`.
  public func solve(
    _ tasks: [SolveTask], warn: (String) -> Void, progress: (SolveProgress) -> Bool
  ) throws -> [any SolverReport] {
    // Refuse what cannot be written before the work, not after it.
    let folders = try tasks.map {
      try OutputFolder(path: $0.output, overwrite: options.overwrite)
    }
    var reports: [any SolverReport] = []
    for (task, folder) in zip(tasks, folders) {
      let start = ContinuousClock.now
      let picture = try read(task)
      picture.warnings.forEach { warn($0.text) }
      let quality = Self.quality(options, picture)
      let tileOptions = TileOptions(
        quality: quality, adapts: options.adapts, draws: quality == .fast ? 0 : options.samples,
        seed: options.seed, threads: options.threads)
      let kept = TileFiles.keptDraws(tileOptions.draws, elements: picture.shown.count)
      let megabytes = 4 * kept * picture.shown.count / 1_000_000
      if kept > 0, megabytes >= Self.largeDraws {
        warn(
          "\(task.image): draws.nc and posterior.safetensors will hold \(kept) of \(tileOptions.draws) draws, "
            + "\(megabytes) MB each")
      }
      let answer = try Self.asData(task.image) {
        let (data, sigma) = try data(of: picture)
        var answer = try TilePosterior(prior, data, tileOptions).solve { phase, share in
          _ = progress(
            .init(stage: Self.stage(phase), fraction: share, divergences: 0))
        }
        switch sigma {
        case .byTiles: break
        case .given(let level): answer.sigma = level > 0 ? level : nil
        case .estimated(let level): (answer.sigma, answer.sigmaIsEstimated) = (level, true)
        }
        return answer
      }
      let report = TileReport(
        command: command, options: options, quality: quality, isAdapted: tileOptions.adapts,
        prior: prior, digest: digest, picture: picture, answer: answer,
        seconds: (ContinuousClock.now - start) / .seconds(1))
      for warning in report.resultWarnings { warn(warning.text) }
      try TileFiles(picture: picture, answer: answer, report: report).write(to: folder)
      try folder.commit()
      reports.append(report)
    }
    return reports
  }

  /// Reads and checks everything that `solve` would; writes nothing.
  public func check(_ tasks: [SolveTask], warn: (String) -> Void) throws {
    for task in tasks {
      // Begun and dropped: tells whether the folder could be written.
      _ = try OutputFolder(path: task.output, overwrite: options.overwrite)
      let picture = try read(task)
      picture.warnings.forEach { warn($0.text) }
      try Self.asData(task.image) {
        _ = try TilePosterior(
          prior, data(of: picture).data, TileOptions(threads: options.threads))
      }
    }
  }

  private func read(_ task: SolveTask) throws -> PixelPicture {
    try PixelPicture(
      task: task, options: options, channels: prior.channels, modelName: prior.name)
  }

  /// The data and the law of their noise. Rounding to steps of width s adds the variance s²/12.
  private func data(of picture: PixelPicture) throws -> (data: TileData, sigma: KnownSigma) {
    let rounding = picture.quantizationStep * picture.quantizationStep / 12
    let map = try options.noise.sigmaMap.map {
      try DamagedPicture.readSigmaMap($0, shape: picture.tensor.shape)
    }
    let isDirect = picture.forward.isIdentity && options.noise.isWhite
    if options.clipping == .yes, !isDirect || picture.observed != nil || map != nil {
      throw PipelineError.usage(
        "--clipped yes: the model '\(prior.name)' knows of clipped values in whole pictures in white noise of one "
          + "level; with a mask, a sigma map, an operator or coloured noise leave it out")
    }
    if isDirect {
      return (try pixels(of: picture, map, rounding), .byTiles)
    }
    guard let operators = picture.forward.linearOperator else {
      throw PipelineError.usage("the model '\(prior.name)' takes linear operators alone")
    }
    let resolved = try ResolvedNoise(options.noise, shape: picture.tensor.shape)
    let (values, observed) = (picture.tensor.values, picture.observed)
    let level: Double
    switch options.noise.level {
    case .known(let sigma): level = sigma
    case .inSpectrum: level = resolved.spectrumSigma ?? 1
    case .none: level = 0
    case .inferred:
      level = try DamagedPicture.estimatedSigma(
        values, PixelData.kinds(of: values, observed: observed, censored: false), ends: 0...1,
        dataShape: picture.tensor.shape, noise: resolved.shape, isWhite: options.noise.isWhite)
    }
    let sigma: KnownSigma = options.noise.level == .inferred ? .estimated(level) : .given(level)
    guard case .stationary(let shape) = resolved.shape.spatial else {
      let variances = values.indices.map {
        level * level + rounding + Double(map?[$0] ?? 0) * Double(map?[$0] ?? 0)
      }
      let kept = values.indices.filter { observed?[$0] ?? true }
      let forward =
        try observed.map {
          try ComposedOperator(
            [operators, MaskOperator(shape: picture.tensor.shape, observed: $0)])
        } ?? operators
      return (
        try TileData(
          values: kept.map { values[$0] }, forward: forward,
          noise: DiagonalNoise(variances: kept.map { variances[$0] })), sigma
      )
    }
    guard map == nil else {
      throw PipelineError.usage(
        "the model '\(prior.name)' takes coloured noise or a sigma map, not both")
    }
    let spectrum = try PowerSpectrum(
      height: shape.height, width: shape.width,
      values: shape.values.map { level * level * $0 + rounding })
    return (
      try TileData(values: values, forward: operators, spectrum: spectrum, observed: observed),
      sigma
    )
  }

  /// The level of the noise, where the tiles do not tell it.
  private enum KnownSigma {
    case byTiles
    case given(Double)
    case estimated(Double)
  }

  /// Pixels seen one by one.
  private func pixels(
    of picture: PixelPicture, _ map: [Float]?, _ rounding: Double
  ) throws -> TileData {
    let noise: TileData.PixelNoise
    switch (options.noise.level, map) {
    case (.known(let sigma), nil): noise = .white(sigma: (sigma * sigma + rounding).squareRoot())
    case (.inferred, nil): noise = .unknown
    case (.none, let map?):
      noise = .deviations(map.map { ($0 * $0 + Float(rounding)).squareRoot() })
    case (.known(let sigma), let map?):
      noise = .deviations(
        map.map { ($0 * $0 + Float(sigma * sigma + rounding)).squareRoot() })
    default:
      throw PipelineError.usage(
        "the model '\(prior.name)' infers the level of white noise alone: with --sigma-map give --sigma "
          + "a number or leave it out")
    }
    return try TileData(
      picture: picture.tensor, noise: noise, observed: picture.observed, clipping: picture.clipping)
  }

  private static func quality(_ options: SolveOptions, _ picture: PixelPicture)
    -> TileOptions.Quality
  {
    options.quality ?? (picture.tensor.count <= largestNormal ? .normal : .fast)
  }

  /// What goes wrong in a tile posterior is about the data.
  private static func asData<Result>(
    _ name: String, _ body: () throws -> Result
  ) throws -> Result {
    do { return try body() } catch let error as TileError {
      throw PipelineError.data("\(name): \(error)")
    }
  }

  private static func stage(_ phase: String) -> SolveProgress.Stage {
    switch phase {
    case "adapting": .adapting
    case "best picture": .bestPicture
    case "draws": .drawing
    default: .averaging
    }
  }

  /// Refuses what a posterior in closed form has no use for, so that no option is read by nothing.
  private static func checkMeaning(_ options: SolveOptions, name: String) throws(PipelineError) {
    func refuse(_ isAsked: Bool, _ option: String, _ reason: String) throws(PipelineError) {
      if isAsked { throw .usage("\(option) does not go with the model '\(name)': \(reason)") }
    }
    let usual = SolveOptions(threads: options.threads)
    let closed = "its posterior is known in closed form; --quality and --samples say how much work"
    try refuse(options.method != usual.method, "--method", closed)
    try refuse(options.space != usual.space, "--space", closed)
    try refuse(options.chains != usual.chains, "--chains", closed)
    try refuse(options.draws != usual.draws, "--draws", closed)
    try refuse(options.warmup != usual.warmup, "--warmup", closed)
    try refuse(options.targetAcceptance != nil, "--target-accept", closed)
    try refuse(options.residual != usual.residual, "--residual", "its tiles paint everything")
    try refuse(
      options.noise.channelCovariance != nil, "channel-covariance",
      "it takes each channel's noise on its own")
    try refuse(
      options.noise.spectrum.isSlopeInferred, "power:auto",
      "it takes a spectrum that is known; estimate one by paeinvert spectrum")
    try refuse(
      options.noise.solver != usual.noise.solver, "--solver",
      "it solves for whole pictures by conjugate gradients")
  }
}
