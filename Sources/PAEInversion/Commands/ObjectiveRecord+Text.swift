import Foundation
import ImageFiles
import Inversion

extension ObjectiveRecord {
  /// Options and figures for people, parted by commas.
  public var text: String {
    var parts: [String] = []
    func add(_ format: String, _ value: Double?) {
      if let value { parts.append(String(format: format, value)) }
    }
    add("beta %g", beta)
    add("capacity %g nats", capacity)
    add(
      isPixelDeviationLearned == true ? "pixel deviation %.4f learned" : "pixel deviation %g",
      pixelDeviation)
    add("posterior deviation %g", posteriorDeviation)
    add("held-out KL %.2f nats", heldOutDivergence)
    add("held-out ELBO %.2f nats", heldOutEvidenceBound)
    add("held-out ln p(x) %.2f nats", heldOutLogLikelihood)
    return parts.joined(separator: ", ")
  }

  /// What there is of it.
  var json: JSONText {
    let numbers: [(key: String, value: Double?)] = [
      ("beta", beta), ("capacity", capacity), ("pixel_deviation", pixelDeviation),
      ("posterior_deviation", posteriorDeviation), ("held_out_kl", heldOutDivergence),
      ("held_out_elbo", heldOutEvidenceBound), ("held_out_log_likelihood", heldOutLogLikelihood),
    ]
    let learned = isPixelDeviationLearned.map {
      [(key: "pixel_deviation_learned", value: JSONText.bool($0))]
    }
    return .object(
      numbers.compactMap { key, value in value.map { (key: key, value: JSONText.number($0)) } }
        + (learned ?? []))
  }
}
