import Foundation
import Testing

@testable import Problems

@Suite(.serialized) struct ModelLocatorTests {
  private func failure(_ name: String) -> PipelineError? {
    do {
      let path = try ModelLocator.path(of: name)
      Issue.record("found \(path)")
      return nil
    } catch {
      return error as? PipelineError
    }
  }

  // Fails when: a path is looked up by name, or the error does not say where it looked.
  @Test("a model that is not there is an input missing, in one line that says where")
  func missing() throws {
    for name in ["no/such/model", "./nothing.safetensors", "nothing.safetensors", "/nothing"] {
      let error = try #require(failure(name))
      #expect(error.exitCode == 66 && error.description.contains(name))
    }
    for name in ["no-such-model", "", "..", "fashion-mnist.safetensors.old"] {
      let error = try #require(failure(name))
      #expect(error.exitCode == 66)
      #expect(error.description.contains("'\(name)'"))
      for directory in ModelLocator.directories {
        #expect(error.description.contains(directory))
      }
      #expect(error.description.contains("PAEINVERT_MODELS") && !error.description.contains("\n"))
    }
  }

  // Fails when: the variable is not the first place, or an empty one counts as a place.
  @Test("names are looked up in PAEINVERT_MODELS first, paths are taken as they are")
  func found() throws {
    let old = ProcessInfo.processInfo.environment["PAEINVERT_MODELS"]
    let directory = FileManager.default.temporaryDirectory
      .appendingPathComponent("ModelLocatorTests-\(UUID().uuidString)").path
    try FileManager.default.createDirectory(atPath: directory, withIntermediateDirectories: true)
    defer {
      if let old { setenv("PAEINVERT_MODELS", old, 1) } else { unsetenv("PAEINVERT_MODELS") }
      try? FileManager.default.removeItem(atPath: directory)
    }
    setenv("PAEINVERT_MODELS", directory, 1)
    #expect(ModelLocator.directories.first == directory)
    let path = directory + "/some-model.safetensors"
    #expect(failure("some-model") != nil)
    #expect(FileManager.default.createFile(atPath: path, contents: Data()))
    #expect(try ModelLocator.path(of: "some-model") == path)
    #expect(try ModelLocator.path(of: path) == path)
    setenv("PAEINVERT_MODELS", "", 1)
    #expect(!ModelLocator.directories.contains(""))
    #expect(ModelLocator.directories.last?.hasSuffix("share/paeinvert/models") == true)
  }
}
