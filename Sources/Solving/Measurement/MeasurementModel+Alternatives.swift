import Inversion
import Likelihoods
import Maps
import Noise
import Problems

extension MeasurementModel {
  /// One picture under noise of one of several laws: turned data for each law, one after the other.
  ///
  /// - Parameter nodes: each law's N₀ and the logarithm of its weight.
  /// - Throws: `PlanError` for singular covariances.
  /// - Precondition: data that are not clipped; one law at least.
  package init(
    picture: DamagedPicture, nodes: [(shape: NoiseShape, logWeight: Double)],
    isLevelInferred: Bool, forward: ForwardModel, residual: ResidualCovariance,
    residualScale: ResidualScale?
  ) throws {
    let hasResidual = residual.rank > 0 || residual.variances.contains { $0 > 0 }
    residualKind = residual.rank > 0 ? .full : hasResidual ? .diagonal : .none
    self.residualScale = hasResidual ? residualScale : nil
    let isScaleInferred = self.residualScale != nil
    guard let linear = forward.linearOperator else {
      throw InverseProblemError.nonlinearOperator
    }
    let turned = try nodes.map { node in
      try DiagonalizedMeasurement(
        GaussianMeasurement(
          forwardOperator: linear, observed: picture.observed, noise: node.shape,
          fixedVariances: picture.fixedVariances, residual: residual),
        level: isLevelInferred ? .inferred(firstGuess: picture.sigma) : .known(picture.sigma),
        isScaleInferred: isScaleInferred)
    }
    let alternatives = NoiseAlternatives(
      logWeights: zip(nodes, turned).map { $0.logWeight + $1.logVolume })
    let data = turned.map { $0.pixelData(picture.values) }
    let map = stackedInstrument(turned)
    (instrument, logVolume, painted, unclipped) = (map, 0, nil, nil)
    (grid, placeable) = (nil, nil)
    (problems, law, solver) = (data, .alternatives(alternatives), .dense)
    level =
      isLevelInferred
      ? .inferred(estimates: [picture.sigma]) : .known([turned[0].level(of: picture.sigma)])
    residuals = [
      MixedResidualConditional(
        components: zip(turned, data).map {
          LinearResidualConditional(instrument: $0, map: $0.makeInstrument(), data: $1)
        }, map: map, logWeights: alternatives.logWeights)
    ]
  }
}
