import Tensors
import Testing

@testable import ImageFiles

@Suite("writing safetensors")
struct SafetensorsFileWritingTests {
  @Test("decode ∘ encode = identity, F64 first")
  func roundTrip() throws {
    let single = Safetensors.NamedTensor(
      name: "σ \"quoted\"", shape: Shape(3, 1),
      values: .float32([.pi, -0.0, .leastNonzeroMagnitude]))
    let double = Safetensors.NamedTensor(
      name: "d", shape: Shape(), values: .float64([1.0 / 3]))
    let metadata = ["config": "{\"a\":\n1}", "z": "", "b": "é"]
    let folder = TemporaryFolder()
    let path = folder.path + "/t.safetensors"
    try SafetensorsFile.write(Safetensors(metadata: metadata, tensors: [single, double]), to: path)
    let read = try SafetensorsFile.read(path: path)
    #expect(read.metadata == metadata)
    #expect(read.tensors == [double, single])
    #expect(read.source == path)
  }

  @Test("the bytes are pinned: sorted metadata, padded header, little-endian values")
  func golden() {
    let bytes = SafetensorsFile.encode(
      Safetensors(
        metadata: ["b": "2", "a": "1"],
        tensors: [.init(name: "x", shape: Shape(1, 2), values: .float32([1, -2]))]))
    let header =
      #"{"__metadata__":{"a":"1","b":"2"},"#
      + #""x":{"dtype":"F32","shape":[1,2],"data_offsets":[0,8]}}"#
    let padded = header + String(repeating: " ", count: (8 - header.utf8.count % 8) % 8)
    #expect(
      bytes == [UInt8(padded.utf8.count), 0, 0, 0, 0, 0, 0, 0] + Array(padded.utf8)
        + [0, 0, 128, 63, 0, 0, 0, 192])
    #expect(bytes.count % 8 == 0)
  }
}
