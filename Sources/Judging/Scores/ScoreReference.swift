import ImageFiles
import Inversion
import Training
import Workers

extension PAEModel {
  /// Pictures whose ln p(x) quantiles are taken of, at most: the 1 % quantile then has five below it.
  static let largestMarginalReference = 500

  /// The same model with quantiles of the scores of the pictures that were held out when it was trained;
  /// the split follows from the recorded seed and count, which the caller has made sure of.
  ///
  /// Residual and early stopping have seen them too, weights have not. Without quantiles where a score is not
  /// finite, since a file holds finite numbers. Cost: `largestMarginalReference` marginal likelihoods.
  /// - Precondition: a record of the training.
  package func measuringScores(_ images: any ImageSource, pool: WorkerPool) throws -> PAEModel {
    guard let record = description.training else { preconditionFailure("no record of training") }
    let split = DataSplit(
      count: images.count, heldOut: record.heldOut, seed: record.seed, sources: images.sources)
    let places = split.heldOut
    let scores = try PictureScores(
      ImageSubset(images, places), model: self,
      marginalCount: Self.largestMarginalReference, pool: pool)
    guard !places.isEmpty,
      PictureScore.allCases.allSatisfy({ scores[$0].allSatisfy { Float($0).isFinite } })
    else { return try withScores(nil) }
    func quantiles(_ score: PictureScore) -> [Float] { ScoreQuantiles.quantiles(of: scores[score]) }
    return try withScores(
      ScoreQuantiles(
        pictures: places.count, marginalPictures: scores.marginal.count, flow: quantiles(.flow),
        reconstruction: quantiles(.reconstruction), sum: quantiles(.sum),
        marginal: quantiles(.marginal)))
  }
}

extension ScoreQuantiles {
  /// The per cent of the reference's pictures that score less.
  package func percentile(of value: Double, _ score: PictureScore) -> Double {
    let quantiles =
      switch score {
      case .flow: flow
      case .reconstruction: reconstruction
      case .sum: sum
      case .marginal: marginal
      }
    return Self.percentile(of: value, in: quantiles)
  }
}
