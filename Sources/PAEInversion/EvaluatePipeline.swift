import Flows
import Foundation
import ImageFiles
import Inversion
import Tensors
import Training
import Workers

/// How good a model is on pictures that it was not trained on.
public struct EvaluateReport: Sendable {
  public let count: Int
  /// Mean squared error per pixel, its standard error over pictures, and the 68 % and 95 % quantiles
  /// over pictures.
  public let error: Double
  public let errorOfMean: Double
  public let p68: Double
  public let p95: Double
  /// Mean ln p(z) in nats of the codes under the flow, and under a full-covariance Gaussian fitted to
  /// these very codes (which flatters the Gaussian).
  public let flowLogLikelihood: Double
  public let gaussianLogLikelihood: Double
  /// nil where it was not asked for.
  public let marginal: MarginalReport?
  /// One for each set that was named.
  public let outliers: [OutlierReport]

  public var json: JSONText {
    .object([
      ("count", .integer(count)),
      (
        "reconstruction",
        .object([
          ("mse", .number(error)), ("mse_error", .number(errorOfMean)), ("p68", .number(p68)),
          ("p95", .number(p95)),
        ])
      ),
      (
        "flow",
        .object([
          ("log_likelihood", .number(flowLogLikelihood)),
          ("gaussian_log_likelihood", .number(gaussianLogLikelihood)),
        ])
      ),
      ("marginal", marginal?.json ?? .null),
      ("outliers", .object(outliers.map { ($0.name, $0.json) })),
    ])
  }

  /// Lines about ln p(x) and outliers.
  public var outlierText: String { (marginal?.text ?? "") + OutlierReport.table(outliers) }
}

public enum EvaluatePipeline {
  /// - Parameters:
  ///   - datasets: as for training; a built-in name means its test pictures.
  ///   - progress: is told in words what is being done; returns false to stop, which throws.
  public static func run(
    model name: String, datasets: [String], outliers options: OutlierOptions = .init(),
    threads: Int, progress: (String) -> Bool = { _ in true }
  ) throws -> EvaluateReport {
    guard (1...256).contains(threads) else {
      throw PipelineError.usage("--threads must be 1 to 256")
    }
    let model = try PAEModel.read(path: try ModelLocator.path(of: name))
    let images = try DatasetLocator.images(datasets, part: .test)
    guard images.shape == model.imageShape else {
      throw PipelineError.data(
        "the pictures are \(images.shape) but the model '\(model.description.name)' paints "
          + "\(model.imageShape)")
    }
    guard images.count > model.latentDimension else {
      throw PipelineError.data(
        "\(images.count) pictures are too few: give more than \(model.latentDimension)")
    }
    let others = try options.sets(images, model: model)
    let pool = WorkerPool(threads: threads)
    let measured = try AutoencoderMeasurements(
      images, encoder: model.encoder, decoder: model.decoder, pool: pool)
    let errors = measured.pictureErrors
    let mean = measured.meanSquaredError
    let squares = accurateSum(errors.map { ($0 - mean) * ($0 - mean) })
    let sorted = errors.sorted()
    func quantile(_ share: Double) -> Double {
      sorted[min(sorted.count - 1, Int(share * Double(sorted.count)))]
    }
    let gaussian = try FittedGaussian(codes: measured.codes, dimension: model.latentDimension)
    let gaussianValues = gaussian.logDensity(of: measured.codes)
    func scores(_ images: any ImageSource, _ name: String) throws -> PictureScores {
      let count = min(options.marginalPictures, images.count)
      return try PictureScores(images, model: model, marginalCount: count, pool: pool) {
        progress("ln p(x) of \(name): \($0)/\(count) pictures")
      }
    }
    let own = try scores(images, datasets.joined(separator: " "))
    let outliers = try others.map {
      OutlierReport(name: $0.name, own: own, other: try scores($0.images, $0.name))
    }
    return EvaluateReport(
      count: images.count, error: mean,
      errorOfMean: (squares / Double(max(errors.count - 1, 1)) / Double(errors.count)).squareRoot(),
      p68: quantile(0.68), p95: quantile(0.95),
      flowLogLikelihood: try model.flow.meanLogDensity(of: measured.codes),
      gaussianLogLikelihood: accurateSum(gaussianValues) / Double(gaussianValues.count),
      marginal: MarginalReport(own.marginal, draws: MarginalLikelihood.usualDraws),
      outliers: outliers)
  }
}
