import Foundation
import Testing

/// The checkout that this file lies in.
private let checkout = URL(filePath: #filePath)
  .deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()

/// Module → level, as the table of docs/architecture.md has them: rows `| level | `names` | … |`. A module
/// imports only modules of lower levels, so no cycle can arise.
private let levels: [String: Int] = {
  let text =
    (try? String(contentsOf: checkout.appending(path: "docs/architecture.md"), encoding: .utf8))
    ?? ""
  var levels: [String: Int] = [:]
  for line in text.split(separator: "\n") {
    let cells = line.split(separator: "|", omittingEmptySubsequences: false)
    guard cells.count == 5, let level = Int(cells[1].filter { $0 != " " }) else { continue }
    for (index, name) in cells[2].split(separator: "`", omittingEmptySubsequences: false)
      .enumerated()
    where index % 2 == 1 { levels[String(name)] = level }
  }
  return levels
}()

/// The system's modules, open to all.
private let system: Set<String> = ["Foundation", "Glibc", "Synchronization", "Dispatch"]

/// Modules of other packages, with the only modules that may import them.
private let outside: [String: Set<String>] = [
  "ArgumentParser": ["paeinvert", "paeinvert-bench", "paeinvert-photos"], "Logging": ["paeinvert"],
  "Yams": ["Problems"],
]

/// What the levels alone would allow: the sampler has never heard of images.
private let forbidden: [String: Set<String>] = [
  "Sampling": ["Tensors", "Maps", "ImageFiles"]
]

/// The names imported by a Swift source, whatever attributes, access levels and kinds are written.
private func imports(of source: String) throws -> [String] {
  let pattern =
    #/
    ^\s*(?:@\w+(?:\([^)]*\))?\s+)*(?:(?:public|package|internal|private|fileprivate)\s+)?
    import\s+(?:(?:struct|class|enum|protocol|func|var|let|typealias|actor)\s+)?(\w+)
    /#
  return source.split(separator: "\n", omittingEmptySubsequences: true).flatMap { line in
    line.split(separator: ";").compactMap { part in
      (try? pattern.prefixMatch(in: part)).map { String($0.1) }
    }
  }
}

/// Why `module` may not import `name`, or nil.
private func complaint(_ module: String, imports name: String) -> String? {
  if system.contains(name) { return nil }
  if let allowed = outside[name] {
    return allowed.contains(module) ? nil : "\(module) may not import \(name)"
  }
  guard let own = levels[module] else { return "\(module) has no level" }
  guard let other = levels[name] else { return "\(module) imports the unknown module \(name)" }
  guard other < own else { return "\(module) (level \(own)) imports \(name) (level \(other))" }
  guard forbidden[module]?.contains(name) != true else { return "\(module) imports \(name)" }
  return nil
}

@Suite struct ImportTests {
  private let sources = checkout.appending(path: "Sources", directoryHint: .isDirectory)

  /// Seen to fail: `import Networks` written in Sources/Maps; `import Tensors` in Sources/Sampling.
  @Test("every import under Sources points to a lower level")
  func importsPointDown() throws {
    var complaints: [String] = []
    var found = 0
    for module in try FileManager.default.contentsOfDirectory(atPath: sources.path) {
      let folder = sources.appending(path: module)
      var isFolder: ObjCBool = false
      guard FileManager.default.fileExists(atPath: folder.path, isDirectory: &isFolder),
        isFolder.boolValue
      else { continue }
      if levels[module] == nil { complaints.append("the module \(module) has no level") }
      let files = FileManager.default.enumerator(atPath: folder.path)
      while let file = files?.nextObject() as? String {
        guard file.hasSuffix(".swift") else { continue }
        let text = try String(contentsOf: folder.appending(path: file), encoding: .utf8)
        for name in try imports(of: text) {
          found += 1
          if let reason = complaint(module, imports: name) {
            complaints.append("\(module)/\(file): \(reason)")
          }
        }
      }
    }
    #expect(complaints.isEmpty)
    // The house has a few hundred imports: a test that reads none has lost its way.
    #expect(found > 100)
  }

  @Test("every way to write an import is read")
  func spellings() throws {
    let source = """
      import Maps
        import Tensors
      @testable import Networks
      public import Randomness
      @preconcurrency package import Flows
      @_spi(Plans) import Inversion
      import struct Training.Optimizer
      import Workers; import Sampling
      // import Galleries
      let important = 1
      """
    #expect(
      try imports(of: source) == [
        "Maps", "Tensors", "Networks", "Randomness", "Flows", "Inversion", "Training", "Workers",
        "Sampling",
      ])
  }

  @Test("arrows that point up, sideways, outside or to images from the sampler are refused")
  func negativeControls() {
    let refused = [
      ("Maps", "Networks"), ("Noise", "Flows"), ("Sampling", "Maps"),
      ("Sampling", "Tensors"), ("Sampling", "ImageFiles"), ("Tensors", "Tensors"),
      ("Inversion", "Logging"), ("PAEInversion", "ArgumentParser"), ("Operators", "Noise"),
      ("Solving", "Judging"), ("Tensors", "FoundationXML"),
      ("Unknown", "Tensors"), ("COneDNN", "Tensors"),
    ]
    for (module, name) in refused { #expect(complaint(module, imports: name) != nil) }
    let allowed = [
      ("Maps", "Tensors"), ("paeinvert", "Logging"), ("Sampling", "Workers"),
      ("Networks", "COneDNN"), ("Tensors", "Foundation"),
    ]
    for (module, name) in allowed { #expect(complaint(module, imports: name) == nil) }
  }
}
