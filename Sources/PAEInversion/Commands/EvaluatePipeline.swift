import Diagnostics
import Flows
import Foundation
import Galleries
import ImageFiles
import Inversion
import Judging
import Problems
import Randomness
import Tensors
import Training
import Workers

/// How good a model is on pictures that it was not trained on.
public struct EvaluateReport: Sendable {
  public let count: Int
  /// Mean squared error per pixel, and its quantiles over pictures.
  public let error: ReconstructionError
  /// Mean ln p(z) in nats of the codes under the flow, and under a full-covariance Gaussian fitted to
  /// these very codes (which flatters the Gaussian).
  public let flowLogLikelihood: Double
  public let gaussianLogLikelihood: Double
  /// Nil where no draws were asked for.
  public let samples: SampleQuality?
  /// Nil where it was not asked for.
  public let marginal: MarginalReport?
  /// One for each set that was named.
  public let outliers: [OutlierReport]

  /// Lines for people.
  public var text: String {
    String(
      format: """
        %d pictures
        reconstruction: mean squared error %.6f ± %.6f (68 %% below %.5f, 95 %% below %.5f)
        flow: ln p(z) %.2f nats; a full-covariance Gaussian %.2f; gain %.2f

        """, count, error.mean, error.errors[0], error.p68, error.p95, flowLogLikelihood,
      gaussianLogLikelihood, flowLogLikelihood - gaussianLogLikelihood) + (samples?.text ?? "")
      + (marginal?.text ?? "") + OutlierReport.table(outliers)
  }

  public var json: JSONText {
    .object([
      ("count", .integer(count)),
      ("reconstruction", error.json),
      (
        "flow",
        .object([
          ("log_likelihood", .number(flowLogLikelihood)),
          ("gaussian_log_likelihood", .number(gaussianLogLikelihood)),
        ])
      ),
      ("samples", samples?.json ?? .null),
      ("marginal", marginal?.json ?? .null),
      ("outliers", .object(outliers.map { ($0.name, $0.json) })),
    ])
  }
}

public enum EvaluatePipeline {
  /// What is wanted beyond reconstruction and flow.
  public struct Options: Sendable {
    /// Draws of the prior, 0 or 100 to 10,000; 0 for nothing about them.
    public var samples = 10_000
    /// Of draws and resamples.
    public var seed: UInt64 = 1
    /// A classifier's name or path; nil for the default one, where it fits.
    public var classifier: String?
    /// A folder for `evaluate.json`, `samples.png` and `pictures.safetensors`; nil for none.
    public var output: String?
    public var overwrite = false
    /// Pictures of other kinds, and ln p(x).
    public var outliers = OutlierOptions()

    public init() {}
  }

  /// - Parameters:
  ///   - datasets: as for training; a built-in name means its test pictures.
  ///   - progress: called with what begins; returns false to stop, which throws.
  public static func run(
    model name: String, datasets: [String], threads: Int, options: Options = Options(),
    progress: (String) -> Bool = { _ in true }
  ) throws -> EvaluateReport {
    guard (1...256).contains(threads) else {
      throw PipelineError.usage("--threads must be 1 to 256")
    }
    guard options.samples == 0 || (SampleEvaluation.fewest...10_000).contains(options.samples)
    else {
      throw PipelineError.usage(
        "--samples must be 0, or \(SampleEvaluation.fewest) to 10000")
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
    let others = try options.outliers.sets(images, model: model)
    let folder = try options.output.map {
      try OutputFolder(path: $0, overwrite: options.overwrite)
    }
    let pool = WorkerPool(threads: threads)
    let key = RandomKey(seed: options.seed).child("evaluate")
    let measured = try AutoencoderMeasurements(
      images, encoder: model.encoder, decoder: model.decoder, keepsResiduals: true, pool: pool)
    let gaussian = try FittedGaussian(codes: measured.codes, dimension: model.latentDimension)
    let gaussianValues = gaussian.logDensity(of: measured.codes)
    let training =
      options.samples > 0 && DatasetLocator.isBuiltIn(datasets)
      ? try DatasetLocator.images(datasets, part: .training) : nil
    let evaluation = try withoutActuallyEscaping(progress) { progress in
      try SampleEvaluation(
        model: model, samples: options.samples, classifierName: options.classifier,
        seed: options.seed, pool: pool, progress: progress
      ).run(tests: images, codes: measured.codes, training: training)
    }
    let marginalCount = options.outliers.marginalPictures
    func tell(_ name: String, _ images: any ImageSource, _ done: Int) -> Bool {
      progress("ln p(x) of \(name): \(done)/\(min(marginalCount, images.count)) pictures")
    }
    let own = try PictureScores(
      images, measured: measured, model: model, marginalCount: marginalCount, pool: pool
    ) { tell(datasets.joined(separator: " "), images, $0) }
    let outliers = try others.map { name, images in
      OutlierReport(
        name: name, own: own,
        other: try PictureScores(
          images, model: model, marginalCount: marginalCount, pool: pool
        ) { tell(name, images, $0) })
    }
    let report = EvaluateReport(
      count: images.count,
      error: ReconstructionError(measured.pictureErrors, key: key.child("bootstrap")),
      flowLogLikelihood: accurateSum(own.flow) / Double(own.flow.count),
      gaussianLogLikelihood: accurateSum(gaussianValues) / Double(gaussianValues.count),
      samples: evaluation,
      marginal: MarginalReport(own.marginal, draws: MarginalLikelihood.usualDraws),
      outliers: outliers)
    if let folder {
      let sheet = EvaluationSheet(
        model: model, tests: images, training: training,
        nearest: evaluation?.memorization?.nearest, seed: options.seed)
      try folder.write(Array(report.json.text.utf8), to: "evaluate.json")
      try folder.write(Picture(tensor: try sheet.render()).encoded(), to: "samples.png")
      try folder.write(
        SafetensorsFile.encode(pictures(measured.pictureErrors, own)), to: "pictures.safetensors")
      try folder.commit()
    }
    return report
  }

  /// The mean squared error and the scores of each picture, so that models can be compared picture by
  /// picture; `marginal` of the first pictures only.
  private static func pictures(_ errors: [Double], _ scores: PictureScores) -> Safetensors {
    func tensor(_ name: String, _ values: [Double]) -> Safetensors.NamedTensor {
      .init(name: name, shape: Shape(values.count), values: .float32(values.map { Float($0) }))
    }
    var tensors = [
      tensor("mse", errors), tensor("flow", scores.flow),
      tensor("reconstruction", scores.reconstruction),
    ]
    if !scores.marginal.isEmpty { tensors.append(tensor("marginal", scores[.marginal])) }
    return Safetensors(metadata: ["format": "paeinvert-pictures"], tensors: tensors)
  }
}
