import Tensors
import Testing

@testable import ImageFiles

@Suite("safetensors content")
struct SafetensorsTests {
  let content = Safetensors(
    tensors: [
      .init(name: "a", shape: Shape(2), values: .float32([1, 2])),
      .init(name: "b", shape: Shape(1, 1), values: .float64([3])),
    ], source: "m.safetensors")

  @Test("what is required and there is returned")
  func found() throws {
    #expect(try content.require("a", Shape(2)) == [1, 2])
    #expect(try content.requireDoubles("b", Shape(1, 1)) == [3])
    #expect(content["b"]?.values.count == 1 && content["c"] == nil)
    try content.requireOnly(["a", "b", "c"])
  }

  @Test("missing, misshapen, mistyped and extra tensors are bad data, named")
  func refused() {
    func reason(_ body: () throws -> Void) -> String { failure(body)?.description ?? "accepted" }
    #expect(
      reason { _ = try content.require("c", Shape(2)) }
        == "cannot use m.safetensors: the tensor c is missing")
    #expect(reason { _ = try content.require("a", Shape(3)) }.contains("a has shape 2, expected 3"))
    #expect(reason { _ = try content.requireDoubles("a", Shape(2)) }.contains("a is F32"))
    #expect(reason { _ = try content.require("b", Shape(1, 1)) }.contains("b is F64"))
    #expect(reason { try content.requireOnly(["a"]) }.contains("unexpected tensor b"))
  }
}
