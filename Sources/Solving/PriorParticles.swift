import Foundation
import Inversion
import Randomness
import Tensors

extension ImagePosterior {
  /// Independent draws of the prior of a problem's coordinates, `count` × D:
  ///
  ///     u ~ N(0, I), z = T(u) where codes are sampled;  painted factors ~ N(0, I)
  ///     ln σ ~ N(ln estimate, `NoiseLevel.priorSpread`²);  ln α ~ its prior
  ///
  /// - Precondition: no coordinate is the logarithm of a distance to the range: those have no proper prior.
  func priorDraws(
    _ count: Int, problem: Int, of model: any Prior, key: RandomKey
  ) throws -> [[Double]] {
    precondition(logarithmicCount == 0, "values before clipping have no prior of their own")
    let latent = model.latentDimension
    var draws = (0..<count).map { index in
      var stream = key.child(index).stream()
      var draw = stream.normals(latentDimension)
      if case .inferred(let estimates) = noiseLevel {
        draw.append(log(estimates[problem]) + NoiseLevel.priorSpread * stream.normal())
      }
      if let residualScale {
        draw.append(residualScale.mean + residualScale.deviation * stream.normal())
      }
      return draw
    }
    if flow != nil {
      let codes = try model.codes(ofBase: draws.map { Array($0.prefix(latent)) })
      for index in draws.indices { draws[index].replaceSubrange(0..<latent, with: codes[index]) }
    }
    return draws
  }
}
