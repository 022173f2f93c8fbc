import Foundation
import Tensors
import Testing

@testable import ImageFiles

/// Files that another encoder made (Pillow 13 over libjpeg-turbo, quality 95).
enum JPEGFiles {
  private static func bytes(_ text: String) -> [UInt8] { Array(Data(base64Encoded: text)!) }

  /// 16×8, sample 8·column + 4·row.
  static let grey = bytes(
    "/9j/4AAQSkZJRgABAQAAAQABAAD/2wBDAAIBAQEBAQIBAQECAgICAgQDAgICAgUEBAMEBgUGBgYFBgYGBwkIBgcJ"
      + "BwYGCAsICQoKCgoKBggLDAsKDAkKCgr/wAALCAAIABABAREA/8QAFAABAAAAAAAAAAAAAAAAAAAACf/EABoQAAAH"
      + "AAAAAAAAAAAAAAAAAAAHCCQ0QVH/2gAIAQEAAD8AKdNpbR2+UEATaW0dvlD/2Q==")
  /// 16×8, red 10·column + 40, green 20·row + 30, blue 128.
  static let rgb = bytes(
    "/9j/4AAQSkZJRgABAQAAAQABAAD/2wBDAAIBAQEBAQIBAQECAgICAgQDAgICAgUEBAMEBgUGBgYFBgYGBwkIBgcJ"
      + "BwYGCAsICQoKCgoKBggLDAsKDAkKCgr/2wBDAQICAgICAgUDAwUKBwYHCgoKCgoKCgoKCgoKCgoKCgoKCgoKCgoK"
      + "CgoKCgoKCgoKCgoKCgoKCgoKCgoKCgoKCgr/wAARCAAIABADAREAAhEBAxEB/8QAFQABAQAAAAAAAAAAAAAAAAAA"
      + "Bwj/xAAbEAAABwEAAAAAAAAAAAAAAAAAAQYIJTKSk//EABYBAQEBAAAAAAAAAAAAAAAAAAYHCP/EABoRAAICAwAA"
      + "AAAAAAAAAAAAAAAGBCIHMTL/2gAMAwEAAhEDEQA/AJ+RDKaRJYFJnvu7gRRybzcYESyqkSXMCZ75u5qBRybzc//Z")
  static let cmyk = bytes(
    "/9j/7gAOQWRvYmUAZAAAAAAA/9sAQwAQCwwODAoQDg0OEhEQExgoGhgWFhgxIyUdKDozPTw5Mzg3QEhcTkBEV0U3"
      + "OFBtUVdfYmdoZz5NcXlwZHhcZWdj/8AAFAgACAAIBEMRAE0RAFkRAEsRAP/EABQAAQAAAAAAAAAAAAAAAAAAAAf/"
      + "xAAUEAEAAAAAAAAAAAAAAAAAAAAA/9oADgRDAE0AWQBLAAA/AEAgEAgP/9k=")
}

/// Meant to catch: `emit_message` left as libjpeg has it (a file cut in its pixels is read, grey from there
/// on); rows and channels exchanged in `Picture`.
@Suite struct JPEGDecoderTests {
  /// At quality 95 the steps of the first coefficients are 2 or 3 of 255, so samples are off by less than 4.
  private let tolerance: Float = 4 / 255

  @Test("samples are those that were encoded, up to the coding's steps")
  func samples() throws {
    let grey = try Picture.read(bytes: JPEGFiles.grey)
    #expect(grey.tensor.shape == Shape(1, 8, 16) && grey.bitDepth == 8 && grey.range == 0...1)
    let colour = try Picture.read(bytes: JPEGFiles.rgb)
    #expect(colour.tensor.shape == Shape(3, 8, 16))
    for row in 0..<8 {
      for column in 0..<16 {
        let place = row * 16 + column
        let expected = Float(8 * column + 4 * row) / 255
        #expect(abs(grey.tensor.values[place] - expected) < tolerance)
        for (channel, value) in [10 * column + 40, 20 * row + 30, 128].enumerated() {
          let found = colour.tensor.values[channel * 128 + place]
          // Luma is off by as much as grey, and so is chroma, which enters 1.772 times at most.
          #expect(
            abs(found - Float(value) / 255) < 2.772 * tolerance, "\(channel) \(row) \(column)")
        }
      }
    }
  }

  @Test("a file is known by its content, not by its name")
  func content() throws {
    let folder = TemporaryFolder()
    let path = folder.put("picture.png", JPEGFiles.grey)
    #expect(try Picture.read(path: path).tensor.shape == Shape(1, 8, 16))
    #expect(try PictureSize(path: path) == PictureSize(JPEGFiles.rgb, path: ""))
  }

  @Test("a file that ends early anywhere is refused with 65, and never half-read")
  func truncated() {
    for file in [JPEGFiles.grey, JPEGFiles.rgb] {
      // The last two bytes are the end marker, which holds no pixels; libjpeg warns of its absence.
      for count in 3..<file.count {
        let error = failure { _ = try Picture.read(bytes: Array(file[..<count])) }
        #expect(error?.exitCode == 65, "\(count) of \(file.count) bytes")
      }
    }
  }

  @Test("damaged bytes give a picture or an error, and CMYK an error that says so")
  func damaged() {
    for place in JPEGFiles.rgb.indices.dropFirst(3) {
      for value: UInt8 in [0, 0x55, 0xFF] {
        var bytes = JPEGFiles.rgb
        bytes[place] = value
        if let error = failure({ _ = try Picture.read(bytes: bytes) }) {
          #expect(error.exitCode == 65)
        }
      }
    }
    let cmyk = failure { _ = try Picture.read(bytes: JPEGFiles.cmyk) }
    #expect(cmyk?.exitCode == 65 && cmyk?.description.contains("neither grey nor RGB") == true)
  }
}
