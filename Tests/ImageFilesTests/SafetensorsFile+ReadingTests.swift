import Tensors
import Testing

@testable import ImageFiles

/// A file from its header text and data.
private func file(_ header: String, _ data: [UInt8], length: UInt64? = nil) -> [UInt8] {
  let count = length ?? UInt64(header.utf8.count)
  return (0..<8).map { UInt8(truncatingIfNeeded: count >> (8 * $0)) } + Array(header.utf8) + data
}

@Suite("reading safetensors")
struct SafetensorsFileReadingTests {
  @Test("a file written by hand is read")
  func byHand() throws {
    let bytes = file(
      #"{"__metadata__":{"k":"v"},"y":{"dtype":"F64","shape":[1],"data_offsets":[8,16]},"#
        + #""x":{"dtype":"F32","shape":[2,1],"data_offsets":[0,8]},"#
        + #""e":{"shape":[0,3],"dtype":"F32","data_offsets":[16,16]}}  "#,
      [0, 0, 128, 63, 0, 0, 0, 192, 0, 0, 0, 0, 0, 0, 4, 64])
    let content = try SafetensorsFile.decode(bytes)
    #expect(content.metadata == ["k": "v"])
    #expect(content.tensors.map(\.name) == ["x", "y", "e"])
    #expect(content["x"]?.shape == Shape(2, 1) && content["x"]?.values == .float32([1, -2]))
    #expect(content["y"]?.values == .float64([2.5]))
    #expect(content["e"]?.shape == Shape(0, 3))
  }

  static func entry(_ name: String, _ shape: String, _ offsets: String, _ type: String = "F32")
    -> String
  { #""\#(name)":{"dtype":"\#(type)","shape":\#(shape),"data_offsets":\#(offsets)}"# }

  // Seen to fail without the checks of dtype, byte range, field count and end of file; without the
  // check of order a load traps.
  @Test(
    "what a header may not say is bad data",
    arguments: [
      ("{" + entry("a", "[1]", "[0,4]") + "," + entry("a", "[1]", "[4,8]") + "}", "occurs twice"),
      (
        "{" + entry("a", "[1]", "[0,4]") + "," + entry("b", "[1]", "[8,12]") + "}", "gap or overlap"
      ),
      ("{" + entry("a", "[2]", "[0,8]") + "," + entry("b", "[1]", "[4,8]") + "}", "gap or overlap"),
      ("{" + entry("a", "[1]", "[4,8]") + "}", "gap or overlap"),
      ("{" + entry("a", "[1]", "[0,4]") + "}", "but 8 follow"),
      ("{" + entry("a", "[4]", "[0,16]") + "}", "but 8 follow"),
      ("{" + entry("a", "[3]", "[0,8]") + "}", "does not fill"),
      ("{" + entry("a", "[2]", "[8,0]") + "}", "natural numbers"),
      ("{" + entry("a", "[-2]", "[0,8]") + "}", "natural numbers"),
      ("{" + entry("a", "[2.0]", "[0,8]") + "}", "natural numbers"),
      ("{" + entry("a", "[2]", "[0,8,8]") + "}", "natural numbers"),
      ("{" + entry("a", "[4294967296,4294967296]", "[0,8]") + "}", "too large"),
      ("{" + entry("a", "[0,9223372036854775807,9]", "[0,0]") + "}", "too large"),
      ("{" + entry("a", "[4]", "[0,8]", "F16") + "}", "dtype F16"),
      ("{" + entry("a", "[8]", "[0,8]", "U8") + "}", "dtype U8"),
      (#"{"a":{"dtype":"F32","shape":[2]}}"#, "is not {dtype"),
      (#"{"a":{"dtype":"F32","shape":[2],"data_offsets":[0,8],"x":1}}"#, "is not {dtype"),
      (#"{"a":[1]}"#, "is not {dtype"),
      (#"{"__metadata__":{"k":1}}"#, "no string"),
      (#"{"__metadata__":[]}"#, "no object"),
      ("[]", "strict JSON"), ("", "strict JSON"), (" {}", "strict JSON"), ("{}}", "strict JSON"),
    ])
  func refused(header: String, reason: String) {
    let error = failure {
      _ = try SafetensorsFile.decode(file(header, [UInt8](repeating: 0, count: 8)))
    }
    #expect(error?.exitCode == 65)
    #expect(error?.description.contains(reason) == true, "\(error?.description ?? "accepted")")
  }

  @Test(
    "header lengths that do not fit are bad data",
    arguments: [3, 1 << 20, (1 << 20) + 1, 1 << 62, .max] as [UInt64])
  func headerLength(length: UInt64) {
    let bytes = file("{}", [], length: length)
    #expect(failure { _ = try SafetensorsFile.decode(bytes) }?.exitCode == 65)
  }

  static let small = SafetensorsFile.encode(
    Safetensors(
      metadata: ["format": "test"],
      tensors: [
        .init(name: "a", shape: Shape(2, 2), values: .float32([1, 2, 3, 4])),
        .init(name: "b", shape: Shape(1), values: .float64([5])),
      ]))

  @Test("every proper prefix, and every longer file, is refused")
  func truncation() {
    for length in 0..<Self.small.count {
      let prefix = Array(Self.small.prefix(length))
      #expect(failure { _ = try SafetensorsFile.decode(prefix) }?.exitCode == 65)
    }
    #expect(failure { _ = try SafetensorsFile.decode(Self.small + [0]) }?.exitCode == 65)
  }

  @Test("flipped bits never crash")
  func flips() {
    for index in Self.small.indices {
      for bit in 0..<8 {
        var bytes = Self.small
        bytes[index] ^= 1 << bit
        do throws(ImageFileError) {
          let file = try SafetensorsFile.decode(bytes)
          // What is accepted has the elements that its shapes count.
          for tensor in file.tensors { #expect(tensor.values.count == tensor.shape.count) }
        } catch {
          #expect(error.exitCode == 65)
        }
      }
    }
  }

  @Test("values that are not finite are refused unless allowed, by name")
  func finite() throws {
    for bad in [Double.nan, .infinity, -.infinity] {
      for values in [Safetensors.Values.float64([0, bad]), .float32([0, Float(bad)])] {
        let bytes = SafetensorsFile.encode(
          Safetensors(tensors: [.init(name: "w", shape: Shape(2), values: values)]))
        let error = failure { _ = try SafetensorsFile.decode(bytes) }
        #expect(error?.description.contains("the tensor w holds values that are not") == true)
        let read = try SafetensorsFile.decode(bytes, requireFinite: false)
        #expect(read["w"]?.values.count == 2)
      }
    }
  }
}
