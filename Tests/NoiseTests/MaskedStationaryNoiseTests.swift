import LawCheckers
import Foundation
import Maps
import Noise
import Numerics
import Randomness
import Testing

private let key = RandomKey(seed: 47)

/// Every cell but a few; the first is observed.
private func someObserved(_ count: Int) -> [Bool] { (0..<count).map { ($0 * 7) % 5 != 2 } }

/// Few neighbours, so that the iterations have work to do; to rounding; exact log-determinant.
private var strict: ConjugateGradients {
  var settings = ConjugateGradients()
  settings.neighbours = 4
  settings.tolerance = 1e-14
  settings.probes = 64
  return settings
}

@Suite struct MaskedStationaryNoiseTests {
  // Fails when: the whitening takes B^½ for B^(−½); the normal form of G leaves out its diagonal; the
  // column offset of a pair is taken without its sign; a variance is that of another datum.
  @Test(
    arguments: [(1, 1), (1, 2), (1, 9), (13, 1), (4, 6), (5, 7), (7, 7), (8, 3), (8, 8)],
    [NoiseSolver.dense, .conjugateGradients])
  func obeysTheLaws(_ extents: (Int, Int), _ solver: NoiseSolver) throws {
    let (height, width) = extents
    let spectrum = try roughSpectrum(height, width)
    let observed = someObserved(height * width)
    let cells = observed.indices.filter { observed[$0] }
    var covariance = submatrix(stationaryCovariance(spectrum), cells)
    // One datum in three has no noise of its own.
    let variances = cells.map { $0 % 3 == 0 ? 0 : 0.1 + 0.01 * Double($0) }
    for index in cells.indices { covariance[index * cells.count + index] += variances[index] }
    let noise = try MaskedStationaryNoise(
      spectrum: spectrum, observed: observed, variances: variances, solver: solver,
      iteration: strict)
    #expect(noise.solver == solver && noise.logDeterminantError == 0)
    try checkNoiseModel(noise, covariance: covariance, key: key.child(height).child(width))
  }

  // Fails when: the independent variance is not added to the bins.
  @Test(arguments: [(1, 1), (1, 9), (7, 1), (4, 6), (5, 7)])
  func nothingMissingIsSolvedByFourier(_ height: Int, _ width: Int) throws {
    let spectrum = try roughSpectrum(height, width)
    let count = height * width
    var covariance = stationaryCovariance(spectrum)
    for index in 0..<count { covariance[index * count + index] += 0.3 }
    let noise = try MaskedStationaryNoise(
      spectrum: spectrum, observed: .init(repeating: true, count: count),
      variances: .init(repeating: 0.3, count: count))
    #expect(noise.solver == .fourier)
    try checkNoiseModel(noise, covariance: covariance, key: key)
    let dense = try MaskedStationaryNoise(
      spectrum: spectrum, observed: .init(repeating: true, count: count),
      variances: .init(repeating: 0.3, count: count), solver: .dense)
    try checkNoiseModel(dense, covariance: covariance, key: key)
    #expect(abs(noise.logDeterminant - dense.logDeterminant) < 1e-11 * Double(count))
  }

  // Fails when: cells of two channels are taken for correlated.
  @Test(arguments: [NoiseSolver.dense, .conjugateGradients])
  func channelsAreIndependent(_ solver: NoiseSolver) throws {
    let spectrum = try roughSpectrum(3, 4)
    let observed = (0..<24).map { $0 % 7 != 3 }
    let cells = observed.indices.filter { observed[$0] }
    let one = stationaryCovariance(spectrum)
    let covariance = cells.flatMap { a in
      cells.map { b in a / 12 == b / 12 ? one[a % 12 * 12 + b % 12] : 0 }
    }
    let noise = try MaskedStationaryNoise(
      spectrum: spectrum, channels: 2, observed: observed, solver: solver, iteration: strict)
    try checkNoiseModel(noise, covariance: covariance, key: key)
  }

