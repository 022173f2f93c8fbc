import Foundation
import Inversion
import Training

/// What a report says of the model, and what of it bears on the answer.
struct ReportedModel: Sendable {
  let name: String
  /// SHA-256 of its file.
  let digest: String
  /// Root mean square of what the decoder leaves of a pixel, intensity.
  let residualDeviation: Double
  /// Why its own record of the training says that it is not worth having; nil where it is.
  let fault: String?

  init(_ model: PAEModel, digest: String) {
    name = model.description.name
    self.digest = digest
    let variances = model.residualVariances
    residualDeviation =
      (variances.reduce(0) { $0 + Double($1) } / Double(variances.count)).squareRoot()
    fault = model.description.training?.fault
  }

  /// One line each.
  /// - Parameter sigma: standard deviation of the noise of a pixel, intensity; nil where pixels differ.
  func remarks(sigma: Double?) -> [String] {
    var remarks: [String] = []
    if let fault { remarks.append("the model \(name) is not worth using: \(fault)") }
    if let sigma, sigma < residualDeviation {
      remarks.append(
        String(
          format:
            "the noise, %.3g, is less than what the model cannot paint, %.3g of a pixel: what is "
            + "finer than that comes from the data and is hardly denoised", sigma,
          residualDeviation))
    }
    return remarks
  }
}
