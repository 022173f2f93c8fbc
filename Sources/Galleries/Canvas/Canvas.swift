import Tensors

/// An RGB picture to draw on. Drawing outside is clipped.
package struct Canvas: Equatable, Sendable {
  package let width: Int, height: Int
  /// Row-major, three bytes a pixel.
  package private(set) var bytes: [UInt8]

  /// - Precondition: both sides are ≥ 1.
  package init(width: Int, height: Int, colour: Colour = .page) {
    precondition(width > 0 && height > 0, "a canvas cannot be \(width)×\(height)")
    self.width = width
    self.height = height
    bytes = []
    bytes.reserveCapacity(3 * width * height)
    for _ in 0..<width * height { bytes += [colour.red, colour.green, colour.blue] }
  }

  package subscript(x: Int, y: Int) -> Colour {
    get {
      let at = 3 * (y * width + x)
      return Colour(bytes[at], bytes[at + 1], bytes[at + 2])
    }
    set {
      guard 0 <= x, x < width, 0 <= y, y < height else { return }
      let at = 3 * (y * width + x)
      bytes[at] = newValue.red
      bytes[at + 1] = newValue.green
      bytes[at + 2] = newValue.blue
    }
  }

  /// Fills `width` × `height` pixels with the upper left corner at (x, y).
  package mutating func fill(x: Int, y: Int, width: Int, height: Int, _ colour: Colour) {
    for row in y..<y + max(height, 0) {
      for column in x..<x + max(width, 0) { self[column, row] = colour }
    }
  }

  /// A one-pixel outline just outside the rectangle.
  package mutating func frame(x: Int, y: Int, width: Int, height: Int, _ colour: Colour) {
    fill(x: x - 1, y: y - 1, width: width + 2, height: 1, colour)
    fill(x: x - 1, y: y + height, width: width + 2, height: 1, colour)
    fill(x: x - 1, y: y, width: 1, height: height, colour)
    fill(x: x + width, y: y, width: 1, height: height, colour)
  }

  /// A straight line between two pixels, both drawn (Bresenham 1965).
  package mutating func line(from a: (x: Int, y: Int), to b: (x: Int, y: Int), _ colour: Colour) {
    let dx = abs(b.x - a.x), dy = -abs(b.y - a.y)
    let stepX = a.x < b.x ? 1 : -1, stepY = a.y < b.y ? 1 : -1
    var (x, y, error) = (a.x, a.y, dx + dy)
    while true {
      self[x, y] = colour
      if x == b.x, y == b.y { return }
      let doubled = 2 * error
      if doubled >= dy {
        error += dy
        x += stepX
      }
      if doubled <= dx {
        error += dx
        y += stepY
      }
    }
  }

  package mutating func blit(_ other: Canvas, x: Int, y: Int) {
    for row in 0..<other.height {
      for column in 0..<other.width { self[x + column, y + row] = other[column, row] }
    }
  }

  /// Writes a line of text with its upper left corner at (x, y), each font pixel `scale`² pixels.
  package mutating func write(_ text: String, x: Int, y: Int, scale: Int = 1, _ colour: Colour) {
    for (index, character) in text.enumerated() {
      for (row, bits) in BitmapFont.rows(of: character).enumerated() {
        for column in 0..<5 where bits >> (4 - column) & 1 == 1 {
          fill(
            x: x + (index * BitmapFont.advance + column) * scale, y: y + row * scale,
            width: scale, height: scale, colour)
        }
      }
    }
  }

  /// The picture as 3×H×W intensities in 0…1, for a PNG file.
  package var tensor: Tensor {
    let pixels = width * height
    var tensor = Tensor(shape: Shape(3, height, width))
    for channel in 0..<3 {
      for pixel in 0..<pixels {
        tensor.values[channel * pixels + pixel] = Float(bytes[3 * pixel + channel]) / 255
      }
    }
    return tensor
  }
}
