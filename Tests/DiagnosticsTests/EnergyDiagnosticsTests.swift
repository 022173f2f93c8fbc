import Testing

@testable import Diagnostics

@Suite struct EnergyDiagnosticsTests {
  // Fails when: the sum of squares is divided by n.
  @Test("E-BFMI is ArviZ's", arguments: pinned)
  func eBFMI(_ pin: Pinned) {
    #expect(agree(energyFractionOfMissingInformation(pin.trace.values[0]), pin.eBFMI, 1e-9))
  }

  @Test("a constant energy has no E-BFMI")
  func constant() {
    #expect(energyFractionOfMissingInformation([2, 2, 2]).isNaN)
    #expect(energyFractionOfMissingInformation([2]).isNaN)
  }
}
