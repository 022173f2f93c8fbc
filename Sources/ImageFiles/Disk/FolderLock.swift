import Glibc

/// Lets one process at a time write a result folder: a lock on a hidden sibling, which the system takes
/// back when the process ends, however it ends. Dropped, the sibling is removed.
final class FolderLock {
  private let path: String
  private let descriptor: Int32

  /// - Throws: `.busy` while another has it; `.cannotCreate` where the sibling cannot be made.
  init(of folder: String) throws(ImageFileError) {
    let (directory, name) = UnfinishedOutput.split(folder)
    let path = directory + ".\(String(decoding: name.utf8.prefix(180), as: UTF8.self)).lock"
    self.path = path
    while true {
      var attempt = Attempt.lost
      UnfinishedOutput.making(path) {
        attempt = Self.attempt(path)
        if case .locked = attempt { return true }
        return false
      }
      switch attempt {
      case .locked(let opened):
        descriptor = opened
        return
      case .failed(let code): throw .output(folder, errno: code)
      case .busy: throw .busy(path: folder)
      case .lost: continue
      }
    }
  }

  private enum Attempt {
    case locked(Int32)
    case failed(errno: Int32)
    case busy
    /// Whoever had it before removed the file between the two calls.
    case lost
  }

  private static func attempt(_ path: String) -> Attempt {
    let opened = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0o666)
    guard opened >= 0 else { return .failed(errno: errno) }
    // File systems without locks have none to offer: then two at once are not noticed.
    if flock(opened, LOCK_EX | LOCK_NB) != 0, errno == EWOULDBLOCK {
      close(opened)
      return .busy
    }
    var (mine, there) = (stat(), stat())
    if fstat(opened, &mine) == 0, stat(path, &there) == 0, mine.st_ino == there.st_ino {
      return .locked(opened)
    }
    close(opened)
    return .lost
  }

  deinit {
    UnfinishedOutput.remove(path)
    close(descriptor)
  }
}
