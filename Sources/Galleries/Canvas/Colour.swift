/// An 8-bit RGB colour as a screen shows it.
package struct Colour: Equatable, Sendable {
  package var red: UInt8, green: UInt8, blue: UInt8

  package init(_ red: UInt8, _ green: UInt8, _ blue: UInt8) {
    self.red = red
    self.green = green
    self.blue = blue
  }

  /// The colours that all sheets share: a dark page, so that pictures are what shines.
  package static let page = Colour(24, 26, 32)
  package static let frame = Colour(66, 70, 82)
  package static let title = Colour(240, 242, 246)
  package static let label = Colour(200, 204, 214)
  package static let caption = Colour(146, 152, 166)
  /// The two stripes of what was not observed: a blue that no grey picture holds.
  package static let hatch = Colour(58, 84, 128), hatchGround = Colour(38, 50, 74)
}
