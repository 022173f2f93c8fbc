/// `report.html`: verdict, pictures, plots and numbers of one solution on a page that needs nothing else:
/// no script, no network. The same content gives the same bytes.
package struct ReportPage: Sendable {
  /// One question and its answer.
  package struct Finding: Sendable, Equatable {
    package enum Kind: String, Sendable {
      case good, doubtful, bad
    }
    package let kind: Kind
    package let headline: String
    /// One paragraph each.
    package let details: [String]

    package init(_ kind: Kind, _ headline: String, _ details: [String] = []) {
      self.kind = kind
      self.headline = headline
      self.details = details
    }
  }

  /// Pictures in a row, under a heading.
  package struct Pictures: Sendable {
    package let heading: String
    package let figures: [ReportFigure]

    package init(_ heading: String, _ figures: [ReportFigure]) {
      self.heading = heading
      self.figures = figures
    }
  }

  /// Two pictures of one size on top of one another; the reader draws the border between them.
  package struct Comparison: Sendable {
    package let heading: String
    package let explanation: String
    /// Seen on the right, and on the left.
    package let below: ReportFigure
    package let above: ReportFigure

    package init(
      _ heading: String, _ explanation: String, below: ReportFigure, above: ReportFigure
    ) {
      (self.heading, self.explanation, self.below, self.above) = (
        heading, explanation, below, above
      )
    }
  }

  /// Plots side by side, with a heading above and words below.
  package struct Plot: Sendable {
    package let heading: String
    package let explanation: String
    package let svgs: [Markup]

    package init(_ heading: String, _ explanation: String, _ svgs: [Markup]) {
      self.heading = heading
      self.explanation = explanation
      self.svgs = svgs
    }
  }

  package struct Table: Sendable {
    package let heading: String
    package let rows: [(name: String, value: String)]

    package init(_ heading: String, _ rows: [(name: String, value: String)]) {
      self.heading = heading
      self.rows = rows
    }
  }

  package let title: String
  package let captions: [String]
  package let findings: [Finding]
  package let comparison: Comparison?
  package let pictures: [Pictures]
  package let plots: [Plot]
  package let tables: [Table]
  /// The last line.
  package let footer: String

  package init(
    title: String, captions: [String], findings: [Finding], comparison: Comparison? = nil,
    pictures: [Pictures], plots: [Plot], tables: [Table], footer: String
  ) {
    self.title = title
    self.captions = captions
    self.findings = findings
    self.comparison = comparison
    self.pictures = pictures
    self.plots = plots
    self.tables = tables
    self.footer = footer
  }

  /// HTML that an XML parser reads too. No name spaces: HTML needs none, and a page that reaches for
  /// nothing holds no address.
  ///
  /// - Throws: `ImageFileError` when a picture cannot be encoded.
  package func html() throws -> String {
    let head: [Markup] = [
      .tag("meta", ["charset": "utf-8"]),
      .tag("meta", ["name": "viewport", "content": "width=device-width, initial-scale=1"]),
      .tag("title", text: title), .tag("style", text: Self.style),
    ]
    let body =
      [.tag("h1", text: title)] + captions.map { .tag("p", ["class": "muted"], text: $0) }
      + [.tag("section", ["class": "findings"], findings.map(Self.markup))]
      + (try comparison.map { [try Self.markup($0)] } ?? []) + (try pictures.map(Self.markup))
      + plots.map(Self.markup)
      + [.tag("section", ["class": "tables"], tables.map(Self.markup))]
      + [.tag("p", ["class": "muted"], text: footer)]
    let page = Markup.tag(
      "html", ["lang": "en"],
      [.tag("head", [:], head), .tag("body", [:], [.tag("main", [:], body)])])
    return "<!DOCTYPE html>\n" + page.rendered + "\n"
  }

  private static func markup(_ finding: Finding) -> Markup {
    .tag(
      "div", ["class": "finding " + finding.kind.rawValue],
      [.tag("h2", text: finding.headline)] + finding.details.map { .tag("p", text: $0) })
  }

  private static func markup(_ comparison: Comparison) throws -> Markup {
    let below = try comparison.below.picture()
    let above = try comparison.above.picture()
    return .tag(
      "section", [:],
      [
        .tag("h2", text: comparison.heading),
        .tag(
          "div", ["class": "slider", "style": "width: \(below.width)px"],
          [
            below.image,
            .tag(
              "div", ["class": "over", "style": "width: \(above.width / 2)px"], [above.image]),
          ]),
        .tag("p", ["class": "muted"], text: comparison.explanation),
      ])
  }

  private static func markup(_ pictures: Pictures) throws -> Markup {
    try .tag(
      "section", [:],
      [
        .tag("h2", text: pictures.heading),
        .tag("div", ["class": "figures"], pictures.figures.map { try $0.markup() }),
      ])
  }

  private static func markup(_ plot: Plot) -> Markup {
    .tag(
      "section", [:],
      [
        .tag("h2", text: plot.heading), .tag("div", ["class": "plots"], plot.svgs),
        .tag("p", ["class": "muted"], text: plot.explanation),
      ])
  }

  private static func markup(_ table: Table) -> Markup {
    let rows = table.rows.map { row in
      Markup.tag(
        "tr", [:], [.tag("th", ["scope": "row"], text: row.name), .tag("td", text: row.value)])
    }
    return .tag(
      "div", [:],
      [.tag("h2", text: table.heading), .tag("table", [:], [.tag("tbody", [:], rows)])])
  }
}
