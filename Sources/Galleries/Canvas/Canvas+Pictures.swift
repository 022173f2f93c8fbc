import Tensors

extension Canvas {
  /// A picture, 1×H×W or 3×H×W, each pixel a square of `factor`² pixels; intensities are clamped to
  /// `range`, whose ends become black and white.
  package init(_ picture: Tensor, factor: Int, range: ClosedRange<Float> = 0...1) {
    let (height, width) = Self.sides(picture)
    let scale = 1 / (range.upperBound - range.lowerBound)
    func level(_ channel: Int, _ pixel: Int) -> UInt8 {
      let value = picture.values[channel * height * width + pixel]
      return ColourMap.grey.colour((value - range.lowerBound) * scale).red
    }
    let second = picture.shape[0] == 3 ? 1 : 0, third = picture.shape[0] == 3 ? 2 : 0
    self.init(width: width * factor, height: height * factor)
    forEachPixel(height, width) { pixel in
      Colour(level(0, pixel), level(second, pixel), level(third, pixel))
    }
  }

  /// The root mean square over the channels of `values`, as cubehelix colours of value/maximum.
  package init(heat values: Tensor, factor: Int, maximum: Float) {
    let (height, width) = Self.sides(values)
    let magnitude = channelMagnitude(values)
    self.init(width: width * factor, height: height * factor)
    forEachPixel(height, width) { ColourMap.cubehelix.colour(magnitude[$0] / maximum) }
  }

  /// Hatches the pixels where `observed` (1×H×W or C×H×W, first channel read) is below one half.
  /// The stripes are as wide whatever the enlargement, so that they never look like picture.
  package mutating func hatch(unobserved observed: Tensor, factor: Int) {
    let (height, width) = Self.sides(observed)
    precondition(height * factor == self.height && width * factor == self.width)
    for y in 0..<self.height {
      for x in 0..<self.width where !(observed.values[y / factor * width + x / factor] >= 0.5) {
        self[x, y] = (x + y) % 8 < 3 ? .hatch : .hatchGround
      }
    }
  }

  private mutating func forEachPixel(_ height: Int, _ width: Int, _ colour: (Int) -> Colour) {
    let factor = self.width / width
    for y in 0..<height {
      for x in 0..<width {
        fill(x: x * factor, y: y * factor, width: factor, height: factor, colour(y * width + x))
      }
    }
  }

  private static func sides(_ picture: Tensor) -> (height: Int, width: Int) {
    let shape = picture.shape
    precondition(
      shape.rank == 3 && (shape[0] == 1 || shape[0] == 3) && shape.count > 0,
      "a picture is 1×H×W or 3×H×W, not \(shape)")
    return (shape[1], shape[2])
  }
}

/// √(mean over channels of v²) of each pixel of a C×H×W array.
package func channelMagnitude(_ values: Tensor) -> [Float] {
  let channels = values.shape[0], pixels = values.shape[1] * values.shape[2]
  return (0..<pixels).map { pixel in
    let squares = (0..<channels).map { values.values[$0 * pixels + pixel] }.map { $0 * $0 }
    return (squares.reduce(0, +) / Float(channels)).squareRoot()
  }
}
