import Flows
import LawCheckers
import Testing

@Suite struct CodeDensityTests {
  /// Seen to fail: u in place of −u in the vjp; the log-determinant's part left out.
  @Test(
    "a flow keeps the laws of a code density",
    arguments: [
      TestFlow(name: "affine", layers: [.affine, .luLinear]),
      TestFlow(name: "couplings", layers: [.affine, TestFlow.affineCoupling, .luLinear]),
    ])
  func laws(test: TestFlow) throws {
    try checkCodeDensity(
      test.make(), at: [0.3, -0.2, 0.5, 0.1, -0.6, 1.1, 0.4, -0.9, 0.2, 0.7])
  }
}
