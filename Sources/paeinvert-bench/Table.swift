/// Rows of text in aligned columns, the first column to the left and the others to the right.
struct Table: Equatable {
  let header: [String]
  var rows: [[String]] = []

  init(_ header: [String]) { self.header = header }

  /// Of names and values, without a header.
  init(pairs: [(String, String)]) {
    header = []
    rows = pairs.map { [$0.0, $0.1] }
  }

  var text: String {
    let lines = (header.isEmpty ? [] : [header]) + rows
    let columns = lines.map(\.count).max() ?? 0
    let widths = (0..<columns).map { column in
      lines.map { column < $0.count ? $0[column].count : 0 }.max() ?? 0
    }
    return lines.map { line in
      let cells = line.enumerated().map { column, cell in
        let space = String(repeating: " ", count: widths[column] - cell.count)
        return column == 0 ? cell + space : space + cell
      }
      return "  " + cells.joined(separator: "  ") + "\n"
    }.joined()
  }
}
