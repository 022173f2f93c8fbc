import LawCheckers
import Likelihoods
import Maps
import Operators
import Randomness
import Tensors
import Testing

@Suite("gains")
struct GainOperatorTests {
  // Fails when: the last lane is skipped; the gain is lost in the vjp.
  @Test("⟨Ax, y⟩ = ⟨x, Aᵀy⟩", arguments: [Shape(1, 5, 7), Shape(3, 1, 4), Shape(6)])
  func adjoint(_ shape: Shape) throws {
    let map = try GainOperator(shape: shape, gains: randomValues(shape.count, seed: 26))
    #expect(try checkAdjoint(map, key: RandomKey(seed: 27)) < adjointBound)
  }

  // Fails when: every lane takes the gains of the first elements; a gain is squared.
  @Test("every element is multiplied by its own gain")
  func product() throws {
    let map = try GainOperator(shape: Shape(1, 1, 3), gains: [2, 0, -0.5])
    #expect(try image(map, [1, 2, 3, 4, 5, 6]) == [2, 0, -1.5, 8, 0, -3])
    #expect(try pulledBack(map, [1, 2, 3, 4, 5, 6]) == [2, 0, -1.5, 8, 0, -3])
  }

  // Fails when: a check is left out.
  @Test("wrong gains are named")
  func refusals() {
    #expect(
      refusal { _ = try GainOperator(shape: Shape(1, 2, 2), gains: [1, 1, 1]) }
        == "there are 3 gains for the 4 elements of 1×2×2; give one for each")
    #expect(
      refusal { _ = try GainOperator(shape: Shape(1, 1, 2), gains: [1, .infinity]) }
        == "gain 1 is inf; every gain must be finite")
  }
}
