import Tensors

extension Picture {
  /// The most bytes a picture file may have: 2²⁶ pixels of four 16-bit channels hardly exceed it.
  static let maximumFileBytes = 1 << 29

  /// Reads a PNG or JPEG file, or standard input for "-". What it is, its first bytes say and not its name.
  ///
  /// - Throws: `.missing` when it cannot be read; `.badData` when it is not a whole file of these within
  ///   the limits (sides ≤ 65 535, at most 2²⁶ pixels) or its `paeinvert:range` is not "LO HI".
  public static func read(path: String) throws(ImageFileError) -> Picture {
    try decode(try InputFile.read(path: path, limit: maximumFileBytes), path: path)
  }

  /// Reads the bytes of a PNG or JPEG file.
  public static func read(bytes: [UInt8]) throws(ImageFileError) -> Picture {
    try decode(bytes, path: "the given bytes")
  }

  private static func decode(_ bytes: [UInt8], path: String) throws(ImageFileError) -> Picture {
    if bytes.starts(with: JPEGDecoder.signature) {
      return Picture(try JPEGDecoder(path: path).decode(bytes))
    }
    guard bytes.starts(with: [0x89] + Array("PNG".utf8)) else {
      throw .badData(
        path: path,
        reason:
          "it is \(FileFormat.described(bytes)), neither PNG nor JPEG; convert it to one of them")
    }
    let png = try PNGDecoder(path: path).decode(bytes)
    let range = try statedRange(png.texts, path: path)
    let grey = png.channels < 3 || png.paletteIsGrey
    let shape = Shape(grey ? 1 : 3, png.height, png.width)
    let largest = (1 << png.bitDepth) - 1
    let width = range.upperBound - range.lowerBound
    let table = (0...largest).map {
      Float(range.lowerBound + Double($0) / Double(largest) * width)
    }
    var tensor = Tensor(shape: shape)
    for channel in 0..<shape[0] {
      png.copy(channel, into: &tensor.values, at: channel * png.pixels) { table[Int($0)] }
    }
    var alpha: Tensor?
    if png.channels == 2 || png.channels == 4 {
      var opacity = Tensor(shape: Shape(1, png.height, png.width))
      png.copy(png.channels - 1, into: &opacity.values, at: 0) { Float($0) / Float(largest) }
      alpha = opacity
    }
    let warnings = png.foreignGamma.map {
      ["\(path) carries a gamma of \($0), which is not sRGB's and is not applied"]
    }
    return Picture(
      tensor: tensor, alpha: alpha, bitDepth: png.bitDepth, range: range,
      warnings: warnings ?? [])
  }

  /// 8 bits, range 0…1.
  private init(_ jpeg: JPEGSamples) {
    let pixels = jpeg.width * jpeg.height
    var tensor = Tensor(shape: Shape(jpeg.channels, jpeg.height, jpeg.width))
    for channel in 0..<jpeg.channels {
      for pixel in 0..<pixels {
        tensor.values[channel * pixels + pixel] =
          Float(jpeg.samples[pixel * jpeg.channels + channel]) / 255
      }
    }
    self.init(tensor: tensor)
  }

  /// The range that the text chunks state, 0…1 when they state none.
  private static func statedRange(
    _ texts: [(keyword: String, value: String)], path: String
  ) throws(ImageFileError) -> ClosedRange<Double> {
    let stated = texts.filter { $0.keyword == rangeKeyword }
    guard let text = stated.first?.value else { return 0...1 }
    let allowed = Set("0123456789+-.eE")
    let words = text.split(whereSeparator: \.isWhitespace)
    let numbers = words.compactMap { $0.allSatisfy(allowed.contains) ? Double($0) : nil }
    guard stated.count == 1, words.count == 2, numbers.count == 2, numbers[0] < numbers[1],
      (numbers[1] - numbers[0]).isFinite, numbers.allSatisfy({ Float($0).isFinite })
    else {
      throw .badData(
        path: path,
        reason: "its text chunk \(rangeKeyword) must be two numbers \"LO HI\" with LO < HI, once")
    }
    return numbers[0]...numbers[1]
  }
}

extension PNGSamples {
  var pixels: Int { width * height }

  /// Copies one channel, mapped, to `pixels` elements of `values` from `start` on.
  fileprivate func copy(
    _ channel: Int, into values: inout [Float], at start: Int, _ map: (UInt16) -> Float
  ) {
    for pixel in 0..<pixels { values[start + pixel] = map(samples[pixel * channels + channel]) }
  }
}
