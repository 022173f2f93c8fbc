import Foundation
import Randomness
import Tensors

/// Draws z = m + e^{v/2} ε of the encoder's Gaussian q(z|x) = N(m, diag e^v), h = (m, v): K means, then K
/// logarithms of variances (Kingma and Welling 2014, sec. 2.4). Owns its buffers.
final class PosteriorDraws {
  private let lanes: Int
  private let latent: Int
  /// ε and e^{v/2} of the latest draw, lanes × K.
  private let noise: FloatBuffer
  private let deviations: FloatBuffer

  init(lanes: Int, latent: Int) {
    self.lanes = lanes
    self.latent = latent
    noise = FloatBuffer(lanes * latent)
    deviations = FloatBuffer(lanes * latent)
  }

  /// `outputs`: h, lanes × 2K; `codes`: z, lanes × K.
  func draw(
    _ outputs: UnsafePointer<Float>, into codes: UnsafeMutablePointer<Float>, key: RandomKey
  ) {
    var stream = key.stream()
    for lane in 0..<lanes {
      let mean = outputs + lane * 2 * latent
      for k in 0..<latent {
        let index = lane * latent + k
        noise.pointer[index] = Float(stream.normal())
        deviations.pointer[index] = exp(0.5 * mean[latent + k])
        codes[index] = mean[k] + deviations.pointer[index] * noise.pointer[index]
      }
    }
  }

  /// KL(q ‖ N(0, I)) = ½ Σ (m² + e^v − 1 − v), mean over lanes, nats (Kingma and Welling 2014, app. B).
  func standardDivergence(_ outputs: UnsafePointer<Float>) -> Double {
    var total = 0.0
    for lane in 0..<lanes {
      let mean = outputs + lane * 2 * latent
      for k in 0..<latent {
        let (m, v) = (Double(mean[k]), Double(mean[latent + k]))
        let deviation = Double(deviations.pointer[lane * latent + k])
        total += m * m + deviation * deviation - 1 - v
      }
    }
    return 0.5 * total / Double(lanes)
  }

  /// E ln q(z|x) at the drawn z, mean over lanes: −½ Σ (ε² + v + ln 2π), nats.
  func logDensity(_ outputs: UnsafePointer<Float>) -> Double {
    var total = 0.0
    for lane in 0..<lanes { total += logDensity(outputs, lane: lane) }
    return total / Double(lanes)
  }

  /// The same of one lane.
  func logDensity(_ outputs: UnsafePointer<Float>, lane: Int) -> Double {
    var total = Double(latent) * log(2 * Double.pi)
    for k in 0..<latent {
      let drawn = Double(noise.pointer[lane * latent + k])
      total += drawn * drawn + Double(outputs[(lane * 2 + 1) * latent + k])
    }
    return -0.5 * total
  }

  /// ∂/∂h from ∂/∂z: dm = dz, dv = ½ e^{v/2} ε dz.
  func pullBack(_ dz: UnsafePointer<Float>, into dh: UnsafeMutablePointer<Float>) {
    for lane in 0..<lanes {
      let target = dh + lane * 2 * latent
      for k in 0..<latent {
        let index = lane * latent + k
        target[k] = dz[index]
        target[latent + k] = 0.5 * deviations.pointer[index] * noise.pointer[index] * dz[index]
      }
    }
  }

  /// Adds `weight` times the gradient of `standardDivergence`: (m, ½(e^v − 1))/lanes.
  func addStandardDivergence(
    _ weight: Double, at outputs: UnsafePointer<Float>, to dh: UnsafeMutablePointer<Float>
  ) {
    let share = Float(weight / Double(lanes))
    for lane in 0..<lanes {
      let start = lane * 2 * latent
      for k in 0..<latent {
        let deviation = deviations.pointer[lane * latent + k]
        dh[start + k] += share * outputs[start + k]
        dh[start + latent + k] += 0.5 * share * (deviation * deviation - 1)
      }
    }
  }

  /// Adds `weight` times the gradient of `logDensity`, in which ε is fixed: (0, −½)/lanes.
  func addLogDensity(_ weight: Double, to dh: UnsafeMutablePointer<Float>) {
    let share = Float(0.5 * weight / Double(lanes))
    for lane in 0..<lanes {
      for k in 0..<latent { dh[(lane * 2 + 1) * latent + k] -= share }
    }
  }
}
