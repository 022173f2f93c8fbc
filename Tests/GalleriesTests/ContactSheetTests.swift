import Tensors
import Testing

@testable import Galleries

@Suite("contact sheets")
struct ContactSheetTests {
  func panel(_ value: Float, label: String = "x") -> Panel {
    Panel(label, .picture(Tensor(shape: Shape(1, 10, 10), repeating: value), range: 0...1))
  }

  // Seen to fail without the spread: the last row then ends 16 pixels early.
  @Test("all margins are even: rows that nearly fill the width are spread over it")
  func margins() throws {
    let sheet = ContactSheet(
      title: "", captions: [],
      rows: [
        .init(panels: (0..<4).map { _ in panel(1) }, side: 100),
        .init(panels: (0..<8).map { _ in panel(1, label: "") }, side: 42),
      ])
    let canvas = sheet.render()
    let white = Colour(255, 255, 255)
    let filled = (0..<canvas.height).filter { y in
      (0..<canvas.width).contains { canvas[$0, y] == white }
    }
    #expect(filled.last == canvas.height - 1 - ContactSheet.margin)
    for y in [try #require(filled.first), try #require(filled.last)] {
      let columns = (0..<canvas.width).filter { canvas[$0, y] == white }
      #expect(columns.first == ContactSheet.margin)
      #expect(columns.last == canvas.width - 1 - ContactSheet.margin)
    }
  }

  @Test("no text reaches into the margins")
  func textStaysInside() {
    let long = String(repeating: "some long words and ", count: 20)
    let canvas = ContactSheet(
      title: long, captions: [long, "x"], rows: [.init(panels: [panel(0)], side: 30)]
    ).render()
    for y in 0..<canvas.height {
      for x in 0..<canvas.width
      where x < ContactSheet.margin - 1 || x > canvas.width - ContactSheet.margin {
        #expect(canvas[x, y] == .page)
      }
    }
  }

  @Test("a sheet without anything is still a picture")
  func empty() {
    #expect(ContactSheet(title: "", captions: [], rows: []).render().width > 0)
  }
}
