import Foundation
import Inversion
import Problems
import Training

/// What a report says of the model, and what of it bears on the answer.
struct ReportedModel: Sendable {
  let name: String
  /// SHA-256 of its file, if it is in one.
  let digest: String?
  /// Root mean square of what the decoder leaves of a pixel, intensity.
  let residualDeviation: Double
  /// Why its own record of the training says that it is not worth having; nil where it is.
  let fault: String?

  init(_ model: any Prior, digest: String? = nil) {
    name = model.name
    self.digest = digest
    let variances = model.residualVariances
    residualDeviation =
      (variances.reduce(0) { $0 + Double($1) } / Double(variances.count)).squareRoot()
    fault = (model as? PAEModel)?.description.training?.fault
  }

  /// What of it the user should know of a result.
  /// - Parameter sigma: standard deviation of the noise of a pixel, intensity; nil where pixels differ.
  func warnings(sigma: Double?) -> [Warning] {
    var warnings: [Warning] = []
    if let fault { warnings.append(.doubt("the model \(name) is not worth using: \(fault)")) }
    if let sigma, sigma < residualDeviation {
      warnings.append(
        Warning(
          String(
            format:
              "the noise, %.3g, is less than what the model %@ cannot paint, %.3g of a pixel: what is "
              + "finer than that comes from the data and is hardly denoised", sigma, name,
            residualDeviation)))
    }
    return warnings
  }
}
