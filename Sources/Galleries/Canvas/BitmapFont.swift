/// A fixed-width bitmap font of our own drawing: 5 × 7 pixels above the baseline, 2 below it.
/// ASCII 32–126 and ² σ ± × · – χ; anything else is drawn as a box.
package enum BitmapFont {
  /// Pixels from one character to the next, and from the top of a line to its last pixel row.
  package static let advance = 6, height = 9
  /// Rows above the baseline: the height of a capital.
  package static let capHeight = 7

  /// The pixel rows of a character, top first; bit 4 is the leftmost of 5 pixels.
  package static func rows(of character: Character) -> ArraySlice<UInt8> {
    let index = characters[character] ?? characters.count
    return glyphs[index * height..<(index + 1) * height]
  }

  /// Width in pixels of a line of text at scale 1, without the space behind the last character.
  package static func width(of text: String) -> Int { max(0, text.count * advance - 1) }

  private static let characters: [Character: Int] = {
    let all =
      (32...126).map { Character(Unicode.Scalar(UInt8($0))) } + ["²", "σ", "±", "×", "·", "–", "χ"]
    return Dictionary(uniqueKeysWithValues: all.enumerated().map { ($1, $0) })
  }()

  private static let glyphs: [UInt8] = drawing.utf8.compactMap {
    switch $0 {
    case 48...57: $0 - 48
    case 65...86: $0 - 55
    default: nil
    }
  }

  /// Nine base-32 digits a glyph, one a pixel row, in the order of `characters`; the box is last.
  private static let drawing = """
    000000000 444440400 AAA000000 AAVAVAA00 4FKE5U400 OP248J300 CIK8LID00 440000000
    248884200 842224800 04LEL4000 044V44000 00000CC48 000E00000 00000CC00 11248GG00
    EHJLPHE00 4C4444E00 EH1248V00 EH161HE00 26AIV2200 VGU11HE00 68GUHHE00 V12448800
    EHHEHHE00 EHHF12C00 0CC00CC00 0CC00CC48 248G84200 00V0V0000 842124800 EH1240400
    EHNLNGE00 EHHVHHH00 UHHUHHU00 EHGGGHE00 UHHHHHU00 VGGUGGV00 VGGUGGG00 EHGNHHF00
    HHHVHHH00 E44444E00 72222IC00 HIKOKIH00 GGGGGGV00 HRLLHHH00 HPLJHHH00 EHHHHHE00
    UHHUGGG00 EHHHLID00 UHHUKIH00 FGGE11U00 V44444400 HHHHHHE00 HHHHAA400 HHHLLRH00
    HHA4AHH00 HHA444400 V1248GV00 E88888E00 GG8421100 E22222E00 4AH000000 000000V00
    840000000 00E1FHF00 GGUHHHU00 00EHGHE00 11FHHHF00 00EHVGE00 698S88800 00FHHHF1E
    GGUHHHH00 40C444E00 2062222IC GGIKOKI00 C44444E00 00QLLLL00 00UHHHH00 00EHHHE00
    00UHHHUGG 00FHHHF11 00MPGGG00 00FGE1U00 88S889600 00HHHHF00 00HHHA400 00LLLLA00
    00HA4AH00 00HHHHF1E 00V248V00 244844200 444444440 844244800 009LI0000 C24E00000
    00FIHHE00 44V440V00 000A4A000
    000400000 000V00000 00HA44AH0 VHHHHHV00
    """
}
