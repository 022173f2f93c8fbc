import Glibc

/// Reads whole files with a limit that is checked before memory is taken.
package enum InputFile {
  /// All bytes of the file at `path`, or of standard input for "-".
  ///
  /// - Parameter limit: the most bytes to accept; a larger file is bad data.
  /// - Throws: `.missing` when it cannot be opened or read, `.badData` when it is too large.
  package static func read(
    path: String, limit: Int
  ) throws(ImageFileError) -> [UInt8] {
    if path == "-" { return try read(descriptor: 0, path: path, limit: limit, expected: 0) }
    let descriptor = open(path, O_RDONLY | O_CLOEXEC)
    guard descriptor >= 0 else {
      throw .missing(path: path, reason: ImageFileError.reason(errno))
    }
    defer { close(descriptor) }
    var status = stat()
    guard fstat(descriptor, &status) == 0 else {
      throw .missing(path: path, reason: ImageFileError.reason(errno))
    }
    if status.st_mode & S_IFMT == S_IFDIR {
      throw .missing(path: path, reason: "it is a directory")
    }
    let size = status.st_mode & S_IFMT == S_IFREG ? Int(status.st_size) : 0
    if size > limit { throw tooLarge(path, limit) }
    return try read(descriptor: descriptor, path: path, limit: limit, expected: size)
  }

  /// Reads to the end, growing from `expected` bytes by doubling.
  private static func read(
    descriptor: Int32, path: String, limit: Int, expected: Int
  ) throws(ImageFileError) -> [UInt8] {
    var bytes = [UInt8](repeating: 0, count: max(expected + 1, 65_536))
    var count = 0
    while true {
      if count == bytes.count { bytes += [UInt8](repeating: 0, count: bytes.count) }
      let room = bytes.count - count
      // The array owns the memory; read fills at most the `room` bytes after `count`.
      let got = bytes.withUnsafeMutableBytes {
        Glibc.read(descriptor, $0.baseAddress! + count, room)
      }
      if got == 0 { break }
      if got < 0 {
        if errno == EINTR { continue }
        throw .missing(path: path, reason: ImageFileError.reason(errno))
      }
      count += got
      if count > limit { throw tooLarge(path, limit) }
    }
    bytes.removeLast(bytes.count - count)
    return bytes
  }

  private static func tooLarge(_ path: String, _ limit: Int) -> ImageFileError {
    .badData(path: path, reason: "it is larger than the limit of \(limit) bytes")
  }
}
