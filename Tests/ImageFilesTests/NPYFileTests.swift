import Tensors
import Testing

@testable import ImageFiles

/// What numpy.lib.format.write_array of NumPy 2.4.6 writes: 128 bytes of header for every array here,
/// then the elements as given.
private func npy(
  _ type: String, _ shape: String, order: String = "False", version: UInt8 = 1, _ data: [UInt8]
) -> [UInt8] {
  file("{'descr': \(type), 'fortran_order': \(order), 'shape': \(shape), }", version: version, data)
}

/// A file with any dictionary.
private func file(_ dictionary: String, version: UInt8 = 1, _ data: [UInt8]) -> [UInt8] {
  let start = version == 1 ? 10 : 12
  let length = max(128 - start, dictionary.utf8.count + 1)
  let spaces = String(repeating: " ", count: length - 1 - dictionary.utf8.count)
  return [147, 78, 85, 77, 80, 89, version, 0, UInt8(length & 255), UInt8(length >> 8)]
    + (version == 1 ? [] : [0, 0]) + Array((dictionary + spaces + "\n").utf8) + data
}

/// numpy.save of numpy.array([1/3, -0.0, 1e300]), byte by byte.
private let golden: [UInt8] =
  [
    147, 78, 85, 77, 80, 89, 1, 0, 118, 0, 123, 39, 100, 101, 115, 99, 114, 39, 58, 32, 39, 60,
    102, 56, 39, 44, 32, 39, 102, 111, 114, 116, 114, 97, 110, 95, 111, 114, 100, 101, 114, 39, 58,
    32, 70, 97, 108, 115, 101, 44, 32, 39, 115, 104, 97, 112, 101, 39, 58, 32, 40, 51, 44, 41, 44,
    32, 125,
  ] + [UInt8](repeating: 32, count: 60) + [
    10, 85, 85, 85, 85, 85, 85, 213, 63, 0, 0, 0, 0, 0, 0, 0, 128, 156, 117, 0, 136, 60, 228, 55,
    126,
  ]

private func reason(_ bytes: [UInt8]) -> String? {
  guard
    case .badData(path: "a.npy", let reason)? = failure({
      _ = try NPYFile.decode(bytes, source: "a.npy")
    })
  else { return nil }
  return reason
}

