import Foundation
import Randomness
import Tensors

/// By what the variances of an estimate in white noise are to be multiplied, as a function of the local
/// texture, from the data alone: Stein's unbiased estimate of the risk,
///
///     E Σ (x̂ − x)² = Σ (y − x̂)² − n σ² + 2 σ² Σ ∂x̂_i/∂y_i,
///
/// of each class of pixels of like variance, against the sum of its variances. The divergence is that of
/// differences along random signs b: b·(x̂(y + δ b) − x̂(y))/δ (Ramani, Blu and Unser, IEEE TIP 2008). Needs no
/// truth and no pixel held out; the noise level must be right.
///
/// Classes: quantiles of the local texture, ln v averaged over 17×17 pixels. (Stein's identity holds where the
/// class of a pixel does not depend on its own noise; ln v of the pixel alone does: classes by it made the
/// risk of smooth places come out below zero.) A class' ratio has the error √(2 n) σ²/Σ v; it is drawn
/// towards the ratio of the whole picture in proportion to what that error leaves uncertain, and
/// interpolated in the texture.
public struct ErrorBarScale: Sendable, Equatable {
  /// Mean texture of each class, rising.
  public let textures: [Double]
  /// Ratio of true to stated variance of each class.
  public let ratios: [Double]
  /// Of the whole picture.
  public let ratio: Double

  /// No pixel's variance is changed by more than this factor either way.
  static let bounds = 0.25...4.0
  /// The spread of ln ratio between classes of one picture that is expected beforehand.
  private static let priorSpread = 0.25

  /// - Parameters:
  ///   - differences: (x̂(y + δ b) − x̂(y)) b/δ of each pixel.
  init(
    data: [Float], estimate: [Float], variance: [Float], differences: [Float], texture: [Float],
    sigma: Double, classes: Int = 5
  ) {
    let count = data.count
    let noise = sigma * sigma
    let order = (0..<count).sorted { texture[$0] < texture[$1] }
    func sums(_ range: Range<Int>) -> (risk: Double, stated: Double, logs: Double) {
      var (risk, stated, logs) = (0.0, 0.0, 0.0)
      for place in range {
        let index = order[place]
        let misfit = Double(data[index] - estimate[index])
        risk += misfit * misfit - noise + 2 * noise * Double(differences[index])
        stated += Double(variance[index])
        logs += Double(texture[index])
      }
      return (risk, stated, logs)
    }
    func bounded(_ value: Double) -> Double {
      min(max(value, Self.bounds.lowerBound), Self.bounds.upperBound)
    }
    let all = sums(0..<count)
    let whole = bounded(all.risk / all.stated)
    var (textures, ratios): ([Double], [Double]) = ([], [])
    for number in 0..<classes {
      let range = count * number / classes..<count * (number + 1) / classes
      guard !range.isEmpty else { continue }
      let part = sums(range)
      let error = (2 * Double(range.count)).squareRoot() * noise / part.stated
      let relative = error / whole
      let trust =
        Self.priorSpread * Self.priorSpread
        / (Self.priorSpread * Self.priorSpread + relative * relative)
      ratios.append(bounded(whole + trust * (part.risk / part.stated - whole)))
      textures.append(part.logs / Double(range.count))
    }
    self.textures = textures
    self.ratios = ratios
    ratio = whole
  }

  /// From pixels that were held out: the square of what was predicted less the datum, less its noise variance,
  /// against the stated variance; three classes by ln of the stated variance, which is what `factor` then
  /// takes. A square has the error √2 (v + noise).
  init(squares: [Float], noise: [Float], stated: [Float]) {
    let order = stated.indices.sorted { stated[$0] < stated[$1] }
    func sums(_ range: Range<Int>) -> (risk: Double, stated: Double, error: Double, logs: Double) {
      var result = (risk: 0.0, stated: 0.0, error: 0.0, logs: 0.0)
      for index in order[range] {
        let total = Double(stated[index] + noise[index])
        // One pixel in a thousand is an edge that nothing foretold: it has no more say than 16 others.
        result.risk += min(Double(squares[index]), 16 * total)
        result.stated += Double(stated[index])
        result.error += 2 * total * total
        result.logs += log(Double(stated[index]))
      }
      return result
    }
    func bounded(_ value: Double) -> Double {
      min(max(value, Self.bounds.lowerBound), Self.bounds.upperBound)
    }
    let all = sums(0..<order.count)
    let whole = bounded(all.risk / all.stated)
    var (textures, ratios): ([Double], [Double]) = ([], [])
    for number in 0..<3 {
      let range = order.count * number / 3..<order.count * (number + 1) / 3
      let part = sums(range)
      let relative = part.error.squareRoot() / part.stated
      let trust =
        Self.priorSpread * Self.priorSpread
        / (Self.priorSpread * Self.priorSpread + relative * relative)
      ratios.append(bounded(whole + trust * (part.risk / part.stated - whole)))
      textures.append(part.logs / Double(range.count))
    }
    self.textures = textures
    self.ratios = ratios
    ratio = whole
  }

  /// The factor at a texture; beyond the classes that of the last.
  public func factor(_ place: Double) -> Double {
    guard place > textures[0] else { return ratios[0] }
    for index in 1..<textures.count where place <= textures[index] {
      let width = textures[index] - textures[index - 1]
      let share = width > 0 ? (place - textures[index - 1]) / width : 1
      return ratios[index - 1] + share * (ratios[index] - ratios[index - 1])
    }
    return ratios[ratios.count - 1]
  }

  /// ln v averaged over the (2 r + 1)² pixels around each, over those inside the picture, channels apart.
  static func texture(
    _ variance: UnsafePointer<Float>, channels: Int, height: Int, width: Int, radius: Int = 8
  ) -> [Float] {
    var result = (0..<channels * height * width).map { logf(max(variance[$0], 1e-20)) }
    smooth(&result, channels: channels, height: height, width: width, radius: radius)
    return result
  }

  /// Averages over the (2 r + 1)² pixels around each, over those inside the picture, channels apart.
  static func smooth(
    _ result: inout [Float], channels: Int, height: Int, width: Int, radius: Int
  ) {
    func smooth(_ start: Int, _ count: Int, _ step: Int) {
      var sums = [Double](repeating: 0, count: count + 1)
      for index in 0..<count {
        sums[index + 1] = sums[index] + Double(result[start + index * step])
      }
      for index in 0..<count {
        let (low, high) = (max(index - radius, 0), min(index + radius + 1, count))
        result[start + index * step] = Float((sums[high] - sums[low]) / Double(high - low))
      }
    }
    for channel in 0..<channels {
      let plane = channel * height * width
      for row in 0..<height { smooth(plane + row * width, width, 1) }
      for column in 0..<width { smooth(plane + column, height, width) }
    }
  }
}
