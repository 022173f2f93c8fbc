import Glibc

/// Why a file could not be read or written. The description is one line: what, where, what to do.
public enum ImageFileError: Error, Equatable, CustomStringConvertible {
  /// The input is not there or cannot be opened or read; the system's reason.
  case missing(path: String, reason: String)
  /// The input is there but is not what it should be; what is wrong with it.
  case badData(path: String, reason: String)
  /// The output is already there and overwriting was not asked for.
  case exists(path: String)
  /// The output cannot be created; why.
  case cannotCreate(path: String, reason: String)
  /// Another process is writing the output.
  case busy(path: String)
  /// Writing began and failed (disk full, quota, I/O error); the system's reason.
  case writeFailed(path: String, reason: String)

  /// The number of sysexits.h that a command ends with.
  public var exitCode: Int32 {
    switch self {
    case .missing: 66
    case .badData: 65
    case .exists, .cannotCreate: 73
    case .busy: 75
    case .writeFailed: 74
    }
  }

  public var description: String {
    switch self {
    case .missing(let path, let reason):
      "cannot read \(Self.shown(path)): \(reason); check the path"
    case .badData(let path, let reason):
      "cannot use \(Self.shown(path)): \(Self.line(reason))"
    case .exists(let path):
      "\(Self.shown(path)) exists; use -f to overwrite it, or choose another output"
    case .busy(let path):
      "\(Self.shown(path)) is being written by another run; wait for it, or choose another output"
    case .cannotCreate(let path, let reason):
      "cannot create \(Self.line(path)): \(reason); choose another output"
    case .writeFailed(let path, let reason):
      "writing \(Self.shown(path)) failed: \(reason); nothing was left behind; "
        + "make room or choose another disk"
    }
  }

  /// A path on one line; "-" is standard input.
  private static func shown(_ path: String) -> String {
    path == "-" ? "standard input" : line(path)
  }

  /// Text that may come from a file, on one line: control characters become "?".
  private static func line(_ text: String) -> String {
    let broken: Set<Unicode.GeneralCategory> = [.control, .lineSeparator, .paragraphSeparator]
    return String(
      text.map { character in
        character.unicodeScalars.contains { broken.contains($0.properties.generalCategory) }
          ? "?" : character
      })
  }

  /// The case for a failed system call that creates or writes `path`.
  static func output(_ path: String, errno code: Int32) -> ImageFileError {
    switch code {
    case EEXIST, ENOTEMPTY: .exists(path: path)
    case ENOSPC, EDQUOT, EIO, EFBIG, EPIPE, EBADF:
      .writeFailed(path: path, reason: reason(code))
    case ENOENT: .cannotCreate(path: path, reason: "its directory does not exist")
    case ENOTDIR: .cannotCreate(path: path, reason: "part of the path is not a directory")
    default: .cannotCreate(path: path, reason: reason(code))
    }
  }

  /// The system's words for an errno, e.g. "permission denied".
  static func reason(_ code: Int32) -> String {
    var buffer = [CChar](repeating: 0, count: 256)
    guard strerror_r(code, &buffer, buffer.count) == 0 else { return "system error \(code)" }
    let bytes = buffer.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }
    return String(decoding: bytes, as: UTF8.self).lowercased()
  }
}