  // 20,000 draws; 4.5 standard errors for each of some 50 elements: a false alarm in 3,000 seeds.
  // Fails when: the draw is filtered by P and not √P; the independent noise is left out of a draw.
  @Test(arguments: [NoiseSolver.dense, .conjugateGradients])
  func drawsAreExact(_ solver: NoiseSolver) throws {
    let spectrum = try roughSpectrum(2, 3)
    let observed = [true, true, false, true, true, true]
    let cells = observed.indices.filter { observed[$0] }
    var covariance = submatrix(stationaryCovariance(spectrum), cells)
    let variances = [0.5, 0, 1, 0.2, 0]
    for index in cells.indices { covariance[index * cells.count + index] += variances[index] }
    let noise = try MaskedStationaryNoise(
      spectrum: spectrum, observed: observed, variances: variances, solver: solver,
      iteration: strict)
    try checkDraws(noise, covariance: covariance, key: key.child("draws"))
  }

  /// A quarter of the cells missing and a rectangle, P ∝ 1/f² with and without a white part, with and
  /// without unequal independent variances: the conjugate gradients as they are by default.
  // Fails when: the tolerance is compared without its square; the neighbours of a grid that is no power
  // of two are not looked for across its seam (then 20 iterations and more).
  @Test(arguments: [
    (64, 64, 0.0, 0.0), (64, 64, 0.01, 0), (64, 64, 0, 0.02), (53, 61, 0, 0),
  ])
  func conjugateGradientsAgreeWithDense(
    _ height: Int, _ width: Int, _ white: Double, _ variance: Double
  ) throws {
    var stream = key.child("mask").stream()
    let observed = (0..<height * width).map { cell in
      stream.uniform() >= 0.25
        && !((16..<32).contains(cell / width) && (20..<42).contains(cell % width))
    }
    let law = try PowerSpectrum.power(exponent: 2, sigma: 1, height: height, width: width)
    let spectrum = try PowerSpectrum(
      height: height, width: width, values: law.values.map { $0 + white })
    let variances = observed.filter { $0 }.map { _ in variance * 2 * stream.uniform() }
    let dense = try MaskedStationaryNoise(
      spectrum: spectrum, observed: observed, variances: variances, solver: .dense)
    let iterative = try MaskedStationaryNoise(
      spectrum: spectrum, observed: observed, variances: variances, solver: .conjugateGradients)
    let d = dense.dimension
    // One residual is a draw of the noise, the other, far too rough, is not.
    var residuals = [Double](repeating: 0, count: 2 * d)
    var span = residuals.mutableSpan
    try iterative.makePlan(lanes: 2).draw(&stream, into: &span)
    for index in d..<2 * d { residuals[index] = stream.normal() }
    let expected = try evaluate(dense, residuals)
    var found = [Double](repeating: .nan, count: 2)
    var gradients = residuals
    var first = found.mutableSpan
    var second = gradients.mutableSpan
    let plan = try #require(try iterative.makePlan(lanes: 2) as? ConjugateGradientPlan)
    plan.evaluate(residuals.span, logDensities: &first, gradients: &second)
    #expect(plan.iterations > 3 && plan.iterations < 16, "\(plan.iterations)")
    #expect(plan.relativeResidual <= 1e-8)
    // The estimate of the log-determinant, of known error, is told apart from the quadratic form.
    let difference = iterative.logDeterminant - dense.logDeterminant
    let error = iterative.logDeterminantError
    #expect(error > 0 && error < 0.5, "\(error)")
    #expect(abs(difference) < 4 * error, "\(difference) with error \(error)")
    for lane in 0..<2 {
      let range = lane * d..<(lane + 1) * d
      let size = expected.gradients[range].map { $0 * $0 }.reduce(0, +).squareRoot()
      let off = zip(gradients[range], expected.gradients[range])
        .map { ($0 - $1) * ($0 - $1) }.reduce(0, +).squareRoot()
      #expect(off <= 1e-5 * size, "\(off / size)")
      let value = expected.values[lane]
      #expect(abs(found[lane] + 0.5 * difference - value) <= 1e-6 * abs(value))
    }
  }

