import Glibc

/// Lets one process at a time write a result folder: a lock on a hidden sibling, which the system takes
/// back when the process ends, however it ends. Dropped, the sibling is removed.
final class FolderLock {
  private let path: String
  private let descriptor: Int32

  /// - Throws: `.busy` while another has it; `.cannotCreate` where the sibling cannot be made.
  init(of folder: String) throws(ImageFileError) {
    let (directory, name) = UnfinishedOutput.split(folder)
    path = directory + ".\(String(decoding: name.utf8.prefix(180), as: UTF8.self)).lock"
    while true {
      let opened = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0o666)
      guard opened >= 0 else { throw .output(folder, errno: errno) }
      // File systems without locks have none to offer: then two at once are not noticed.
      if flock(opened, LOCK_EX | LOCK_NB) != 0, errno == EWOULDBLOCK {
        close(opened)
        throw .busy(path: folder)
      }
      // Whoever had it before may have removed the file between the two calls.
      var (mine, there) = (stat(), stat())
      if fstat(opened, &mine) == 0, stat(path, &there) == 0, mine.st_ino == there.st_ino {
        descriptor = opened
        UnfinishedOutput.register(path)
        return
      }
      close(opened)
    }
  }

  deinit {
    UnfinishedOutput.remove(path)
    close(descriptor)
  }
}
