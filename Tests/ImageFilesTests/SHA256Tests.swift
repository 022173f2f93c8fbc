import Testing

@testable import ImageFiles

/// Vectors of FIPS 180-4's examples (NIST CSRC, "SHA256" and "SHA2 Additional").
@Suite("SHA-256")
struct SHA256Tests {
  @Test(
    "known digests",
    arguments: [
      ("", "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"),
      ("abc", "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"),
      (
        "abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq",
        "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1"
      ),
    ])
  func vectors(text: String, digest: String) {
    #expect(SHA256.hexDigest(of: Array(text.utf8)) == digest)
  }

  @Test(
    "zero bytes around the block length",
    arguments: [
      (55, "02779466cdec163811d078815c633f21901413081449002f24aa3e80f0b88ef7"),
      (56, "d4817aa5497628e7c77e6b606107042bbba3130888c5f47a375e6179be789fbb"),
      (64, "f5a5fd42d16a20302798ef6ed309979b43003d2320d9f0e8ea9831a92759fb4b"),
      (1_000_000, "d29751f2649b32ff572b5e0a9f541ea660a50f94ff0beedfb0b692b924cc8025"),
    ])
  func lengths(count: Int, digest: String) {
    #expect(SHA256.hexDigest(of: [UInt8](repeating: 0, count: count)) == digest)
  }

  @Test("pieces give the digest of the whole")
  func pieces() {
    let bytes = (0..<300).map { UInt8(truncatingIfNeeded: $0 * 7) }
    let whole = SHA256.hexDigest(of: bytes)
    for cut in stride(from: 0, to: 300, by: 13) {
      var hash = SHA256()
      hash.update(bytes[..<cut])
      hash.update(bytes[cut...])
      let digits = hash.finish().map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }
      #expect(digits.joined() == whole)
    }
  }

  @Test("the digest of a file is that of its bytes")
  func file() throws {
    let folder = TemporaryFolder()
    let path = folder.put("abc", Array("abc".utf8))
    #expect(try SHA256.hexDigest(ofFile: path) == SHA256.hexDigest(of: Array("abc".utf8)))
    #expect(failure { _ = try SHA256.hexDigest(ofFile: path + "d") }?.exitCode == 66)
  }
}