  // Fails when: the bound on the iterations is not kept, or what was reached is not what is said.
  @Test func tooFewIterationsAreReported() throws {
    var settings = strict
    settings.maximumIterations = 2
    let noise = try MaskedStationaryNoise(
      spectrum: roughSpectrum(8, 8), observed: someObserved(64), solver: .conjugateGradients,
      iteration: settings)
    let plan = try #require(try noise.makePlan(lanes: 1) as? ConjugateGradientPlan)
    var stream = key.child("few").stream()
    var values = [0.0]
    var gradients = stream.normals(noise.dimension)
    let residuals = gradients
    var first = values.mutableSpan
    var second = gradients.mutableSpan
    plan.evaluate(residuals.span, logDensities: &first, gradients: &second)
    #expect(plan.iterations == 2)
    #expect(plan.relativeResidual > 1e-6 && plan.relativeResidual < 1)
    // No residual is no work.
    let zeros = [Double](repeating: 0, count: noise.dimension)
    plan.evaluate(zeros.span, logDensities: &first, gradients: &second)
    #expect(plan.iterations == 0 && plan.relativeResidual == 0)
    #expect(gradients.allSatisfy { $0 == 0 })
  }

  /// In exact arithmetic the iterations end after as many as there are data.
  // Fails when: the direction is not conjugate (p ← z).
  @Test func theIterationsEnd() throws {
    var settings = strict
    settings.neighbours = 1
    settings.tolerance = 1e-10
    let noise = try MaskedStationaryNoise(
      spectrum: roughSpectrum(1, 11), observed: .init(repeating: true, count: 11),
      solver: .conjugateGradients, iteration: settings)
    let plan = try #require(try noise.makePlan(lanes: 3) as? ConjugateGradientPlan)
    var stream = key.child("end").stream()
    var values = [0.0, 0, 0]
    var gradients = stream.normals(33)
    let residuals = gradients
    var first = values.mutableSpan
    var second = gradients.mutableSpan
    plan.evaluate(residuals.span, logDensities: &first, gradients: &second)
    #expect(plan.iterations > 5 && plan.iterations <= 12, "\(plan.iterations)")
  }

  // Fails when: the picture's rows are laid out with the picture's width in the larger grid.
  @Test(arguments: [NoiseSolver.dense, .conjugateGradients])
  func anEmbeddedPictureIsACornerOfATorus(_ solver: NoiseSolver) throws {
    func law(_ ky: Double, _ kx: Double) -> Double {
      0.02 / (ky * ky + kx * kx + 0.5 * ky * kx + 0.02)
    }
    let (height, width) = (4, 5)
    let torus = try PowerSpectrum(law, height: 8, width: 10)
    let observed = (0..<20).map { $0 != 6 && $0 != 19 }
    let cells = observed.indices.filter { observed[$0] }.map { $0 / width * 10 + $0 % width }
    let covariance = submatrix(stationaryCovariance(torus), cells)
    let noise = try MaskedStationaryNoise(
      embedding: law, height: height, width: width, observed: observed, solver: solver,
      iteration: strict)
    #expect(noise.spectrum.cells == cells)
    try checkNoiseModel(noise, covariance: covariance, key: key)
  }

  @Test func oppositeEdgesOfAnEmbeddedPictureAreNotNeighbours() throws {
    func law(_ ky: Double, _ kx: Double) -> Double { 1 / (ky * ky + kx * kx + 0.01) }
    let width = 24
    let periodic = stationaryCovariance(try PowerSpectrum(law, height: 1, width: width))
    let embedded = stationaryCovariance(
      try PowerSpectrum(law, height: 1, width: MaskedSpectrum.embeddingExtent(width)))
    #expect(periodic[width - 1] > 0.5 * periodic[0])
    #expect(abs(embedded[width - 1]) < 1e-3 * embedded[0])
    // e-folding in 1/(2π·0.1) cells: neighbours are as they were.
    #expect(abs(embedded[1] / periodic[1] - 1) < 1e-3)
  }

  @Test func extentsOfEmbeddingsAreFastAndLongEnough() {
    #expect([1, 2, 7, 13, 28, 256].map(MaskedSpectrum.embeddingExtent) == [1, 4, 15, 27, 60, 512])
  }

