import Glibc

/// Writes files whole or not at all: a sibling in the same directory, fsync, rename.
package enum AtomicFile {
  /// Writes `bytes` to `path`. A symbolic link is followed; a device or pipe is written in place,
  /// since there is nothing to replace. On failure nothing is left behind and an old file is intact.
  ///
  /// - Throws: `.exists` when `path` is there and `overwrite` is false, `.cannotCreate` when it
  ///   cannot be created, `.writeFailed` when the disk is full or fails.
  package static func write(
    _ bytes: [UInt8], to path: String, overwrite: Bool
  ) throws(ImageFileError) {
    guard path != "-" else {
      throw .cannotCreate(path: path, reason: "it is no file, and this is not for standard output")
    }
    var status = stat()
    var target = path
    if stat(path, &status) == 0 {
      switch status.st_mode & S_IFMT {
      case S_IFDIR: throw .cannotCreate(path: path, reason: "it is a directory")
      case S_IFREG:
        guard overwrite else { throw .exists(path: path) }
        target = resolved(path)
      default: return try writeInPlace(bytes, to: path)
      }
    } else if lstat(path, &status) == 0, !overwrite {
      throw .exists(path: path)
    } else if path.isEmpty || path.hasSuffix("/") {
      throw .cannotCreate(path: path, reason: "it names no file")
    }
    let sibling = UnfinishedOutput.sibling(of: target)
    do throws(ImageFileError) {
      try create(sibling, bytes, reportedAs: path)
      try rename(sibling, to: target, overwrite: overwrite, reportedAs: path)
    } catch {
      UnfinishedOutput.remove(sibling)
      throw error
    }
    synchronize(directoryOf: target)
  }

  /// Creates a new file at `path` and writes and fsyncs `bytes`.
  static func create(
    _ path: String, _ bytes: [UInt8], reportedAs shown: String
  ) throws(ImageFileError) {
    let descriptor = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0o666)
    guard descriptor >= 0 else { throw .output(shown, errno: errno) }
    var failure = writeAll(bytes, to: descriptor)
    if failure == 0, fsync(descriptor) != 0 { failure = errno }
    if close(descriptor) != 0, failure == 0 { failure = errno }
    guard failure == 0 else { throw failed(shown, failure) }
  }

  /// fsyncs a directory, so that a rename in it survives a power cut; best effort.
  static func synchronize(directoryOf path: String) {
    let (directory, _) = UnfinishedOutput.split(path)
    let descriptor = open(directory.isEmpty ? "." : directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
    guard descriptor >= 0 else { return }
    fsync(descriptor)
    close(descriptor)
  }

  private static func rename(
    _ sibling: String, to target: String, overwrite: Bool, reportedAs path: String
  ) throws(ImageFileError) {
    let code = UnfinishedOutput.finishing(sibling) {
      if overwrite { return Glibc.rename(sibling, target) == 0 ? 0 : errno }
      // A hard link never replaces: what appeared meanwhile stays. Some file systems have none.
      if link(sibling, target) == 0 {
        unlink(sibling)
        return 0
      }
      guard errno == EPERM || errno == ENOTSUP || errno == EMLINK else { return errno }
      if access(target, F_OK) == 0 { return EEXIST }
      return Glibc.rename(sibling, target) == 0 ? 0 : errno
    }
    guard code == 0 else { throw .output(path, errno: code) }
  }

  private static func writeInPlace(_ bytes: [UInt8], to path: String) throws(ImageFileError) {
    let descriptor = open(path, O_WRONLY | O_CLOEXEC)
    guard descriptor >= 0 else { throw .output(path, errno: errno) }
    var failure = writeAll(bytes, to: descriptor)
    if close(descriptor) != 0, failure == 0 { failure = errno }
    guard failure == 0 else { throw failed(path, failure) }
  }

  /// Writes all bytes; returns 0 or an errno.
  private static func writeAll(_ bytes: [UInt8], to descriptor: Int32) -> Int32 {
    bytes.withUnsafeBytes { buffer in
      var done = 0
      while done < buffer.count {
        let wrote = Glibc.write(descriptor, buffer.baseAddress! + done, buffer.count - done)
        if wrote > 0 {
          done += wrote
        } else if wrote == 0 {
          return EIO
        } else if errno != EINTR {
          return errno
        }
      }
      return 0
    }
  }

  private static func failed(_ path: String, _ code: Int32) -> ImageFileError {
    .writeFailed(path: path, reason: ImageFileError.reason(code))
  }

  /// The file that a path leads to when links are followed; `path` itself when that fails.
  private static func resolved(_ path: String) -> String {
    guard let real = realpath(path, nil) else { return path }
    defer { free(real) }
    return String(cString: real)
  }
}
