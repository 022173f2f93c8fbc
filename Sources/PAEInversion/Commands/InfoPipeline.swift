import Foundation
import ImageFiles
import Inversion
import Numerics
import Problems
import Synchronization
import Tensors
import Workers

/// What is in a model file.
public struct ModelInfo: Sendable {
  public let path: String
  public let bytes: Int
  public let digest: String
  public let description: ModelDescription
  public let autoencoderWeights: Int
  public let flowWeights: Int
  /// Root of the mean residual variance, intensity.
  public let residualDeviation: Double

  public init(model name: String) throws {
    path = try ModelLocator.path(of: name)
    let (model, digest) = try Self.read(path)
    self.digest = digest
    let attributes = try? FileManager.default.attributesOfItem(atPath: path)
    bytes = (attributes?[.size] as? NSNumber)?.intValue ?? 0
    description = model.description
    autoencoderWeights = model.recognition.layout.count + model.decoder.layout.count
    flowWeights = model.flow.layout.count
    residualDeviation =
      (accurateSum(model.residualVariances) / Double(model.residualVariances.count)).squareRoot()
  }

  /// The model and its digest, which take about as long as each other, side by side.
  private static func read(_ path: String) throws -> (PAEModel, String) {
    let results = Mutex<(model: Result<PAEModel, any Error>?, digest: Result<String, any Error>?)>(
      (nil, nil))
    WorkerPool(threads: 2).run(2) { item in
      if item == 0 {
        let model = Result { try PAEModel.read(path: path) }
        results.withLock { $0.model = model }
      } else {
        let digest = Result { try SHA256.hexDigest(ofFile: path) }
        results.withLock { $0.digest = digest }
      }
    }
    let (model, digest) = results.withLock { $0 }
    guard let model, let digest else { preconditionFailure("an item was not run") }
    return (try model.get(), try digest.get())
  }

  /// Lines of "key: value" for people.
  public var text: String {
    let image = description.image
    var lines = [
      "model: \(description.name) (\(path))",
      "file: \(bytes) bytes, sha256 \(digest)",
      "pictures: \(image.width)x\(image.height), " + (image.channels == 1 ? "grey" : "RGB"),
      "latent dimension: \(description.latent), objective \(description.objective.rawValue)",
      "weights: \(autoencoderWeights) autoencoder, \(flowWeights) flow in "
        + "\(description.flow.count) layers",
      String(
        format: "residual: %.4f root mean square, %d factors", residualDeviation,
        description.residual.rank),
    ]
    if let objective = description.training?.objective {
      lines.append("objective: \(objective.text)")
    }
    if let training = description.training {
      lines.append(
        "trained on: \(training.data), \(training.pictures) pictures and \(training.heldOut) held "
          + "out, seed \(training.seed), \(training.epochs) + \(training.flowEpochs) epochs"
          + (training.bestEpoch.map { " (the autoencoder of epoch \($0) kept)" } ?? "")
          + (training.wallSeconds.map { String(format: ", %.0f s", $0) } ?? ""))
      lines.append(
        String(
          format: "held out: mean squared error %.5f, ln p(z) %.2f nats (Gaussian %.2f)",
          training.heldOutError, training.heldOutFlowLogLikelihood,
          training.heldOutGaussianLogLikelihood))
      if let other = training.comparison {
        lines.append(
          String(
            format:
              "held out, left by others: mean picture %.5f, as many principal components %.5f, "
              + "probabilistic ones %.5f", other.meanPicture, other.principalComponents,
            other.probabilisticComponents))
      }
      if let fault = training.fault { lines.append("not worth using: \(fault)") }
      if let residual = training.heldOutResidualLogLikelihood,
        let diagonal = training.heldOutDiagonalResidualLogLikelihood
      {
        lines.append(
          String(
            format: "held-out residuals: ln p %.2f nats (independent elements %.2f)", residual,
            diagonal))
      }
    }
    if let scores = description.scores {
      lines.append("scores: quantiles of \(scores.pictures) held-out pictures")
    }
    return lines.joined(separator: "\n") + "\n"
  }

  public var json: JSONText {
    let image = description.image
    var members: [(key: String, value: JSONText)] = [
      ("name", .string(description.name)), ("path", .string(path)), ("bytes", .integer(bytes)),
      ("sha256", .string(digest)),
      (
        "image",
        .object([
          ("channels", .integer(image.channels)), ("height", .integer(image.height)),
          ("width", .integer(image.width)),
        ])
      ),
      ("latent", .integer(description.latent)),
      ("objective", .string(description.objective.rawValue)),
      ("autoencoder_weights", .integer(autoencoderWeights)),
      ("flow_weights", .integer(flowWeights)), ("flow_layers", .integer(description.flow.count)),
      ("residual_rms", .number(residualDeviation)),
      ("residual_rank", .integer(description.residual.rank)),
      ("score_pictures", description.scores.map { .integer($0.pictures) } ?? .null),
    ]
    if let training = description.training {
      // A file of before there were factors has neither likelihood of residuals.
      let residuals = [
        ("held_out_residual_log_likelihood", training.heldOutResidualLogLikelihood),
        (
          "held_out_diagonal_residual_log_likelihood",
          training.heldOutDiagonalResidualLogLikelihood
        ),
      ].compactMap { key, value in value.map { (key: key, value: JSONText.number($0)) } }
      members.append(
        (
          "training",
          .object(
            [
              ("data", .string(training.data)), ("pictures", .integer(training.pictures)),
              ("held_out", .integer(training.heldOut)), ("seed", .string(String(training.seed))),
              ("epochs", .integer(training.epochs)),
              ("best_epoch", training.bestEpoch.map { .integer($0) } ?? .null),
              ("flow_epochs", .integer(training.flowEpochs)),
              ("wall_seconds", .optional(training.wallSeconds)),
              ("version", .string(training.version)),
              ("held_out_mse", .number(training.heldOutError)),
              ("held_out_flow_log_likelihood", .number(training.heldOutFlowLogLikelihood)),
              ("held_out_gaussian_log_likelihood", .number(training.heldOutGaussianLogLikelihood)),
            ] + residuals
              + (training.comparison.map {
                [
                  (
                    "comparison",
                    .object([
                      ("mean_picture_mse", .number($0.meanPicture)),
                      ("principal_components_mse", .number($0.principalComponents)),
                      ("probabilistic_components_mse", .number($0.probabilisticComponents)),
                    ])
                  )
                ]
              } ?? [])
              + (training.fault.map { [("fault", .string($0))] } ?? [])
              + (training.objective.map { [("objective", $0.json)] } ?? []))
        ))
    }
    return .object(members)
  }
}
