import ImageFiles
import Inversion
import Workers

extension PAEModel {
  /// The same encoder, decoder and flow with the residual fitted again, to the pictures that were held
  /// out when the model was trained: the split follows from the recorded seed and count.
  /// - Throws: `TrainingError.noRecord`; `.fixedResidual` for `ppca`; `.otherPictures` when size, count or the error on the held-out
  ///   pictures are not those of the record.
  public func refittingResidual(
    images: any ImageSource, pool: WorkerPool
  ) throws -> PAEModel {
    guard self.description.objective != .ppca else {
      throw TrainingError.fixedResidual(name: self.description.name)
    }
    let (old, measured) = try measureHeldOut(of: images, pool: pool)
    var record = old
    let fit = ResidualFit(
      measured.residuals, means: measured.reconstructions, rounding: images.roundingVariance,
      dimension: images.shape.count)
    record.note(fit)
    var description = self.description
    description.residual = fit.description
    description.training = record
    return try PAEModel(
      description: description, encoder: recognition, decoder: decoder, flow: flow,
      residual: fit.covariance, intensityVariance: fit.intensityVariance)
  }

  /// - Throws: `TrainingError.noRecord` or `.otherPictures`, as `refittingResidual`.
  func checkHeldOut(images: any ImageSource, pool: WorkerPool) throws {
    _ = try measureHeldOut(of: images, pool: pool)
  }

  /// The record, and what the autoencoder does to the pictures that were held out.
  private func measureHeldOut(
    of images: any ImageSource, pool: WorkerPool
  ) throws -> (TrainingRecord, AutoencoderMeasurements) {
    guard let record = self.description.training, record.heldOut > 0, record.pictures > 0 else {
      throw TrainingError.noRecord(name: self.description.name)
    }
    guard images.shape == self.description.image.shape else {
      throw TrainingError.otherPictures(what: "they are \(images.shape)")
    }
    // The sum of two numbers from a file may overflow.
    guard images.count > record.heldOut, images.count - record.heldOut == record.pictures else {
      throw TrainingError.otherPictures(what: "there are \(images.count)")
    }
    let split = DataSplit(
      count: images.count, heldOut: record.heldOut, seed: record.seed, sources: images.sources)
    let measured = try AutoencoderMeasurements(
      ImageSubset(images, split.heldOut), encoder: encoder, decoder: decoder,
      keepsResiduals: true, pool: pool)
    // Another machine's arithmetic moves it by 1e-6 of itself, other pictures by a hundredth.
    let error = measured.meanSquaredError
    guard abs(error - record.heldOutError) <= 1e-3 * record.heldOutError else {
      throw TrainingError.otherPictures(
        what: "the held-out mean squared error is \(error), not \(record.heldOutError)")
    }
    return (record, measured)
  }
}