  // Fails when: 4,160 data are given to the dense solver.
  @Test func theSolverFollowsSizeAndStructure() throws {
    let (height, width) = (65, 64)
    let spectrum = try PowerSpectrum.power(
      exponent: 1, knee: 0.1, sigma: 1, height: height, width: width)
    var settings = ConjugateGradients()
    settings.neighbours = 6
    settings.probes = 2
    let all = [Bool](repeating: true, count: height * width)
    let unequal = all.indices.map { $0 == 0 ? 0.0 : 1 }
    let large = try MaskedStationaryNoise(
      spectrum: spectrum, observed: all, variances: unequal, iteration: settings)
    #expect(large.solver == .conjugateGradients)
    #expect(try MaskedStationaryNoise(spectrum: spectrum, observed: all).solver == .fourier)
    #expect {
      try MaskedStationaryNoise(
        spectrum: spectrum, observed: all, variances: unequal, solver: .dense)
    } throws: { "\($0)".contains("4160 data") }
    let small = try MaskedStationaryNoise(
      spectrum: roughSpectrum(3, 3), observed: all[0..<9].indices.map { $0 != 4 })
    #expect(small.solver == .dense)
  }

  @Test func theFourierSolverSaysWhyItCannot() throws {
    let spectrum = try roughSpectrum(2, 3)
    #expect {
      try MaskedStationaryNoise(
        spectrum: spectrum, observed: [true, true, false, true, true, true], solver: .fourier)
    } throws: { "\($0)".contains("1 of 6 cells of the grid are not observed") }
    #expect {
      try MaskedStationaryNoise(
        spectrum: spectrum, observed: .init(repeating: true, count: 6),
        variances: [1, 1, 1, 1, 2, 1], solver: .fourier)
    } throws: { "\($0)".contains("data 0 and 4 differ") }
  }

  // Fails when: a check is left out.
  @Test func badInputIsNamed() throws {
    let spectrum = try roughSpectrum(2, 3)
    let observed = [true, true, false, true, true, true]
    func message(_ observed: [Bool], _ variances: [Double]? = nil) -> String {
      do {
        _ = try MaskedStationaryNoise(
          spectrum: spectrum, observed: observed, variances: variances)
        return ""
      } catch { return "\(error)" }
    }
    #expect(message(.init(repeating: false, count: 6)) == "no cell is observed")
    #expect(message([true]).contains("1 flags of observed cells for 1 × 2×3 cells"))
    #expect(message(observed, [1, 2]).contains("2 independent noise variances for 5 observed"))
    for bad in [-1, Double.nan, .infinity] {
      #expect(message(observed, [1, 0, bad, bad, 1]).contains("independent noise variance 2 is"))
    }
    #expect(throws: PlanError.self) {
      try MaskedSpectrum(
        embedding: spectrum, height: 3, width: 3, observed: .init(repeating: true, count: 9))
    }
  }

  /// One cosine and next to nothing else: the third cell follows from two. At some widths rounding
  /// leaves the last variance positive, at others negative.
  // Fails when: the last pivot is not compared with rounding.
  @Test(arguments: [NoiseSolver.dense, .conjugateGradients])
  func aSingularStationaryPartIsNamed(_ solver: NoiseSolver) throws {
    for width in 5...16 {
      var values = [Double](repeating: 1e-30, count: width)
      values[1] = 4
      values[width - 1] = 4
      let spectrum = try PowerSpectrum(height: 1, width: width, values: values)
      let observed = (0..<width).map { $0 < 3 }
      #expect {
        try MaskedStationaryNoise(spectrum: spectrum, observed: observed, solver: solver)
      } throws: {
        "\($0)".contains("the stationary part is singular or indefinite at datum")
      }
      // Independent noise mends it.
      _ = try MaskedStationaryNoise(
        spectrum: spectrum, observed: observed, variances: [0.1, 0.1, 0.1], solver: solver)
    }
  }

  @Test func settingsOutOfRangeAreNamed() throws {
    let spectrum = try roughSpectrum(2, 3)
    for (change, word) in [
      ({ $0.tolerance = .nan }, "tolerance"), ({ $0.tolerance = 1 }, "tolerance"),
      ({ $0.maximumIterations = 0 }, "iterations"), ({ $0.neighbours = 0 }, "neighbours"),
      ({ $0.probes = 0 }, "probes"),
    ] as [((inout ConjugateGradients) -> Void, String)] {
      var settings = ConjugateGradients()
      change(&settings)
      #expect {
        try MaskedStationaryNoise(
          spectrum: spectrum, observed: .init(repeating: true, count: 6),
          solver: .conjugateGradients, iteration: settings)
      } throws: { "\($0)".contains(word) }
    }
  }
}
