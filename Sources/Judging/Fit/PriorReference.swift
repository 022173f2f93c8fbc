import Flows
import Foundation
import Maps
import Randomness

/// ln p(z) under a flow, and how it is distributed over the flow's own draws.
///
/// ln p(z) = −½‖u‖² − ½K ln 2π + ln|det ∂f/∂z| at z = T(u), nats. The determinant tells regions that the
/// flow thinned out, between kinds of pictures, from those where codes are dense, which ‖u‖ cannot.
package struct PriorReference {
  private let flow: any Bijection
  /// ln p(z) of draws u ~ N(0, I), ascending.
  let logDensities: [Double]

  /// Draws of the prior: a percentile of 95 has an error of 0.5.
  private static let drawCount = 2000
  /// Rows that share a plan.
  private static let lanes = 100

  /// The draws are the same in every run: what is typical of a model does not depend on a seed.
  package init(flow: any Bijection) throws(PlanError) {
    self.flow = flow
    var stream = RandomKey(seed: 1).child("prior reference").stream()
    let base = stream.normals(Self.drawCount * flow.dimension)
    logDensities = try Self.evaluate(flow, base).sorted()
  }

  /// K.
  var latentDimension: Int { flow.dimension }

  /// ln p(z) at base variables, rows of K.
  func evaluate(_ base: [Double]) throws(PlanError) -> [Double] {
    try Self.evaluate(flow, base)
  }

  /// 100 · the share of prior draws that are more probable: near 100 where next to all are. Half a
  /// draw is added to either side, so that it is neither 0 nor 100.
  func percentile(_ logDensity: Double) -> Double {
    let above = logDensities.count { $0 > logDensity }
    return 100 * (Double(above) + 0.5) / (Double(logDensities.count) + 1)
  }

  private static func evaluate(
    _ flow: any Bijection, _ base: [Double]
  ) throws(PlanError) -> [Double] {
    let latent = flow.dimension
    let count = base.count / latent
    let generating = try flow.generator.makePlan(lanes: lanes)
    let normalizing = try flow.makeNormalizingPlan(lanes: lanes)
    let constant = -0.5 * Double(latent) * log(2 * Double.pi)
    var codes = [Float](repeating: 0, count: lanes * latent)
    var (rows, back) = (codes, codes)
    var determinants = [Float](repeating: 0, count: lanes)
    var result: [Double] = []
    for first in stride(from: 0, to: count, by: lanes) {
      let used = min(lanes, count - first)
      for index in 0..<used * latent { rows[index] = Float(base[first * latent + index]) }
      var codeSpan = codes.mutableSpan
      generating.apply(rows.span, into: &codeSpan)
      var backSpan = back.mutableSpan
      var determinantSpan = determinants.mutableSpan
      normalizing.apply(codes.span, into: &backSpan, logDeterminants: &determinantSpan)
      for lane in 0..<used {
        let start = (first + lane) * latent
        let norm = base[start..<start + latent].reduce(0) { $0 + $1 * $1 }
        result.append(constant - 0.5 * norm + Double(determinants[lane]))
      }
    }
    return result
  }
}
