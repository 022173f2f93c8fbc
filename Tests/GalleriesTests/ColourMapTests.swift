import Testing

@testable import Galleries

@Suite("colour maps")
struct ColourMapTests {
  @Test("both run from black to white, and clamp")
  func ends() {
    for map in [ColourMap.grey, .cubehelix] {
      for low in [Float(0), -3, .nan, -.infinity] { #expect(map.colour(low) == Colour(0, 0, 0)) }
      for high in [Float(1), 7, .infinity] { #expect(map.colour(high) == Colour(255, 255, 255)) }
    }
    #expect(ColourMap.grey.colour(0.2) == Colour(51, 51, 51))
  }

  // The elements were computed from the formula in Python, apart from this code.
  @Test("cubehelix elements are pinned")
  func goldens() {
    #expect(ColourMap.cubehelix.colour(0.25) == Colour(13, 87, 78))
    #expect(ColourMap.cubehelix.colour(0.5) == Colour(167, 120, 62))
    #expect(ColourMap.cubehelix.colour(0.75) == Colour(200, 176, 246))
  }

  // Green's matrix is made so that 0.30 R + 0.59 G + 0.11 B = λ, up to clipping and rounding. Seen
  // to fail with two rows of the matrix exchanged.
  @Test("perceived brightness is λ")
  func brightness() {
    for step in 0...100 {
      let colour = ColourMap.cubehelix.colour(Float(step) / 100)
      let light =
        0.30 * Double(colour.red) + 0.59 * Double(colour.green) + 0.11 * Double(colour.blue)
      #expect(abs(light / 255 - Double(step) / 100) < 0.02, "\(step)")
    }
  }
}
