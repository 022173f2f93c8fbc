import Flows
import Inversion
import Likelihoods
import Maps
import Noise
import Problems
import Tensors

/// How the pictures of one run were measured, in the form that is quickest to evaluate exactly:
///
/// - *independent data*: white noise and no covariance between data, censored or not;
/// - *painted factors*: the same with the residual's factors as coordinates, where clipped data, or
///   pictures that do not share one covariance, bar integrating them out;
/// - *turned data*: anything else, up to 4,096 data (`DiagonalizedMeasurement`); of a picture with clipped
///   data the values before clipping join the coordinates (`UnclippedValues`);
/// - *correlated data*: the same by conjugate gradients, any number of data, at a known level and not
///   clipped (`CorrelatedMeasurement`).
package struct MeasurementModel {
  /// What of the decoder's residual is part of it.
  package let residualKind: SolveOptions.Residual
  /// From mean images to data; nil when each datum is an element of the image.
  let instrument: (any DifferentiableMap)?
  let logVolume: Double
  /// C×H×W of the data where they are pixels in their order, else nil.
  package let grid: Shape?
  /// Of turned data whose residuals can be brought back to the pixels they belong to.
  package let placeable: DiagonalizedMeasurement?
  package let problems: [PixelData]
  let law: DataLaw
  /// How C⁻¹ of data that are not independent is applied; nil for independent ones.
  package let solver: CorrelationSolver?
  let level: NoiseLevel
  /// The prior of the residual's scale where it is inferred.
  let residualScale: ResidualScale?
  /// The factors that join the coordinates: with *painted factors* alone.
  let painted: ResidualCovariance?
  /// The values before clipping that join the coordinates: with *turned data*, some of them clipped.
  let unclipped: UnclippedValues?
  /// The law of ε for each picture.
  package let residuals: [any ResidualLaw]

  /// - Parameter isPaintingAllowed: whether factors may become coordinates; else the residual is reduced
  ///   to its diagonal where they would.
  /// - Parameter solver: what was asked for, for data that are not independent.
  /// - Throws: `PipelineError` for what cannot be combined; `PlanError` for singular covariances.
  package init(
    pictures: [DamagedPicture], noise: NoiseShape, isLevelInferred: Bool,
    forward: ForwardModel, residual: ResidualCovariance, isPaintingAllowed: Bool = false,
    residualScale: ResidualScale?, solver: NoiseOptions.Solver
  ) throws {
    let isPaintingNeeded =
      noise.isWhite && forward.isIdentity && residual.rank > 0
      && (pictures.contains { $0.isCensored } || !Self.haveOneStructure(pictures)
        || solver == .automatic && pictures[0].observedCount > DenseNoise.largestDimension)
    let residual = isPaintingNeeded && !isPaintingAllowed ? residual.diagonal : residual
    let isIdentity = forward.isIdentity
    let isCensored = pictures.contains { $0.isCensored }
    let sigmas = pictures.map(\.sigma)
    let level =
      isLevelInferred ? NoiseLevel.inferred(estimates: sigmas) : .known(sigmas)
    residualKind =
      residual.rank > 0 ? .full : residual.variances.contains { $0 > 0 } ? .diagonal : .none
    let hasResidual = residual.rank > 0 || residual.variances.contains { $0 > 0 }
    let isIndependent = noise.isWhite && ((isIdentity && residual.rank == 0) || !hasResidual)
    let isGrid = forward.dataShape.rank == 3
    if isIndependent || isPaintingNeeded {
      try Self.checkIndependent(solver)
    }
    if isIndependent {
      // Independent data.
      instrument = isIdentity ? nil : forward.map
      painted = nil
    } else if isPaintingNeeded {
      // Painted factors.
      instrument = nil
      painted = residual
    } else {
      // Turned data.
      painted = nil
      guard Self.haveOneStructure(pictures) else {
        throw PipelineError.usage(
          "the pictures differ in depth, range or mask: with coloured noise, or with an operator and a "
            + "residual, solve them one at a time")
      }
      guard let linear = forward.linearOperator else {
        throw InverseProblemError.nonlinearOperator
      }
      let described = try GaussianMeasurement(
        forwardOperator: linear, observed: pictures[0].observed, noise: noise,
        fixedVariances: pictures[0].fixedVariances, residual: residual)
      if solver == .conjugateGradients || solver == .automatic && !described.isDense {
        let measurement = try Self.correlated(
          described, pictures, isLevelInferred: isLevelInferred, solver: solver)
        let data = pictures.map { measurement.observed($0.values) }
        (instrument, logVolume, unclipped) = (measurement.instrument, 0, nil)
        (law, self.solver) = (.correlated(measurement.noise), CorrelationSolver(measurement))
        (grid, placeable) = (nil, nil)
        (self.level, self.residualScale) = (level, nil)
        problems = data.map { PixelData(measured: $0) }
        residuals = data.map { CorrelatedResidualConditional(measurement, data: $0) }
        return
      }
      self.residualScale = hasResidual ? residualScale : nil
      let turned = try DiagonalizedMeasurement(
        described,
        level: isLevelInferred ? .inferred(firstGuess: sigmas[0]) : .known(sigmas[0]),
        isScaleInferred: self.residualScale != nil)
      (law, self.solver) = (.independent, .dense)
      logVolume = turned.logVolume
      grid = nil
      placeable = isGrid && !isCensored && turned.isResidualApart ? turned : nil
      if isCensored {
        guard pictures.count == 1 else {
          throw PipelineError.usage(
            "values are clipped at the ends of the range: with coloured noise or an operator, solve "
              + "such pictures one at a time")
        }
        let values = pictures[0].unclippedValues(turned)
        let map = values.makeInstrument()
        (instrument, unclipped, problems) = (map, values, [values.data])
        residuals = [LinearResidualConditional(instrument: turned, map: map, data: values.data)]
      } else {
        let map = turned.makeInstrument()
        let turnedData = pictures.map { turned.pixelData($0.values) }
        (instrument, unclipped, problems) = (map, nil, turnedData)
        residuals = turnedData.map {
          LinearResidualConditional(instrument: turned, map: map, data: $0)
        }
      }
      self.level = isLevelInferred ? level : .known(sigmas.map { turned.level(of: $0) })
      return
    }
    (logVolume, unclipped, law, self.solver) = (0, nil, .independent, nil)
    (grid, placeable) = (isGrid ? forward.dataShape : nil, nil)
    (self.level, self.residualScale) = (level, hasResidual ? residualScale : nil)
    let own = residual.variances
    let variances = isIdentity ? own : [Float](repeating: 0, count: forward.dataShape.count)
    problems = pictures.map { $0.pixelData(residualVariances: variances) }
    residuals =
      isIdentity
      ? problems.map { ResidualConditional(data: $0) }
      : problems.map { _ in NoResidual(count: residual.count) }
  }

  /// Data that are pixels of the picture with independent noise, censored or not, and a residual whose
  /// variance depends on the painted intensity.
  package init(
    pictures: [DamagedPicture], isLevelInferred: Bool, shape: Shape, intensity: IntensityResidual
  ) {
    (grid, placeable) = (shape, nil)
    residualKind = .intensity
    (instrument, logVolume, painted, unclipped) = (nil, 0, nil, nil)
    (law, solver) = (.independent, nil)
    let sigmas = pictures.map(\.sigma)
    level = isLevelInferred ? .inferred(estimates: sigmas) : .known(sigmas)
    residualScale = intensity.scale
    problems = pictures.map {
      $0.pixelData(
        residualVariances: [Float](repeating: 1, count: $0.values.count),
        intensityVariance: intensity.variance)
    }
    residuals = problems.map { ResidualConditional(data: $0) }
  }

  /// The posterior of the pictures under a model's prior, in codes, where it has them, or base variables.
  package func posterior(of model: any Prior, inCodes: Bool) -> ImagePosterior {
    let codeSpace = inCodes ? model.codeSpace : nil
    var generator = codeSpace?.decoder ?? model.generator
    var flow = codeSpace?.flow
    if let painted {
      generator = FactorPainting(generator, residual: painted)
      flow = flow.map { ExtendedFlow($0, extra: painted.rank) }
    }
    if let unclipped {
      generator = unclipped.generator(generator)
      flow = flow.map { unclipped.flow($0) }
    }
    return ImagePosterior(
      generator: generator, flow: flow, instrument: instrument, logVolume: logVolume,
      problems: problems, law: law, noiseLevel: level, residualScale: residualScale,
      scaledCount: painted?.rank ?? 0, logarithmicCount: unclipped?.count ?? 0,
      pictureShape: model.imageShape)
  }

  /// The law of ε that it has for a model's pictures.
  package func residualPrior(of model: any Prior) -> ResidualPrior {
    switch residualKind {
    case .intensity:
      // Only a model that has one gets here with it.
      model.intensityResidual.map { .intensity($0.variance) } ?? .covariance(model.residual)
    case .full, .auto: .covariance(model.residual)
    case .diagonal: .covariance(model.residual.diagonal)
    case .none: .covariance(.none(model.imageShape.count))
    }
  }

  /// Whether one covariance serves the data of all pictures.
  private static func haveOneStructure(_ pictures: [DamagedPicture]) -> Bool {
    pictures.allSatisfy {
      $0.observed == pictures[0].observed && $0.fixedVariances == pictures[0].fixedVariances
    }
  }
}
