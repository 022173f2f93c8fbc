import Foundation

// Notation
//   j    law of the noise, 0 ..< J        w_j  its weight, times |det| of what turned its data
//   L_j  ln p of the data under law j     a_j  ln w_j + L_j
//
//   ln p(y | m) = ln Σ_j exp a_j          p_j = exp(a_j − ln p): the law's share, its responsibility
//   ∂ ln p = Σ_j p_j ∂L_j

/// The likelihood of data whose noise has one of J laws, the law summed out. Each law sees the data in its
/// own coordinates, so a lane's means are J rows of D. One owner, one thread at a time.
package final class NoiseMixtureEvaluator: LikelihoodEvaluator {
  package let lanes: Int
  /// J.
  package var count: Int { logWeights.count }
  /// ln w_j, J.
  private let logWeights: [Double]
  private let nodes: CensoredEvaluator
  private var levels: [NoiseLevels]
  private var values: [Double]
  private var sigmaSlopes: [Double]
  private var scaleSlopes: [Double]
  /// a_j of the latest evaluation, lanes × J.
  package private(set) var logTerms: [Double]
  /// p_j of the latest evaluation, lanes × J; zeros where no law has a finite value.
  package private(set) var responsibilities: [Double]

  /// - Parameters:
  ///   - problems: J data for each problem, a problem's data in turn.
  ///   - lanes: the problem of each lane.
  /// - Precondition: as many data as J for each problem.
  package init(problems: [PixelData], logWeights: [Double], lanes: [Int]) {
    let count = logWeights.count
    precondition(count > 0 && problems.count % count == 0)
    self.lanes = lanes.count
    self.logWeights = logWeights
    nodes = CensoredEvaluator(
      problems: problems, lanes: lanes.flatMap { lane in (0..<count).map { lane * count + $0 } })
    levels = [NoiseLevels](repeating: NoiseLevels(sigma: 1), count: lanes.count * count)
    values = [Double](repeating: 0, count: lanes.count * count)
    sigmaSlopes = values
    scaleSlopes = values
    logTerms = values
    responsibilities = values
  }

  package func evaluate(
    means: Span<Float>, levels laneLevels: Span<NoiseLevels>,
    logDensities: inout MutableSpan<Double>, meanGradients: inout MutableSpan<Float>,
    logSigmaGradients: inout MutableSpan<Double>, logScaleGradients: inout MutableSpan<Double>
  ) {
    for index in levels.indices { levels[index] = laneLevels[index / count] }
    var valueSpan = values.mutableSpan
    var sigmaSpan = sigmaSlopes.mutableSpan
    var scaleSpan = scaleSlopes.mutableSpan
    nodes.evaluate(
      means: means, levels: levels.span, logDensities: &valueSpan, meanGradients: &meanGradients,
      logSigmaGradients: &sigmaSpan, logScaleGradients: &scaleSpan)
    let dimension = nodes.dimension
    for lane in 0..<lanes {
      logDensities[lane] = mix(lane)
      var (sigmaSlope, scaleSlope) = (0.0, 0.0)
      for index in lane * count..<(lane + 1) * count {
        let share = responsibilities[index]
        sigmaSlope += share * sigmaSlopes[index]
        scaleSlope += share * scaleSlopes[index]
        let factor = Float(share)
        for datum in index * dimension..<(index + 1) * dimension {
          meanGradients[unchecked: datum] *= factor
        }
      }
      logSigmaGradients[lane] = sigmaSlope
      logScaleGradients[lane] = scaleSlope
    }
  }

  /// ln Σ exp a_j of a lane, its largest term taken out first; sets its responsibilities.
  private func mix(_ lane: Int) -> Double {
    let row = lane * count..<(lane + 1) * count
    var largest = -Double.infinity
    for index in row {
      logTerms[index] = logWeights[index - row.lowerBound] + values[index]
      largest = max(largest, logTerms[index])
    }
    guard largest > -.infinity else {
      for index in row { responsibilities[index] = 0 }
      return -.infinity
    }
    var total = 0.0
    for index in row {
      responsibilities[index] = exp(logTerms[index] - largest)
      total += responsibilities[index]
    }
    for index in row { responsibilities[index] /= total }
    return largest + log(total)
  }
}
