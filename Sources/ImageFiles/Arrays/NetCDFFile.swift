import CNetCDF
import Foundation
import Synchronization

/// NetCDF values ↔ netCDF-4 files.
///
/// The library makes the file in memory and the bytes are written whole or not at all (`AtomicFile`,
/// `OutputFolder`): HDF5 never meets a full disk, which it does not survive. The same content gives
/// the same bytes: netCDF turns HDF5's time stamps off, and arrays are stored as they are, in one piece.
package enum NetCDFFile {
  /// The library keeps global tables and is not safe on several threads at once.
  private static let library = Mutex(())

  /// The bytes of a file: each group with its dimensions, a coordinate variable for each of them, and
  /// its variables, in order.
  ///
  /// - Throws: `.writeFailed` with `path`, for messages, and the library's reason.
  package static func encode(
    _ content: NetCDF, path: String
  ) throws(ImageFileError) -> [UInt8] {
    // A typed throw does not leave `withLock` yet.
    let result = library.withLock { _ in
      Result { () throws(ImageFileError) in try NetCDFWriter(path: path).bytes(of: content) }
    }
    return try result.get()
  }

  /// Writes a file whole or not at all.
  package static func write(
    _ content: NetCDF, to path: String, overwrite: Bool = false
  ) throws(ImageFileError) {
    try AtomicFile.write(encode(content, path: path), to: path, overwrite: overwrite)
  }
}

/// One file under way. Ids are the library's; `path` is for messages alone.
private struct NetCDFWriter {
  let path: String

  func bytes(of content: NetCDF) throws(ImageFileError) -> [UInt8] {
    var file: Int32 = 0
    try check(nc_create_mem("draws", NC_NETCDF4, 0, &file))
    do throws(ImageFileError) {
      try put(content.attributes, file, NC_GLOBAL)
      for group in content.groups { try put(group, file) }
    } catch {
      nc_abort(file)
      throw error
    }
    var block = NC_memio()
    try check(nc_close_memio(file, &block))
    // The block is ours from here on.
    defer { free(block.memory) }
    return Array(UnsafeRawBufferPointer(start: block.memory, count: block.size))
  }

  private func put(_ group: NetCDF.Group, _ file: Int32) throws(ImageFileError) {
    var id: Int32 = 0
    try check(nc_def_grp(file, group.name, &id))
    try put(group.attributes, id, NC_GLOBAL)
    var dimensions: [String: Int32] = [:]
    for dimension in group.dimensions {
      var number: Int32 = 0
      try check(nc_def_dim(id, dimension.name, dimension.length, &number))
      dimensions[dimension.name] = number
    }
    for dimension in group.dimensions {
      let coordinates = NetCDF.Variable(
        dimension.name, [dimension], .integer((0..<Int64(dimension.length)).map { $0 }))
      try put(coordinates, id, dimensions)
    }
    for variable in group.variables { try put(variable, id, dimensions) }
  }

  private func put(
    _ variable: NetCDF.Variable, _ group: Int32, _ dimensions: [String: Int32]
  ) throws(ImageFileError) {
    let type =
      switch variable.values {
      case .double: NC_DOUBLE
      case .float: NC_FLOAT
      case .integer: NC_INT64
      case .flags: NC_BYTE
      }
    let axes = variable.dimensions.map { dimensions[$0.name]! }
    var id: Int32 = 0
    try check(nc_def_var(group, variable.name, type, Int32(axes.count), axes, &id))
    if case .flags = variable.values { try put([.init("dtype", "bool")], group, id) }
    try put(variable.attributes, group, id)
    switch variable.values {
    case .double(let values): try check(nc_put_var_double(group, id, values))
    case .float(let values): try check(nc_put_var_float(group, id, values))
    case .integer(let values): try check(nc_put_var(group, id, values))
    case .flags(let values): try check(nc_put_var_schar(group, id, values.map { $0 ? 1 : 0 }))
    }
  }

  private func put(
    _ attributes: [NetCDF.Attribute], _ group: Int32, _ variable: Int32
  ) throws(ImageFileError) {
    for attribute in attributes {
      try check(
        nc_put_att_text(
          group, variable, attribute.name, attribute.text.utf8.count, attribute.text))
    }
  }

  private func check(_ status: Int32) throws(ImageFileError) {
    guard status == NC_NOERR else {
      let reason = nc_strerror(status).map { String(cString: $0) } ?? "netCDF error \(status)"
      throw .writeFailed(path: path, reason: reason)
    }
  }
}
