import Foundation
import Testing

@Suite struct SelfTestCommandTests {
  /// Fails when: the spectrum of the oracle has another exponent; σ of the oracle is 0.16 for 0.15; the half
  /// step back takes the old gradient.
  @Test func everyCheckHolds() throws {
    let folder = TemporaryFolder()
    let outcome = try Program.run(["selftest", "-m", TestModel.grey], in: folder)
    #expect(outcome.status == 0 && outcome.errors.isEmpty, "\(outcome)")
    let lines = outcome.output.split(separator: "\n")
    #expect(lines.count > 60 && lines.allSatisfy { $0.hasPrefix("ok") })
    for word in [
      "white", "masked", "coloured", "residual", "nuts", "hmc", "chees", "laplace", "mixture",
      "smc", "gradient", "leapfrog",
    ] {
      #expect(lines.contains { $0.contains(word) }, "\(word)")
    }
  }
}
