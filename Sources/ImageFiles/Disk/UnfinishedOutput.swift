import Foundation
import Synchronization

/// The temporary files and directories that this process has begun and not finished.
///
/// A command calls `removeAll()` when it is interrupted, from an ordinary thread (a dispatch signal
/// source or sigwait, since a lock and the file system are not safe inside a signal handler), and
/// then ends the process.
public enum UnfinishedOutput {
  private struct State {
    var paths: Set<String> = []
    var made = 0
  }
  private static let state = Mutex(State())

  /// Removes everything unfinished and forgets it.
  public static func removeAll() {
    state.withLock { state in
      for path in state.paths { try? FileManager.default.removeItem(atPath: path) }
      state.paths.removeAll()
    }
  }

  /// A new name beside `path`, hidden and unique to this process; registered as unfinished.
  static func sibling(of path: String) -> String {
    state.withLock { state in
      state.made += 1
      let (directory, name) = split(path)
      let short = String(decoding: name.utf8.prefix(180), as: UTF8.self)
      let sibling = directory + ".\(short).\(getpid())-\(state.made).partial"
      state.paths.insert(sibling)
      return sibling
    }
  }

  /// Runs `make`, which creates what is at `path`, so that `removeAll` comes before or after it; counts the path
  /// as unfinished when it returns true.
  static func making(_ path: String, _ make: () -> Bool) {
    state.withLock { state in
      if make() { state.paths.insert(path) }
    }
  }

  /// Runs `finish`, which renames `path` into place, so that `removeAll` comes before or after it;
  /// forgets `path` when it returns 0, else returns its errno.
  static func finishing(_ path: String, _ finish: () -> Int32) -> Int32 {
    state.withLock { state in
      let status = finish()
      if status == 0 { state.paths.remove(path) }
      return status
    }
  }

  /// Removes one unfinished file or directory and forgets it.
  static func remove(_ path: String) {
    state.withLock { state in
      try? FileManager.default.removeItem(atPath: path)
      state.paths.remove(path)
    }
  }

  /// Forgets a path without touching what is there.
  static func forget(_ path: String) { _ = state.withLock { $0.paths.remove(path) } }

  /// The directory part of a path with its slash ("" for none), and the last component.
  static func split(_ path: String) -> (directory: String, name: String) {
    guard let slash = path.lastIndex(of: "/") else { return ("", path) }
    return (String(path[...slash]), String(path[path.index(after: slash)...]))
  }
}
