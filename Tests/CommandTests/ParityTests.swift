import Foundation
import ImageFiles
import Inversion
import Maps
import Randomness
import Tensors
import Testing

/// The documented formulas are enough to read the model file: Tests/Parity/parity.py, in NumPy alone,
/// gets the same numbers from the default model.
///
/// Seen to fail in parity.py: L and U exchanged; a square weight, kernels transposed; the constant of
/// softplus; slopes exchanged; a residual connection lost; the log-determinant's sign; the half step
/// of the clipping threshold, in the density and in what counts as clipped; the last K outputs taken for codes; the variances of residual
/// and rounding; the sign of censoring; ½ of the prior; the mask, the range chunk, PNG's filters.
@Suite struct ParityTests {
  private let folder = TemporaryFolder()

  @Test func numpyAgrees() throws {
    // Debian's package serves Debian's Python; another one may come first in the path.
    let pythons = try ["python3", "/usr/bin/python3"].filter {
      try run($0, ["-c", "import numpy"]).status == 0
    }
    let python = try #require(
      pythons.first, "NumPy cannot be imported: `make setup` installs python3-numpy")
    let model = try PAEModel.read(path: Program.defaultModel)
    try SafetensorsFile.write(reference(model, rows: 5), to: folder.path + "/reference.safetensors")
    var results: [String] = []
    // Clipped 8-bit data; the same with a hole, so little noise that rounding counts, no residual,
    // drawn in base variables; unclipped 16-bit data with pixels missing, the residual by intensity as in the
    // first, then its whole covariance; its variances.
    for (name, damage, options) in [
      ("clipped", ["--sigma", "0.3"], []),
      (
        "hole", ["--sigma", "0.005", "--rectangle", "8-16,5-20"],
        ["--space", "u", "--residual", "none"]
      ),
      ("wide", ["--sigma", "0.3", "--missing", "0.5", "--wide"], []),
      ("full", ["--sigma", "0.3", "--missing", "0.5", "--wide"], ["--residual", "full"]),
      ("diagonal", ["--sigma", "0.3"], ["--residual", "diagonal"]),
    ] as [(String, [String], [String])] {
      let truth = try TestPicture.drawn(from: model, sigma: 0, seed: 7)
      folder.put("a.png", Picture(tensor: truth).png)
      let made = try Program.run(["corrupt", "a.png", "-o", name] + damage, in: folder)
      #expect(made.status == 0)
      let mask = folder.has(name + "/mask.png") ? name + "/mask.png" : "-"
      let command = mask == "-" ? ["denoise"] : ["inpaint", "--mask", mask]
      let solved = try Program.run(
        command + [
          name + "/data.png", "-o", name + ".result", "--sigma", damage[1], "--chains", "2",
          "--draws", "8", "--warmup", "8", "-q",
        ] + options, in: folder)
      #expect(solved.status == 0 && solved.errors.isEmpty, "\(solved)")
      let censored = try ReportFile(in: folder, name + ".result").noise.censored
      #expect(censored == !damage.contains("--wide"))
      results += [name + ".result", name + "/data.png", mask]
    }
    let script = Program.checkout + "/Tests/Parity/parity.py"
    let outcome = try run(
      python, [script, Program.defaultModel, "reference.safetensors"] + results)
    #expect(outcome.status == 0, "\(outcome.output)\(outcome.errors)")
    // Eight checks for each row and one for each result.
    #expect(outcome.output.split(separator: "\n").count == 8 * 5 + 5)
    // The layers that the default model has none of, an encoder that tells variances too, a sliced flow, masked layers.
    for path in [TestModel.grey, TestModel.variational, TestModel.sliced, TestModel.masked] {
      let small = try PAEModel.read(path: path)
      let file = folder.path + "/small.safetensors"
      try SafetensorsFile.write(reference(small, rows: 9), to: file, overwrite: true)
      let second = try run(python, [script, path, "small.safetensors"])
      #expect(second.status == 0, "\(second.output)\(second.errors)")
      #expect(second.output.split(separator: "\n").count == 8 * 9)
    }
  }

  /// Another program in the place of the one that the runner knows.
  private func run(_ program: String, _ arguments: [String]) throws -> Outcome {
    try Program.run([program] + arguments, in: folder, setup: "exec \"$@\"")
  }

  /// u and z, one row each, and what the program makes of them.
  private func reference(_ model: PAEModel, rows: Int) throws -> Safetensors {
    let (latent, pixels) = (model.latentDimension, model.imageShape.count)
    var stream = RandomKey(seed: 11).child("parity").stream()
    var u = stream.normals(rows * latent).map { Float($0) }
    // The last row leaves the splines' boxes.
    for index in (rows - 1) * latent..<rows * latent { u[index] *= 3 }
    let flow = model.flow.generator
    let other = try apply(flow, stream.normals(rows * latent).map { Float($0) }, rows: rows)
    let z = other.map { $0 + Float(0.2 * stream.normal()) }
    var base = z
    var logDeterminants = [Float](repeating: 0, count: rows)
    var baseSpan = base.mutableSpan
    var logSpan = logDeterminants.mutableSpan
    try model.flow.makeNormalizingPlan(lanes: rows).apply(
      z.span, into: &baseSpan, logDeterminants: &logSpan)
    let generated = try apply(model.generator, u, rows: rows)
    func named(_ name: String, _ width: Int, _ values: [Float]) -> Safetensors.NamedTensor {
      .init(name: name, shape: Shape(rows, width), values: .float32(values))
    }
    return Safetensors(tensors: [
      named("u", latent, u), named("z", latent, z),
      named("codes", latent, try apply(flow, u, rows: rows)),
      named("generated", pixels, generated), named("base", latent, base),
      named("log_determinant", 1, logDeterminants),
      named("decoded", pixels, try apply(model.decoder, z, rows: rows)),
      named("encoded", latent, try apply(model.encoder, generated, rows: rows)),
    ])
  }

  private func apply(
    _ map: any DifferentiableMap, _ values: [Float], rows: Int
  ) throws -> [Float] {
    var result = [Float](repeating: 0, count: rows * map.codomain.count)
    var span = result.mutableSpan
    try map.makePlan(lanes: rows).apply(values.span, into: &span)
    return result
  }
}
