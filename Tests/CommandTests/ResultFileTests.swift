import CNetCDF
import Foundation
import FoundationXML
import ImageFiles
import Tensors
import Testing

/// `draws.nc` and `report.html` beside the other files of the same run.
///
/// Serialized, since libnetcdf is not safe on several threads at once and no other test here reads by it.
@Suite(.serialized) struct ResultFileTests {
  private let folder = TemporaryFolder()
  private static let few = ["--chains", "4", "--draws", "30", "--warmup", "30"]

  // Seen to fail: draws in the sampled coordinates, z, in place of u.
  @Test func drawsInNetCDFAreThoseOfSafetensors() throws {
    folder.put("a.png", TestPicture.png())
    folder.put("mask.png", TestPicture.mask)
    let outcome = try Program.run(
      ["inpaint", "a.png", "--mask", "mask.png", "-m", TestModel.grey] + Self.few, in: folder)
    #expect(outcome.status == 0)
    let tensors = try SafetensorsFile.read(
      path: folder.path + "/a.inpainted/posterior.safetensors")
    var file: Int32 = 0
    try #require(nc_open(folder.path + "/a.inpainted/draws.nc", NC_NOWRITE, &file) == NC_NOERR)
    defer { nc_close(file) }
    func values(_ group: String, _ name: String, count: Int) throws -> [Double] {
      var id: Int32 = 0
      var variable: Int32 = 0
      try #require(nc_inq_ncid(file, group, &id) == NC_NOERR)
      try #require(nc_inq_varid(id, name, &variable) == NC_NOERR, "\(name)")
      var values = [Double](repeating: .nan, count: count)
      try #require(nc_get_var_double(id, variable, &values) == NC_NOERR)
      return values
    }
    let u = try tensors.requireDoubles("u", Shape(4, 30, 4))
    #expect(try values("posterior", "u", count: u.count) == u)
    let sigma = try tensors.requireDoubles("sigma", Shape(4, 30))
    #expect(try values("posterior", "sigma", count: sigma.count) == sigma)
    let report = try ReportFile(in: folder, "a.inpainted")
    let acceptance = try values("sample_stats", "acceptance_rate", count: 120)
    // The report has six digits.
    let mean = acceptance.reduce(0, +) / 120
    #expect(abs(mean - (report.diagnostics.acceptance ?? 0)) < 1e-5)
    let energies = try values("sample_stats", "energy", count: 120)
    let densities = try values("sample_stats", "lp", count: 120)
    #expect(zip(energies, densities).allSatisfy { $0 + $1 >= 0 })
    #expect(try values("observed_data", "observed", count: 64).reduce(0, +) == 48)
    #expect(try values("posterior_predictive", "picture", count: 16 * 64).allSatisfy(\.isFinite))
  }

  // Seen to fail: text put in as it is.
  @Test(arguments: ["nuts", "map"])
  func thePageIsWellFormedAndSaysWhatTheReportSays(_ method: String) throws {
    let name = "a<b>&\"c'.png"
    folder.put(name, TestPicture.likely())
    let outcome = try Program.run(
      ["denoise", name, "-m", TestModel.grey, "--method", method, "--truth", name, "-o", "out"]
        + Self.few, in: folder)
    #expect(outcome.status == 0)
    let text = String(decoding: try folder.bytes("out/report.html"), as: UTF8.self)
    for word in ["<script", "http"] { #expect(!text.localizedCaseInsensitiveContains(word)) }
    let document = try XMLDocument(data: Data(text.utf8))
    func texts(_ path: String) throws -> [String] {
      try document.nodes(forXPath: path).compactMap(\.stringValue)
    }
    #expect(try texts("//h1") == ["denoise " + name])
    let report = try ReportFile(in: folder, "out")
    let findings = try texts("//div[starts-with(@class, 'finding ')]/h2")
    #expect(findings.count == 3)
    if method == "nuts" {
      #expect(findings[0] == "Diagnostics fail")
      let shown = try texts("//div[@class='finding bad'][1]/p")
      #expect(
        shown.map { $0.lowercased() } == report.diagnostics.reasons.map { $0.lowercased() + "." })
    } else {
      #expect(findings[0] == "The most probable picture was found")
    }
    let captions = try texts("//figcaption/b")
    let expected =
      method == "nuts"
      ? ["data", "mean", "standard deviation", "MAP", "truth"] : ["data", "MAP", "truth"]
    #expect(Array(captions.prefix(expected.count)) == expected)
    #expect(try texts("//svg/@aria-label").count == (method == "nuts" ? 5 : 0))
    let rows = Dictionary(
      uniqueKeysWithValues: zip(try texts("//tr/th"), try texts("//tr/td")))
    #expect(rows["model.sha256"] == report.model.sha256 && rows["image.path"] == name)
    #expect(rows["prior_misfit.verdict"] == report.prior_misfit.verdict)
    #expect(rows.keys.allSatisfy { !$0.hasPrefix("seconds") })
  }
}
