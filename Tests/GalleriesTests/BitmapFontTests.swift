import Testing

@testable import Galleries

@Suite("bitmap font")
struct BitmapFontTests {
  func art(_ character: Character) -> [String] {
    BitmapFont.rows(of: character).map { bits in
      String((0..<5).map { bits >> (4 - $0) & 1 == 1 ? "#" : "." })
    }
  }

  // Seen to fail with one glyph doubled in the drawing, which shifts all behind it.
  @Test("glyphs are pinned at both ends and in the middle")
  func goldens() {
    #expect(
      art("A")
        == [".###.", "#...#", "#...#", "#####", "#...#", "#...#", "#...#", ".....", "....."])
    #expect(
      art("g")
        == [".....", ".....", ".####", "#...#", "#...#", "#...#", ".####", "....#", ".###."])
    #expect(
      art("χ")
        == [".....", ".....", "#...#", ".#.#.", "..#..", "..#..", ".#.#.", "#...#", "....."])
    #expect(art(" ").allSatisfy { $0 == "....." })
  }

  @Test("every printable character has a glyph of its own; others are a box")
  func distinct() {
    let characters =
      (33...126).map { Character(Unicode.Scalar(UInt8($0))) } + ["²", "σ", "±", "×", "·", "–", "χ"]
    #expect(Set(characters.map(art)).count == characters.count)
    #expect(art("é") == art("漢"))
    #expect(!characters.map(art).contains(art("é")))
  }

  @Test("widths leave out the space behind the last character")
  func widths() {
    #expect(BitmapFont.width(of: "") == 0)
    #expect(BitmapFont.width(of: "a") == 5)
    #expect(BitmapFont.width(of: "abc") == 17)
  }
}
