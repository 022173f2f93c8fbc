import Foundation
import FoundationXML
import Tensors
import Testing

@testable import Galleries

@Suite struct ReportPageTests {
  private static let nasty = "a<b>&\"c'\u{7}</script>"

  private var page: ReportPage {
    let picture = Tensor(shape: Shape(1, 2, 2), values: [0, 0.5, 1, 0.25])
    let mask = Tensor(shape: Shape(1, 2, 2), values: [1, 0, 1, 1])
    return ReportPage(
      title: Self.nasty, captions: [Self.nasty],
      findings: [.init(.bad, Self.nasty, [Self.nasty]), .init(.good, "fine")],
      pictures: [
        .init(
          Self.nasty,
          [
            ReportFigure(Panel(Self.nasty, .picture(picture, range: 0...1)), note: Self.nasty),
            ReportFigure(Panel("data", .masked(picture, observed: mask, range: 0...1))),
            ReportFigure(Panel("sd", .heat(picture))),
          ])
      ],
      plots: [
        .init(Self.nasty, Self.nasty, [TracePlot([[1, 2], [2, 1]], name: Self.nasty).svg])
      ],
      tables: [.init(Self.nasty, [(Self.nasty, Self.nasty)])], footer: Self.nasty)
  }

  // Seen to fail: the style escaped twice; text put in as it is.
  @Test("the page is well-formed whatever the texts, and they come back as they were")
  func wellFormed() throws {
    let document = try XMLDocument(data: Data(page.html().utf8))
    let shown = Self.nasty.replacingOccurrences(of: "\u{7}", with: "\u{FFFD}")
    for path in ["//h1", "//title", "//div/h2", "//figcaption/b", "//td", "//th", "//svg/text"] {
      let found = try document.nodes(forXPath: path).map { $0.stringValue }
      #expect(found.contains(shown), "\(path)")
    }
    let alternative = try document.nodes(forXPath: "//img/@alt").first?.stringValue
    #expect(alternative == shown + ", " + shown)
  }

  @Test("the page needs nothing else: no script, no address, no reference but pictures inside it")
  func selfContained() throws {
    let text = try page.html()
    for word in ["<script", "http", "url(", "@import", "<link", "<iframe"] {
      #expect(!text.localizedCaseInsensitiveContains(word), "\(word)")
    }
    let document = try XMLDocument(data: Data(text.utf8))
    let sources = try document.nodes(forXPath: "//@src | //@href").compactMap { $0.stringValue }
    #expect(sources.count == 4)
    for source in sources {
      let data = try #require(
        Data(base64Encoded: String(source.dropFirst("data:image/png;base64,".count))))
      #expect(source.hasPrefix("data:image/png;base64,") && data.starts(with: [0x89, 0x50]))
    }
  }

  // HTML takes the text of a style as it stands, XML reads references in it.
  @Test("the style means the same to HTML and to XML")
  func style() {
    #expect(Markup.escaped(ReportPage.style) == ReportPage.style)
  }

  @Test("the same content gives the same bytes")
  func deterministic() throws { #expect(try page.html() == page.html()) }
}
