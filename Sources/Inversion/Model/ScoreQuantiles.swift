/// How the scores of pictures (docs/method.md, "Outliers") are distributed over pictures of the training set that
/// the weights were not fitted to: quantiles at 0, 1, … 100 per cent, nats, ascending.
public struct ScoreQuantiles: Codable, Sendable, Equatable {
  /// How many pictures, and of how many of them ln p(x) is known.
  public var pictures: Int
  public var marginalPictures: Int
  /// Of ln p(z); of the reconstruction's Gaussian log-likelihood; of their sum; of ln p(x).
  public var flow: [Float]
  public var reconstruction: [Float]
  public var sum: [Float]
  public var marginal: [Float]

  /// Quantiles of one score.
  public static let count = 101

  public init(
    pictures: Int, marginalPictures: Int, flow: [Float], reconstruction: [Float], sum: [Float],
    marginal: [Float]
  ) {
    self.pictures = pictures
    self.marginalPictures = marginalPictures
    self.flow = flow
    self.reconstruction = reconstruction
    self.sum = sum
    self.marginal = marginal
  }

  /// Those of a set of values: linear between the sorted ones, value i of n standing at i/(n − 1).
  /// - Precondition: at least one value.
  package static func quantiles(of values: [Double]) -> [Float] {
    let sorted = values.sorted()
    return (0..<count).map { index in
      let place = Double(index) * Double(sorted.count - 1) / Double(count - 1)
      let below = Int(place)
      let above = min(below + 1, sorted.count - 1)
      let share = place - Double(below)
      return Float(share == 0 ? sorted[below] : (1 - share) * sorted[below] + share * sorted[above])
    }
  }

  /// The per cent of the pictures with a smaller score, linear between quantiles; 0 below all, 100 above
  /// all, and in the middle of quantiles that are equal to the score.
  public static func percentile(of value: Double, in quantiles: [Float]) -> Double {
    let below = quantiles.count { Double($0) < value }
    let equal = quantiles.count { Double($0) == value }
    if below + equal == 0 { return 0 }
    if below == quantiles.count { return 100 }
    if equal > 0 { return Double(below) + Double(equal - 1) / 2 }
    let (low, high) = (Double(quantiles[below - 1]), Double(quantiles[below]))
    return Double(below - 1) + (value - low) / (high - low)
  }

  /// Why these are no quantiles; nil when they are.
  var fault: String? {
    if pictures < 1 || !(1...pictures).contains(marginalPictures) {
      return "\(marginalPictures) of \(pictures) pictures"
    }
    for (name, values) in [
      ("flow", flow), ("reconstruction", reconstruction), ("sum", sum), ("marginal", marginal),
    ] {
      if values.count != Self.count { return "\(values.count) of \(name), not \(Self.count)" }
      if !values.allSatisfy(\.isFinite) { return "one of \(name) is not finite" }
      if zip(values, values.dropFirst()).contains(where: { $0 > $1 }) {
        return "those of \(name) do not rise"
      }
    }
    return nil
  }
}
