import Testing

@testable import Galleries

@Suite("text")
struct TextBlockTests {
  @Test("lines break between words and stay within the width")
  func wrapping() {
    #expect(TextBlock.wrap("one two three", width: 41) == ["one two", "three"])
    #expect(TextBlock.wrap("one two three", width: 40) == ["one", "two", "three"])
    #expect(TextBlock.wrap("abcdefghij", width: 23) == ["abcd", "efgh", "ij"])
    #expect(TextBlock.wrap("", width: 23) == [])
  }

  @Test("a label that does not fit ends in two dots")
  func fitting() {
    #expect(TextBlock.fitted("label", width: 29) == "label")
    #expect(TextBlock.fitted("label", width: 28) == "la..")
    #expect(TextBlock.fitted("label", width: 0) == "")
  }

  @Test("labels are centred to the pixel")
  func centring() {
    var canvas = Canvas(width: 42, height: 20)
    TextBlock.centre("H", on: &canvas, x: 0, y: 0, width: 42, .label)
    #expect(canvas[16, 0] == .label && canvas[25, 0] == .label)
    #expect(canvas[15, 0] == .page && canvas[26, 0] == .page)
  }
}
