import Foundation

extension RandomStream {
  /// A draw of density x^(a−1) e^(−x)/Γ(a), a = `shape`: mean a, variance a; χ²_ν is twice that of ½ν.
  ///
  /// Source: Marsaglia and Tsang, "A simple method for generating gamma variables", ACM TOMS 2000:
  /// d (1 + n/√(9 d))³, d = a − ⅓, n normal, kept with the probability that makes it exact (above 95 %);
  /// for a < 1 a draw of a + 1 times U^(1/a) (their section 6).
  /// - Precondition: `shape` > 0.
  public mutating func gamma(shape: Double) -> Double {
    precondition(shape > 0 && shape.isFinite, "a shape is finite and above zero")
    guard shape >= 1 else { return gamma(shape: shape + 1) * pow(uniformOpen(), 1 / shape) }
    let d = shape - 1.0 / 3
    while true {
      let n = normal()
      let root = 1 + n / (9 * d).squareRoot()
      guard root > 0 else { continue }
      let cube = root * root * root
      if log(uniformOpen()) < 0.5 * n * n + d * (1 - cube + log(cube)) { return d * cube }
    }
  }
}
