import Foundation
import Testing

@testable import ImageFiles

@Suite("cleaning up after an interruption")
struct UnfinishedOutputTests {
  // `removeAll` would take the unfinished files of tests that run beside this one, so that a child
  // process would be needed to test it whole; `remove` and the registry are what it is made of.
  @Test("siblings are hidden, beside their file, distinct, and forgotten when finished")
  func siblings() {
    let folder = TemporaryFolder()
    let first = UnfinishedOutput.sibling(of: folder.path + "/f")
    let second = UnfinishedOutput.sibling(of: folder.path + "/f")
    #expect(first != second && first.hasPrefix(folder.path + "/.f."))
    #expect(UnfinishedOutput.sibling(of: "f").hasPrefix(".f."))
    _ = folder.put(String(second.dropFirst(folder.path.count + 1)), [1])
    UnfinishedOutput.remove(second)
    #expect(folder.names == [])
    #expect(UnfinishedOutput.finishing(first) { ENOSPC } == ENOSPC)
    #expect(UnfinishedOutput.finishing(first) { 0 } == 0)
  }
}
