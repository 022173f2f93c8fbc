import Tensors

extension Picture {
  /// The bytes of a PNG file of this picture's depth and channels: each intensity clamped to `range`
  /// and rounded to the nearest sample; a text chunk states a range other than 0…1.
  ///
  /// - Throws: `ImageFileError.writeFailed` when libpng fails.
  /// - Precondition: no intensity is NaN.
  public func encoded() throws(ImageFileError) -> [UInt8] {
    let colours = tensor.shape[0]
    let channels = colours + (alpha == nil ? 0 : 1)
    let pixels = width * height
    var samples = [UInt16](repeating: 0, count: pixels * channels)
    let scale = Double(largestSample) / (range.upperBound - range.lowerBound)
    func put(_ values: [Float], from start: Int, channel: Int, low: Double, scale: Double) {
      for pixel in 0..<pixels {
        let value = (Double(values[start + pixel]) - low) * scale
        precondition(!value.isNaN, "a picture to be written holds a NaN")
        samples[pixel * channels + channel] =
          UInt16(min(max(value.rounded(), 0), Double(largestSample)))
      }
    }
    for colour in 0..<colours {
      put(
        tensor.values, from: colour * pixels, channel: colour, low: range.lowerBound, scale: scale)
    }
    if let alpha {
      put(alpha.values, from: 0, channel: colours, low: 0, scale: Double(largestSample))
    }
    let stated = range == 0...1 ? [] : [(Self.rangeKeyword, rangeText)]
    return try PNGEncoder.encode(
      samples, width: width, height: height, channels: channels, bitDepth: bitDepth,
      texts: stated.map { (keyword: $0.0, value: $0.1) })
  }

  /// "LO HI", each in the fewest digits that read back to the same number.
  private var rangeText: String { "\(range.lowerBound) \(range.upperBound)" }

  /// Writes a PNG file whole or not at all (`AtomicFile`).
  public func write(to path: String, overwrite: Bool = false) throws(ImageFileError) {
    try AtomicFile.write(encoded(), to: path, overwrite: overwrite)
  }
}
