import Foundation

/// A result directory that appears whole or not at all: files are collected in a hidden sibling,
/// and `commit()` renames it into place. Dropped without a commit, everything is removed.
public final class OutputFolder {
  /// A directory that holds one of these files at its top is one of ours and may be replaced.
  public static let markers = [
    "report.json", "posterior.safetensors", "gallery.png", "truth.png", "evaluate.json",
  ]

  /// Where the directory will be, without a trailing slash.
  public let path: String
  /// Where its files are until `commit()`, for writers that need a path of their own.
  public let partialPath: String
  private let overwrite: Bool
  private var isOpen = true
  /// Held while the folder is being made.
  private var lock: FolderLock?

  /// Begins a directory at `path`; its parent must exist.
  ///
  /// - Throws: `.exists` when `path` is there and `overwrite` is false; `.cannotCreate` when it is
  ///   no directory, is a directory that is neither empty nor ours, or cannot be created; `.busy` while
  ///   another one writes it.
  public init(path: String, overwrite: Bool) throws(ImageFileError) {
    var trimmed = path
    while trimmed.count > 1, trimmed.hasSuffix("/") { trimmed.removeLast() }
    self.path = trimmed
    self.overwrite = overwrite
    let name = UnfinishedOutput.split(trimmed).name
    guard path != "-" else {
      throw .cannotCreate(path: "-", reason: "results are a folder and not for standard output")
    }
    guard !["", ".", ".."].contains(name) else {
      throw .cannotCreate(path: path, reason: "it names no new directory")
    }
    _ = try Self.mayReplace(trimmed, overwrite: overwrite)
    lock = try FolderLock(of: trimmed)
    partialPath = UnfinishedOutput.sibling(of: trimmed)
    guard mkdir(partialPath, 0o777) == 0 else {
      let code = errno
      UnfinishedOutput.remove(partialPath)
      throw .output(trimmed, errno: code)
    }
  }

  deinit { if isOpen { UnfinishedOutput.remove(partialPath) } }

  /// Adds a file; `name` is relative and may have directories ("samples/0001.png").
  ///
  /// - Precondition: not yet committed; `name` stays inside the folder and is new.
  /// - Throws: `.writeFailed` or `.cannotCreate`; the folder may then only be dropped.
  public func write(_ bytes: [UInt8], to name: String) throws(ImageFileError) {
    precondition(isOpen, "the folder is committed")
    let parts = name.split(separator: "/", omittingEmptySubsequences: false)
    precondition(parts.allSatisfy { !["", ".", ".."].contains($0) }, "bad file name \(name)")
    var directory = partialPath
    for part in parts.dropLast() {
      directory += "/" + part
      guard mkdir(directory, 0o777) == 0 || errno == EEXIST else {
        throw .output(path + "/" + name, errno: errno)
      }
    }
    try AtomicFile.create(partialPath + "/" + name, bytes, reportedAs: path + "/" + name)
  }

  /// Renames the folder into place; an old one of ours is moved aside first and removed after.
  ///
  /// - Throws: as `init`; then the old directory is as it was.
  public func commit() throws(ImageFileError) {
    precondition(isOpen, "the folder is committed")
    let replaces = try Self.mayReplace(path, overwrite: overwrite)
    AtomicFile.synchronize(directoryOf: partialPath + "/")
    var old: String?
    if replaces { old = UnfinishedOutput.sibling(of: path) }
    let code = UnfinishedOutput.finishing(partialPath) {
      if let old, rename(path, old) != 0 { return errno }
      if rename(partialPath, path) == 0 { return 0 }
      let code = errno
      if let old { rename(old, path) }
      return code
    }
    guard code == 0 else {
      if let old { UnfinishedOutput.forget(old) }
      throw .output(path, errno: code)
    }
    if let old { UnfinishedOutput.remove(old) }
    isOpen = false
    lock = nil
    AtomicFile.synchronize(directoryOf: path)
  }

  /// Whether something is at `path` that is to be replaced; throws when it must not be.
  private static func mayReplace(_ path: String, overwrite: Bool) throws(ImageFileError) -> Bool {
    var status = stat()
    guard lstat(path, &status) == 0 else { return false }
    guard overwrite else { throw .exists(path: path) }
    guard status.st_mode & S_IFMT == S_IFDIR else {
      throw .cannotCreate(path: path, reason: "something that is no directory is there")
    }
    guard let names = try? FileManager.default.contentsOfDirectory(atPath: path) else {
      throw .cannotCreate(path: path, reason: "the directory there cannot be read")
    }
    guard names.isEmpty || names.contains(where: markers.contains) else {
      throw .cannotCreate(
        path: path, reason: "the directory there holds other files and no earlier result")
    }
    return true
  }
}
