import Foundation
import Numerics
import Probability

/// Whether draws can be relied on, and in words why not.
///
/// They can when R̂ ≤ 1.01, bulk and tail ESS ≥ 400, no transition diverged and E-BFMI ≥ 0.3. A number
/// that cannot be computed fails, with its reason.
public struct Verdict: Sendable, Equatable {
  public static let largestRHat = 1.01
  public static let smallestESS = 400.0
  public static let smallestEBFMI = 0.3

  /// What the traces of a set of draws are.
  public enum Source: Sendable {
    case chains
    /// Groups of particles that know nothing of one another.
    case islands
  }

  /// Empty exactly when the draws can be relied on.
  public let reasons: [String]
  /// Worst over coordinates; NaN where it cannot be computed.
  public let rHatMaximum: Double
  public let bulkESSMinimum: Double
  public let tailESSMinimum: Double
  public let divergences: Int
  /// One for each coordinate of the draws, for a table or a plot.
  public let coordinates: [ScalarDiagnostics]
  /// Worst over chains; NaN where it cannot be computed.
  public let eBFMIMinimum: Double

  public var isOK: Bool { reasons.isEmpty }

  /// - Parameters:
  ///   - energies: nats, chains × draws; empty for a method without energies.
  ///   - divergences: among the draws.
  ///   - source: what made the traces.
  ///   - reasons: further ones not to rely on the draws.
  public init(
    draws: DrawSet, energies: [[Double]], divergences: Int, source: Source = .chains,
    reasons further: [String] = []
  ) {
    precondition(divergences >= 0)
    let scores = NormalScores(count: draws.chains * 2 * (draws.draws / 2))
    coordinates = (0..<draws.dimension).map {
      ScalarDiagnostics(draws.coordinate($0), scores: scores)
    }
    rHatMaximum = worst(coordinates.map(\.rHat), by: >)
    bulkESSMinimum = worst(coordinates.map(\.bulkESS), by: <)
    tailESSMinimum = worst(coordinates.map(\.tailESS), by: <)
    let eBFMI = energies.map(energyFractionOfMissingInformation)
    eBFMIMinimum = worst(eBFMI, by: <)
    self.divergences = divergences
    let total = draws.chains * draws.draws
    reasons =
      Self.convergenceReasons(coordinates, source)
      + Self.sizeReasons("bulk", coordinates.map(\.bulkESS))
      + Self.sizeReasons("tail", coordinates.map(\.tailESS))
      + Self.energyReasons(eBFMI, divergences: divergences, total: total) + further
  }

  /// Of independent draws, dealt to chains at random, that may repeat: their number in effect decides.
  ///
  /// R̂ is shown and decides nothing, since no chain could have stayed away. Effective sizes of the traces
  /// do not see repeated draws, so `effectiveSampleSize` bounds them.
  public init(independent draws: DrawSet, effectiveSampleSize: Double) {
    let traces = Verdict(draws: draws, energies: [], divergences: 0)
    coordinates = traces.coordinates
    rHatMaximum = traces.rHatMaximum
    bulkESSMinimum = min(effectiveSampleSize, traces.bulkESSMinimum)
    tailESSMinimum = min(effectiveSampleSize, traces.tailESSMinimum)
    divergences = 0
    eBFMIMinimum = .nan
    reasons =
      effectiveSampleSize >= Self.smallestESS
      ? []
      : [
        "the draws are worth \(text(effectiveSampleSize, 0)) independent ones, fewer than "
          + "\(text(Self.smallestESS, 0)): estimates are noisy; raise --draws or --chains"
      ]
  }

  private static func convergenceReasons(
    _ coordinates: [ScalarDiagnostics], _ source: Source
  ) -> [String] {
    let values = coordinates.map(\.rHat)
    if values.contains(where: \.isNaN) {
      return [
        "R-hat cannot be computed: it takes four finite draws a chain, and chains that move; "
          + "raise --draws, or see whether a chain is stuck"
      ]
    }
    let bad = values.count { $0 > largestRHat }
    guard bad > 0, let largest = values.max() else { return [] }
    let advice =
      switch source {
      case .chains:
        "the chains have not found the same distribution; run longer (--warmup, --draws), and if that "
          + "does not help look for several modes"
      case .islands:
        "the islands of particles have not found the same distribution; raise --draws or --chains"
      }
    return [
      "R-hat is \(text(largest, 3)), above \(largestRHat), in \(bad) of \(values.count) "
        + "coordinates: " + advice
    ]
  }

  private static func sizeReasons(_ kind: String, _ values: [Double]) -> [String] {
    if values.contains(where: \.isNaN) {
      return [
        "the \(kind) effective sample size cannot be computed: it takes four finite draws a "
          + "chain; raise --draws"
      ]
    }
    guard let smallest = values.min(), smallest < smallestESS else { return [] }
    return [
      "the \(kind) effective sample size is \(text(smallest, 0)), below \(text(smallestESS, 0)), "
        + "in \(values.count { $0 < smallestESS }) of \(values.count) coordinates: estimates are "
        + "noisy; raise --draws or --chains"
    ]
  }

  private static func energyReasons(_ eBFMI: [Double], divergences: Int, total: Int) -> [String] {
    var reasons: [String] = []
    if divergences > 0 {
      reasons.append(
        "\(divergences) of \(total) transitions diverged: a narrow part of the posterior may be "
          + "missing from the draws; raise --target-accept (0.9, 0.95)")
    }
    if eBFMI.contains(where: \.isNaN) {
      reasons.append("E-BFMI cannot be computed: the energy of a chain does not change")
    } else if let smallest = eBFMI.min(), smallest < smallestEBFMI {
      reasons.append(
        "E-BFMI is \(text(smallest, 2)), below \(smallestEBFMI), in "
          + "\(eBFMI.count { $0 < smallestEBFMI }) of \(eBFMI.count) chains: heavy tails are "
          + "explored slowly; raise --warmup and --draws")
    }
    return reasons
  }
}

/// The first by `isWorse`; NaN if there is a NaN, or nothing.
private func worst(_ values: [Double], by isWorse: (Double, Double) -> Bool) -> Double {
  values.contains(where: \.isNaN) ? .nan : values.min(by: isWorse) ?? .nan
}

/// With that many decimals.
private func text(_ value: Double, _ decimals: Int) -> String {
  String(format: "%.\(decimals)f", value)
}
