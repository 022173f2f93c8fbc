import CNetCDF
import Foundation
import Testing

@testable import ImageFiles

/// What is written comes back through libnetcdf's own functions.
///
/// The library is not safe on several threads at once, so the suite is serialized, and no other test of
/// the bundle uses it.
@Suite("netCDF files", .serialized)
struct NetCDFFileTests {
  private let folder = TemporaryFolder()
  private static let axes = [NetCDF.Dimension("chain", 2), NetCDF.Dimension("draw", 3)]
  private static let content = NetCDF(
    attributes: [.init("inference_library", "paeinvert"), .init("note", "σ < ½")],
    groups: [
      .init(
        "posterior", attributes: [.init("kind", "a")],
        variables: [
          .init(
            "u", axes + [.init("k", 2)], .double((0..<12).map { Double($0) + 0.1 }),
            attributes: [.init("unit", "nats")]),
          .init("sigma", axes, .float([1, 2, 3, 4, 5, 6.5])),
        ]),
      .init(
        "sample_stats",
        variables: [
          .init("n_steps", axes, .integer([1, 3, 7, 15, -1, 1 << 40])),
          .init("diverging", axes, .flags([false, true, false, false, false, true])),
        ]),
    ])

  // Seen to fail: dimensions in reverse; a group's variables put in the root; the last variable left out.
  @Test("groups, dimensions, values and attributes come back")
  func readBack() throws {
    let path = folder.path + "/f.nc"
    try NetCDFFile.write(Self.content, to: path)
    var file: Int32 = 0
    try #require(nc_open(path, NC_NOWRITE, &file) == NC_NOERR)
    defer { nc_close(file) }
    #expect(text(file, NC_GLOBAL, "inference_library") == "paeinvert")
    #expect(text(file, NC_GLOBAL, "note") == "σ < ½")
    var counts: (groups: Int32, dimensions: Int32) = (0, 0)
    nc_inq_grps(file, &counts.groups, nil)
    nc_inq_ndims(file, &counts.dimensions)
    #expect(counts == (2, 0))
    for group in Self.content.groups {
      var id: Int32 = 0
      try #require(nc_inq_ncid(file, group.name, &id) == NC_NOERR)
      for attribute in group.attributes {
        #expect(text(id, NC_GLOBAL, attribute.name) == attribute.text)
      }
      for dimension in group.dimensions {
        let numbers = (0..<dimension.length).map { Double($0) }
        #expect(try values(id, dimension.name, shape: [dimension.length]) == numbers)
      }
      for variable in group.variables {
        let expected: [Double] =
          switch variable.values {
          case .double(let values): values
          case .float(let values): values.map { Double($0) }
          case .integer(let values): values.map { Double($0) }
          case .flags(let values): values.map { $0 ? 1 : 0 }
          }
        let shape = variable.dimensions.map(\.length)
        #expect(try values(id, variable.name, shape: shape) == expected)
      }
    }
    var group: Int32 = 0
    var variable: Int32 = 0
    nc_inq_ncid(file, "sample_stats", &group)
    nc_inq_varid(group, "diverging", &variable)
    var type: nc_type = 0
    nc_inq_vartype(group, variable, &type)
    #expect(type == NC_BYTE && text(group, variable, "dtype") == "bool")
    nc_inq_ncid(file, "posterior", &group)
    nc_inq_varid(group, "u", &variable)
    #expect(text(group, variable, "unit") == "nats")
  }

  // An HDF5 object header is "OHDR", its version, 2, and flags, of which 32 says that times are stored. Seen
  // to fail: the time of day among the attributes; times stored.
  @Test("the same content gives the same bytes, and no header has room for a time")
  func deterministic() throws {
    let first = try NetCDFFile.encode(Self.content, path: "f")
    #expect(try NetCDFFile.encode(Self.content, path: "f") == first)
    let signature = Array("OHDR".utf8) + [2]
    let headers = first.indices.dropLast(signature.count).filter {
      first[$0...].starts(with: signature)
    }
    #expect(!headers.isEmpty)
    #expect(headers.allSatisfy { first[$0 + signature.count] & 32 == 0 })
  }

  // Seen to fail: a status that is not looked at.
  @Test("what the library refuses is an error with path and reason, and nothing is written")
  func refused() throws {
    let bad = NetCDF(attributes: [], groups: [.init("a/b", variables: [])])
    let path = folder.path + "/f.nc"
    let error = #expect(throws: ImageFileError.self) { try NetCDFFile.write(bad, to: path) }
    #expect(
      error == .writeFailed(path: path, reason: "NetCDF: Name contains illegal characters"))
    #expect(folder.names.isEmpty)
    // The next file is as good as ever.
    try NetCDFFile.write(Self.content, to: path)
    #expect(
      #expect(throws: ImageFileError.self) { try NetCDFFile.write(Self.content, to: path) }
        == .exists(path: path))
  }

  @Test("files are written from several threads at once")
  func threads() {
    let bytes = try? NetCDFFile.encode(Self.content, path: "f")
    DispatchQueue.concurrentPerform(iterations: 400) { _ in
      #expect((try? NetCDFFile.encode(Self.content, path: "f")) == bytes)
    }
  }

  /// A variable's values, whatever its type, when its axes are as long as `shape`.
  private func values(_ group: Int32, _ name: String, shape: [Int]) throws -> [Double] {
    var variable: Int32 = 0
    try #require(nc_inq_varid(group, name, &variable) == NC_NOERR)
    var rank: Int32 = 0
    nc_inq_varndims(group, variable, &rank)
    var axes = [Int32](repeating: 0, count: Int(rank))
    nc_inq_vardimid(group, variable, &axes)
    let lengths = axes.map { axis in
      var length = 0
      nc_inq_dimlen(group, axis, &length)
      return length
    }
    try #require(lengths == shape)
    var values = [Double](repeating: .nan, count: lengths.reduce(1, *))
    try #require(nc_get_var_double(group, variable, &values) == NC_NOERR)
    return values
  }

  private func text(_ group: Int32, _ variable: Int32, _ name: String) -> String? {
    var length = 0
    guard nc_inq_attlen(group, variable, name, &length) == NC_NOERR else { return nil }
    var bytes = [CChar](repeating: 0, count: length)
    nc_get_att_text(group, variable, name, &bytes)
    return String(decoding: bytes.map { UInt8(bitPattern: $0) }, as: UTF8.self)
  }
}