@Suite("NPY files")
struct NPYFileTests {
  // Fails when: an element type is read at another's width or sign; the bytes are taken in the wrong
  // order; the version 2.0 header is taken to begin two bytes early.
  @Test("every element type, as NumPy writes it")
  func types() throws {
    func values(_ bytes: [UInt8]) throws -> ([Int], Bool, [Double]) {
      let content = try NPYFile.decode(bytes, source: "a.npy")
      return (content.shape.extents, content.isComplex, content.values)
    }
    // array([[1, -2.5], [0.1, 3e38]], '<f4')
    let float32 = npy(
      "'<f4'", "(2, 2)",
      [0, 0, 128, 63, 0, 0, 32, 192, 205, 204, 204, 61, 230, 177, 97, 127])
    let (extents, isComplex, floats) = try values(float32)
    #expect(extents == [2, 2] && !isComplex)
    #expect(floats == [1, -2.5, Double(0.1 as Float), Double(3e38 as Float)])
    #expect(try values(golden) == ([3], false, [1.0 / 3, -0.0, 1e300]))
    // array([1+2j, -0.5j], '<c8'), whose real part of -0.5j is -0
    let complex64 = npy(
      "'<c8'", "(2,)", [0, 0, 128, 63, 0, 0, 0, 64, 0, 0, 0, 128, 0, 0, 0, 191])
    #expect(try values(complex64) == ([2], true, [1, 2, 0, -0.5]))
    let complex128 = npy(
      "'<c16'", "(1, 1)", [0, 0, 0, 0, 0, 0, 240, 63, 0, 0, 0, 0, 0, 0, 0, 64])
    #expect(try values(complex128) == ([1, 1], true, [1, 2]))
    #expect(
      try values(npy("'|u1'", "(1, 2, 2)", [0, 1, 128, 255])) == (
        [1, 2, 2], false, [0, 1, 128, 255]
      ))
    #expect(try values(npy("'|b1'", "(3,)", [1, 0, 1])) == ([3], false, [1, 0, 1]))
    #expect(
      try values(npy("'<i4'", "(2,)", [0, 0, 0, 128, 7, 0, 0, 0]))
        == ([2], false, [-2_147_483_648, 7]))
    let int64 = npy(
      "'<i8'", "(2,)", [253, 255, 255, 255, 255, 255, 255, 255, 0, 0, 0, 0, 0, 0, 32, 0])
    #expect(try values(int64) == ([2], false, [-3, 9_007_199_254_740_992]))
    // version=(2, 0)
    #expect(
      try values(npy("'<f8'", "(1,)", version: 2, [0, 0, 0, 0, 0, 0, 248, 63]))
        == ([1], false, [1.5]))
    #expect(
      try values(npy("'<f8'", "()", [0, 0, 0, 0, 0, 0, 4, 64])) == ([], false, [2.5]))
    #expect(try values(npy("'<f8'", "(0, 3)", [])) == ([0, 3], false, []))
  }

  /// One array, [[1, 2, 3], [4, 5, 6]], in every spelling that NumPy has for it.
  static let spelt: [(name: String, bytes: [UInt8], largest: Double?)] = {
    let values: [UInt8] = [1, 2, 3, 4, 5, 6]
    let columns: [UInt8] = [1, 4, 2, 5, 3, 6]
    func words(_ values: [UInt8], size: Int, big: Bool, _ bits: (UInt8) -> UInt64) -> [UInt8] {
      values.flatMap { value in
        (0..<size).map {
          UInt8(truncatingIfNeeded: bits(value) >> UInt64(8 * (big ? size - 1 - $0 : $0)))
        }
      }
    }
    var all: [(String, [UInt8], Double?)] = []
    for (order, data) in [("False", values), ("True", columns)] {
      for big in [false, true] {
        let sign = big ? ">" : "<"
        for (kind, size, largest) in [
          ("i", 2, 32_767.0), ("i", 4, 2_147_483_647), ("i", 8, 9_223_372_036_854_775_808),
          ("u", 2, 65_535), ("u", 4, 4_294_967_295), ("u", 8, 18_446_744_073_709_551_616),
        ] {
          all.append(
            (
              "\(sign)\(kind)\(size) \(order)",
              npy(
                "'\(sign)\(kind)\(size)'", "(2, 3)", order: order,
                words(data, size: size, big: big) { UInt64($0) }), largest
            ))
        }
        // 1, 2, 3, 4, 5, 6 as binary16.
        let half: [UInt64] = [0x3C00, 0x4000, 0x4200, 0x4400, 0x4500, 0x4600]
        let floats: [(Int, (UInt8) -> UInt64)] = [
          (2, { half[Int($0) - 1] }), (4, { UInt64(Float($0).bitPattern) }),
          (8, { Double($0).bitPattern }),
        ]
        for (size, bits) in floats {
          all.append(
            (
              "\(sign)f\(size) \(order)",
              npy(
                "'\(sign)f\(size)'", "(2, 3)", order: order,
                words(data, size: size, big: big, bits)), nil
            ))
        }
      }
      all.append(("|u1 \(order)", npy("'|u1'", "(2, 3)", order: order, data), 255))
      all.append(("|i1 \(order)", npy("'|i1'", "(2, 3)", order: order, data), 127))
    }
    return all
  }()

  // Fails when: a byte order is not looked at; the indices of a Fortran array are not turned; the largest
  // number of a signed type is that of the unsigned one.
  @Test("either byte order, either order of the indices, every width", arguments: spelt.indices)
  func spellingsOfOneArray(_ index: Int) throws {
    let (name, bytes, largest) = Self.spelt[index]
    let content = try NPYFile.decode(bytes, source: "a.npy")
    #expect(content.shape == Shape(2, 3) && content.values == [1, 2, 3, 4, 5, 6], "\(name)")
    #expect(content.largest == largest, "\(name)")
  }

  // Fails when: the exponent's bias is 14; subnormal numbers are taken for normal ones.
  @Test("half precision: every kind of number")
  func halfPrecision() {
    let golden: [(UInt16, Double)] = [
      (0x0000, 0), (0x0001, 5.960464477539063e-08), (0x03FF, 6.097555160522461e-05),
      (0x0400, 6.103515625e-05), (0x3555, 0.333251953125), (0x7BFF, 65504), (0xC000, -2),
      (0x7C00, .infinity), (0xFC00, -.infinity),
    ]
    for (bits, value) in golden { #expect(NPYFile.halfPrecision(bits) == value, "\(bits)") }
    #expect(NPYFile.halfPrecision(0x7E00).isNaN)
    #expect(NPYFile.halfPrecision(0x8000).sign == .minus)
  }

  // Fails when: three extents of a Fortran array are turned as two.
  @Test("a Fortran array of three extents, and of complex numbers")
  func fortran() throws {
    // numpy.save of numpy.asfortranarray(numpy.arange(12, dtype='u1').reshape(2, 3, 2))
    let cube = npy("'|u1'", "(2, 3, 2)", order: "True", [0, 6, 2, 8, 4, 10, 1, 7, 3, 9, 5, 11])
    #expect(
      try NPYFile.decode(cube, source: "a.npy").values == (0..<12).map { Double($0) })
    let floats: [Float] = [1, 2, 3, 4, 5, 6, 7, 8]
    let bytes = floats.flatMap { value in
      (0..<4).map { UInt8(truncatingIfNeeded: value.bitPattern >> UInt32(24 - 8 * $0)) }
    }
    let complex = try NPYFile.decode(
      npy("'>c8'", "(2, 2)", order: "True", bytes), source: "a.npy")
    #expect(complex.isComplex && complex.values == [1, 2, 5, 6, 3, 4, 7, 8])
  }

  // Fails when: the scanner takes its entries in one order, or only one kind of quote.
  @Test("keys in any order, either quote, and spaces are Python")
  func spellings() throws {
    let dictionary = #"{ "shape":(1,2,), "fortran_order" : False,"descr":"|u1"}"#
    let content = try NPYFile.decode(file(dictionary, [4, 5]), source: "a.npy")
    #expect(content.shape == Shape(1, 2) && content.values == [4, 5])
  }

  // Fails when: the padding is not NumPy's; a vector loses its comma; the version is missing.
  @Test("what is written is what NumPy writes, and is read again")
  func writing() throws {
    #expect(NPYFile.encode(shape: Shape(3), values: [1.0 / 3, -0.0, 1e300]) == golden)
    #expect(
      NPYFile.encode(shape: Shape(1, 1, 2), values: [1.5, 2])
        == npy("'<f8'", "(1, 1, 2)", [0, 0, 0, 0, 0, 0, 248, 63, 0, 0, 0, 0, 0, 0, 0, 64]))
    let folder = TemporaryFolder()
    let path = folder.path + "/a.npy"
    for shape in [Shape(), Shape(4), Shape(2, 2), Shape(0, 5), Shape(100_000, 1, 1)] {
      let values = (0..<shape.count).map { 1 / Double($0 + 1) }
      try NPYFile.write(shape: shape, values: values, to: path, overwrite: true)
      #expect(folder.bytes("a.npy")!.count % 64 == 8 * shape.count % 64)
      let content = try NPYFile.read(path: path)
      #expect(content.shape == shape && content.values == values && !content.isComplex)
    }
    #expect(
      failure { try NPYFile.write(shape: Shape(), values: [1], to: path) } == .exists(path: path))
    #expect(failure { _ = try NPYFile.read(path: path + "x") }?.exitCode == 66)
  }

  // Fails when: a check is left out (lying sizes trap then).
  @Test("what cannot be read is named")
  func refusals() {
    let eight = [UInt8](repeating: 0, count: 8)
    #expect(
      reason([1, 2, 3]) == "it is of no known format, no .npy file; write it with numpy.save")
    for type in [">f16", "<f3", "|S4", "<U2", "<M8[s]", "O", "|u2", "<i16", "f8", "<", "<c4"] {
      #expect(
        reason(npy("'\(type)'", "(1,)", eight))?.hasPrefix("its element type is \(type);") == true)
    }
    #expect(
      reason(npy("[('a', '<f4')]", "(2,)", eight))
        == "its elements are records; write one plain array")
    #expect(
      reason(npy("'<f8'", "(1, 1, 1, 1)", eight))
        == "it has 4 dimensions; at most 3 can be read")
    #expect(
      reason(npy("'<f8'", "(2, 1)", eight))
        == "its header claims 16 bytes of float64 for the shape (2, 1) but 8 follow it")
    #expect(
      reason(npy("'<f4'", "(1,)", eight))
        == "its header claims 4 bytes of float32 for the shape (1) but 8 follow it")
    let large = "\(Int.max)"
    for shape in ["(\(large), 0)", "(0, \(large))", "(\(large), 2, 4)", "(4294967296, 4294967296)"]
    {
      #expect(reason(npy("'<f8'", shape, [])) == "its shape is too large to count", "\(shape)")
    }
    #expect(reason(npy("'<f8'", "(99999999999,)", eight))?.hasPrefix("its header claims") == true)
    #expect(
      reason(npy("'<f8'", "(1,)", version: 3, eight)) == "its .npy version is 3.0, not 1.0 or 2.0")
    var long = npy("'<f8'", "(1,)", version: 2, eight)
    (long[8], long[9], long[10], long[11]) = (255, 255, 255, 255)
    #expect(reason(long) == "its header length 4294967295 is over 65536 bytes")
    #expect(
      reason(npy("'<f8'", "(1,)", [0, 0, 0, 0, 0, 0, 248, 127]))
        == "element 0 is nan; 1 of its numbers are not finite")
    let nan: [UInt8] = eight + eight + eight + [0, 0, 0, 0, 0, 0, 240, 127]
    #expect(
      reason(npy("'<c16'", "(2,)", nan)) == "element 1 is inf; 1 of its numbers are not finite")
    let infinite = try? NPYFile.decode(
      npy("'<c16'", "(2,)", nan), source: "a.npy", requireFinite: false)
    #expect(infinite?.values == [0, 0, 0, .infinity])
  }

  // Fails when: the end of the dictionary, an entry or a number is not checked.
  @Test("dictionaries that are none are refused")
  func dictionaries() {
    let good = "{'descr': '|u1', 'fortran_order': False, 'shape': (1,), }"
    #expect(reason(file(good, [7])) == nil)
    let bad = [
      "", "{", "{}", "{'descr': '|u1'}", good + "x", good + good, "{'descr': '|u1'",
      good.replacingOccurrences("'|u1'", "u1"), good.replacingOccurrences("'|u1'", "'|u1"),
      good.replacingOccurrences("False", "0"), good.replacingOccurrences("(1,)", "(1)"),
      good.replacingOccurrences("(1,)", "[1]"), good.replacingOccurrences("(1,)", "(-1,)"),
      good.replacingOccurrences("(1,)", "(,)"), good.replacingOccurrences("(1,)", "(1, 1"),
      good.replacingOccurrences("(1,)", "(99999999999999999999,)"),
      good.replacingOccurrences("'shape'", "'descr'"), good.replacingOccurrences("'shape'", "'x'"),
      good.replacingOccurrences("|u1", "|u\u{7}1"),
    ]
    for text in bad { #expect(reason(file(text, [7]))?.contains("header") == true, "\(text)") }
    #expect(
      reason(file(good.replacingOccurrences("'shape'", "'x'"), [7]))
        == "its .npy header cannot be understood: it has the unexpected entry x")
  }

  // Fails when: the claimed bytes are not compared with those there (a trap then).
  @Test("every proper prefix is refused, and what follows; flipped bits never crash")
  func damage() {
    for length in 0..<golden.count { #expect(reason(Array(golden.prefix(length))) != nil) }
    #expect(reason(golden + [0]) != nil)
    for index in golden.indices {
      for bit in 0..<8 {
        var bytes = golden
        bytes[index] ^= 1 << bit
        do throws(ImageFileError) {
          let content = try NPYFile.decode(bytes, source: "a.npy", requireFinite: false)
          // What is accepted fills the bytes behind its header.
          #expect(content.values.count == content.shape.count * (content.isComplex ? 2 : 1))
        } catch {
          #expect(error.exitCode == 65)
        }
      }
    }
  }
}

extension String {
  /// The text with every `old` exchanged for `new`.
  fileprivate func replacingOccurrences(_ old: String, _ new: String) -> String {
    split(separator: old, omittingEmptySubsequences: false).joined(separator: new)
  }
}
