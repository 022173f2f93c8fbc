import Diagnostics
import ImageFiles
import Numerics
import Randomness

/// What the ranks of simulated truths say of the sampler.
public struct SamplerSummary: Sendable {
  public struct Quantity: Sendable {
    public let name: String
    /// Whether the empirical distribution of its ranks stays inside the band.
    public let isOK: Bool
    /// The ranks, one a simulation, in (0, 1).
    package let ranks: [Double]
  }

  /// Probability that all ranks of a right quantity stay inside its band.
  public static let bandMass = 0.999

  public let count: Int
  public let quantities: [Quantity]
  package let band: UniformityBand
  /// Largest distance between the share of simulations with a TARP rank below c and c.
  public let tarpGap: Double
  public let isTARPOK: Bool
  /// Whether posteriors made wrong on purpose were caught.
  public let narrowCaught: Bool
  public let wideCaught: Bool
  public let shiftedCaught: Bool
  /// Of all draws kept.
  public let divergences: Int

  public var areRanksOK: Bool { quantities.allSatisfy(\.isOK) }

  /// - Precondition: at least one record.
  package init(_ records: [SamplerRecord], names: [String]) {
    count = records.count
    let band = UniformityBand(count: records.count, mass: Self.bandMass)
    self.band = band
    quantities = names.enumerated().map { index, name in
      let ranks = records.map { $0.ranks[index] }
      return Quantity(name: name, isOK: band.contains(ranks), ranks: ranks)
    }
    let tarp = records.map(\.tarp)
    isTARPOK = band.contains(tarp)
    let sorted = tarp.sorted()
    let total = Double(sorted.count)
    tarpGap =
      sorted.enumerated().map { index, value in
        max(abs(Double(index + 1) / total - value), abs(Double(index) / total - value))
      }.max() ?? 0
    func isCaught(_ ranks: KeyPath<SamplerRecord, [Double]>) -> Bool {
      records[0][keyPath: ranks].indices.contains { index in
        !band.contains(records.map { $0[keyPath: ranks][index] })
      }
    }
    narrowCaught = isCaught(\.narrow)
    wideCaught = isCaught(\.wide)
    shiftedCaught = isCaught(\.shifted)
    divergences = records.reduce(0) { $0 + $1.divergences }
  }

  public var json: JSONText {
    .object([
      ("n", .integer(count)), ("ranks_ok", .bool(areRanksOK)),
      (
        "quantities",
        .array(
          quantities.map { .object([("name", .string($0.name)), ("ok", .bool($0.isOK))]) })
      ),
      ("band_mass", .number(Self.bandMass)), ("tarp_gap", .number(tarpGap)),
      ("tarp_ok", .bool(isTARPOK)),
      (
        "negative_controls",
        .object([
          ("narrow", .bool(narrowCaught)), ("wide", .bool(wideCaught)),
          ("shifted", .bool(shiftedCaught)),
        ])
      ), ("divergences", .integer(divergences)),
    ])
  }
}

/// How often intervals held the truth of pictures that the model was not trained on.
public struct ModelSummary: Sendable {
  /// One kind of elements: those that the data see, or those that they do not.
  public struct Coverage: Sendable {
    public let mass: Double
    public let share: Double
    /// Standard deviation over bootstrap samples of pictures.
    public let error: Double
  }

  /// How much wider the 90 % interval would have to be.
  public struct Stretch: Sendable {
    /// Found on every other picture: the smallest factor whose interval holds 90 %; nil when even the
    /// largest tried does not.
    public let factor: Double?
    /// What the stretched interval holds of the other pictures' elements.
    public let coverage: Double?
  }

  public let count: Int
  /// nil when there is no such element.
  public let observed: [Coverage]?
  public let missing: [Coverage]?
  public let observedStretch: Stretch?
  public let missingStretch: Stretch?
  public let divergences: Int

  /// Resampled sets of pictures.
  private static let resamples = 500

  /// - Precondition: at least two records.
  package init(_ records: [CoverageRecord], isConformal: Bool, key: RandomKey) {
    count = records.count
    var stream = key.child("bootstrap").stream()
    let samples = (0..<Self.resamples).map { _ in
      records.indices.map { _ in
        min(Int(stream.uniform() * Double(records.count)), records.count - 1)
      }
    }
    func share(
      _ indices: some Sequence<Int>, _ side: Int, _ covered: KeyPath<CoverageRecord, [[Int]]>,
      _ column: Int
    )
      -> Double
    {
      var (hits, total) = (0, 0)
      for index in indices {
        hits += records[index][keyPath: covered][side][column]
        total += records[index].counts[side]
      }
      return Double(hits) / Double(total)
    }
    func coverage(_ side: Int) -> [Coverage]? {
      guard records.contains(where: { $0.counts[side] > 0 }) else { return nil }
      return CoverageRecord.masses.enumerated().map { column, mass in
        let resampled = samples.map { share($0, side, \.covered, column) }
        let mean = resampled.reduce(0, +) / Double(resampled.count)
        let squares = resampled.reduce(0) { $0 + ($1 - mean) * ($1 - mean) }
        return Coverage(
          mass: mass, share: share(records.indices, side, \.covered, column),
          error: (squares / Double(resampled.count - 1)).squareRoot())
      }
    }
    observed = coverage(0)
    missing = coverage(1)
    func stretch(_ side: Int) -> Stretch? {
      guard isConformal, records.contains(where: { $0.counts[side] > 0 }) else { return nil }
      let (even, odd) = (
        stride(from: 0, to: records.count, by: 2), stride(from: 1, to: records.count, by: 2)
      )
      let column = CoverageRecord.factors.indices.first {
        share(even, side, \.stretched, $0) >= CoverageRecord.stretchedMass
      }
      return Stretch(
        factor: column.map { CoverageRecord.factors[$0] },
        coverage: column.map { share(odd, side, \.stretched, $0) })
    }
    observedStretch = stretch(0)
    missingStretch = stretch(1)
    divergences = records.reduce(0) { $0 + $1.divergences }
  }

  public var json: JSONText {
    func table(_ coverage: [Coverage]?, _ value: KeyPath<Coverage, Double>) -> JSONText {
      guard let coverage else { return .null }
      return .object(
        coverage.map { ("\($0.mass)", .number($0[keyPath: value])) })
    }
    func stretch(_ stretch: Stretch?) -> JSONText {
      guard let stretch else { return .null }
      return .object([
        ("factor", .optional(stretch.factor)), ("coverage", .optional(stretch.coverage)),
      ])
    }
    var members: [(key: String, value: JSONText)] = [
      ("n", .integer(count)),
      (
        "coverage",
        .object([("observed", table(observed, \.share)), ("masked", table(missing, \.share))])
      ),
      (
        "coverage_error",
        .object([("observed", table(observed, \.error)), ("masked", table(missing, \.error))])
      ), ("divergences", .integer(divergences)),
    ]
    if observedStretch != nil || missingStretch != nil {
      members.append(
        (
          "conformal",
          .object([("observed", stretch(observedStretch)), ("masked", stretch(missingStretch))])
        ))
    }
    return .object(members)
  }
}
