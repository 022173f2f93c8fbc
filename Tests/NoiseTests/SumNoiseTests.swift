import LawCheckers
import Foundation
import Maps
import Noise
import Numerics
import Operators
import Randomness
import Tensors
import Testing

private let key = RandomKey(seed: 53)

/// y = A x with a matrix given, rows × columns row-major.
private struct MatrixOperator: LinearOperator {
  let matrix: [Float]
  let rows: Int
  let columns: Int
  var domain: Shape { Shape(columns) }
  var codomain: Shape { Shape(rows) }

  func makePlan(lanes: Int) throws(PlanError) -> any MapPlan { Plan(map: self, lanes: lanes) }

  private final class Plan: MapPlan {
    let map: MatrixOperator
    let lanes: Int
    init(map: MatrixOperator, lanes: Int) {
      self.map = map
      self.lanes = lanes
    }
    func apply(_ x: Span<Float>, into y: inout MutableSpan<Float>) {
      for lane in 0..<lanes {
        for row in 0..<map.rows {
          var sum: Float = 0
          for column in 0..<map.columns {
            sum += map.matrix[row * map.columns + column] * x[lane * map.columns + column]
          }
          y[lane * map.rows + row] = sum
        }
      }
    }
    func vjp(_ dy: Span<Float>, into dx: inout MutableSpan<Float>) {
      for lane in 0..<lanes {
        for column in 0..<map.columns {
          var sum: Float = 0
          for row in 0..<map.rows {
            sum += map.matrix[row * map.columns + column] * dy[lane * map.rows + row]
          }
          dx[lane * map.columns + column] = sum
        }
      }
    }
  }
}

/// A sum of every kind of part over a 4×5 picture with missing cells, and its covariance.
private struct Example {
  var parts: [NoisePart] = []
  var covariance: [Double] = []
  let dimension: Int

  /// - Parameters:
  ///   - variance: scale of the residual's independent elements; 0 leaves its two factors.
  ///   - isStationary: whether a stationary part is among them.
  init(variance: Float, isStationary: Bool = true) throws {
    var stream = key.child("example").stream()
    let observed = (0..<20).map { $0 % 6 != 4 }
    let cells = observed.indices.filter { observed[$0] }
    let d = cells.count
    dimension = d
    covariance = [Double](repeating: 0, count: d * d)
    let variances = cells.map { 0.2 + 0.05 * Double($0 % 4) }
    parts.append(.independent(variances))
    for index in 0..<d { covariance[index * d + index] += variances[index] }
    if isStationary {
      let spectrum = try PowerSpectrum.power(
        exponent: 2, knee: 0.1, sigma: 1, height: 4, width: 5)
      parts.append(.stationary(try MaskedSpectrum(spectrum, observed: observed)))
      let whole = stationaryCovariance(spectrum)
      for i in 0..<d { for j in 0..<d { covariance[i * d + j] += whole[cells[i] * 20 + cells[j]] } }
    }
    // A maps seven elements to the data; one of them the picture does not know.
    let map = MatrixOperator(
      matrix: (0..<d * 7).map { _ in Float(stream.normal()) }, rows: d, columns: 7)
    let residual = ResidualCovariance(
      variances: (0..<7).map { $0 == 3 ? 0 : variance * (1 + Float($0)) },
      factors: (0..<14).map { _ in Float(stream.normal()) })
    parts.append(.residual(residual, through: map))
    for p in 0..<7 {
      for q in 0..<7 {
        var sigma = p == q ? Double(residual.variances[p]) : 0
        for r in 0..<2 {
          sigma += Double(residual.factors[r * 7 + p]) * Double(residual.factors[r * 7 + q])
        }
        for i in 0..<d {
          for j in 0..<d {
            covariance[i * d + j] +=
              Double(map.matrix[i * 7 + p]) * sigma * Double(map.matrix[j * 7 + q])
          }
        }
      }
    }
  }
}

private func settings(probes: Int) -> ConjugateGradients {
  var settings = ConjugateGradients()
  settings.neighbours = 5
  settings.tolerance = 1e-14
  settings.probes = probes
  return settings
}

/// Largest element of a − b relative to the largest of b.
private func distance(_ a: [Double], _ b: [Double]) -> Double {
  zip(a, b).map { abs($0 - $1) }.max()! / b.map(abs).max()!
}

@Suite struct SumNoiseTests {
  /// The factors' images and the operator are in single precision: 1e-6 of the largest element.
  // Fails when: √s is s in the dense columns; a factor or the last block of columns is left out; s is
  // not applied in the product; the vjp is left out of it.
  @Test(
    arguments: [Float(0), 0.1], [NoiseSolver.dense, .conjugateGradients])
  func agreesWithADenseGaussian(_ variance: Float, _ solver: NoiseSolver) throws {
    let example = try Example(variance: variance)
    let noise = try SumNoise(example.parts, solver: solver, iteration: settings(probes: 64))
    #expect(noise.solver == solver && noise.logDeterminantError == 0)
    var stream = key.child("residual").stream()
    let residuals = stream.normals(3 * example.dimension)
    let found = try evaluate(noise, residuals)
    for lane in 0..<3 {
      let range = lane * example.dimension..<(lane + 1) * example.dimension
      let expected = denseGaussian(Array(residuals[range]), covariance: example.covariance)
      #expect(abs(found.values[lane] - expected.value) <= 3e-6 * abs(expected.value))
      #expect(distance(found.gradients[range].map { -$0 }, expected.pull) < 1e-5)
    }
  }

  /// With integer factors and a matrix of small integers the images are exact, and so are the laws.
  // Fails when: the power of (I + VVᵀ) in S is not −½; the solve of S does not undo it; λ/(1 + λ) is
  // left out of the trace.
  @Test(arguments: [NoiseSolver.dense, .conjugateGradients], [true, false])
  func obeysTheLaws(_ solver: NoiseSolver, _ isStationary: Bool) throws {
    let d = 12
    var covariance = [Double](repeating: 0, count: d * d)
    let variances = (0..<d).map { 0.5 + 0.1 * Double($0) }
    for index in 0..<d { covariance[index * d + index] += variances[index] }
    var parts: [NoisePart] = [.independent(variances)]
    if isStationary {
      let spectrum = try PowerSpectrum.power(
        exponent: 2, knee: 0.2, sigma: 1, height: 3, width: 4)
      parts.append(
        .stationary(try MaskedSpectrum(spectrum, observed: .init(repeating: true, count: d))))
      for (index, value) in stationaryCovariance(spectrum).enumerated() {
        covariance[index] += value
      }
    }
    let map = MatrixOperator(
      matrix: (0..<d * 3).map { Float($0 * 5 % 7 - 3) }, rows: d, columns: 3)
    let factors: [Float] = [1, 0, -1, 2, 1, 0]
    parts.append(
      .residual(ResidualCovariance(variances: [0, 0, 0], factors: factors), through: map))
    for r in 0..<2 {
      let image = (0..<d).map { i in
        (0..<3).reduce(0.0) { $0 + Double(map.matrix[i * 3 + $1]) * Double(factors[r * 3 + $1]) }
      }
      for i in 0..<d { for j in 0..<d { covariance[i * d + j] += image[i] * image[j] } }
    }
    var iteration = settings(probes: 64)
    iteration.neighbours = 3
    let noise = try SumNoise(parts, solver: solver, iteration: iteration)
    try checkNoiseModel(noise, covariance: covariance, key: key)
  }

  /// Data that are elements of the picture: the residual's variances are exact, whatever the solver.
  // Fails when: the variance of datum i is that of element i under a mask.
  @Test(arguments: [NoiseSolver.dense, .conjugateGradients])
  func aResidualUnderAMaskIsExact(_ solver: NoiseSolver) throws {
    let observed = (0..<12).map { $0 % 5 != 1 }
    let cells = observed.indices.filter { observed[$0] }
    let spectrum = try PowerSpectrum.power(exponent: 2, sigma: 1, height: 3, width: 4)
    let variances = (0..<12).map { 0.125 * Float($0) }
    let factor = (0..<12).map { Float($0 % 4) - 1 }
    let whole = stationaryCovariance(spectrum)
    let covariance = cells.flatMap { a in
      cells.map { b in
        whole[a * 12 + b] + (a == b ? Double(variances[a]) : 0) + Double(factor[a] * factor[b])
      }
    }
    let noise = try SumNoise(
      [
        .stationary(try MaskedSpectrum(spectrum, observed: observed)),
        .residual(
          ResidualCovariance(variances: variances, factors: factor),
          through: MaskOperator(shape: Shape(1, 3, 4), observed: observed)),
      ], solver: solver, iteration: settings(probes: 64))
    try checkNoiseModel(noise, covariance: covariance, key: key)
    let equal = try SumNoise([
      .stationary(try MaskedSpectrum(spectrum, observed: .init(repeating: true, count: 12))),
      .residual(
        ResidualCovariance(variances: .init(repeating: 0.25, count: 12)),
        through: IdentityOperator(shape: Shape(1, 3, 4))),
    ])
    #expect(equal.solver == .fourier)
  }

  // Fails when: a part is left out of the draw, or s is not square-rooted there.
  @Test(arguments: [NoiseSolver.dense, .conjugateGradients])
  func drawsAreExact(_ solver: NoiseSolver) throws {
    let example = try Example(variance: 0.3)
    let noise = try SumNoise(example.parts, solver: solver, iteration: settings(probes: 64))
    try checkDraws(noise, covariance: example.covariance, key: key.child("draws"))
  }

  /// Eight probes of 17 data: within 4.5 of their own standard error (seven degrees of freedom have
  /// wide tails, hence the fixed seed), which is not zero.
  // Fails when: the log-determinant of the factor or of 1 + λ is left out, or changes its sign.
  @Test(arguments: [Float(0), 0.1])
  func theLogDeterminantIsWithinItsError(_ variance: Float) throws {
    let example = try Example(variance: variance)
    let exact = try SumNoise(example.parts, solver: .dense).logDeterminant
    let noise = try SumNoise(
      example.parts, solver: .conjugateGradients, iteration: settings(probes: 8))
    #expect(
      noise.logDeterminantError > 0 && noise.logDeterminantError < (variance > 0 ? 4 : 0.5),
      "\(noise.logDeterminantError)")
    #expect(abs(noise.logDeterminant - exact) < 4.5 * noise.logDeterminantError)
  }

  /// Two stationary parts on the whole grid and equal variances are one stationary noise.
  // Fails when: the second spectrum is left out, or the grids are not compared.
  @Test func stationaryPartsAddUpInFourierSpace() throws {
    let all = [Bool](repeating: true, count: 20)
    let red = try PowerSpectrum.power(exponent: 2, sigma: 1, height: 4, width: 5)
    let blue = try PowerSpectrum.power(exponent: -1, knee: 0.1, sigma: 0.4, height: 4, width: 5)
    let parts: [NoisePart] = [
      .stationary(try MaskedSpectrum(red, observed: all)),
      .stationary(try MaskedSpectrum(blue, observed: all)),
      .independent([Double](repeating: 0.1, count: 20)),
    ]
    var covariance = zip(stationaryCovariance(red), stationaryCovariance(blue)).map { $0 + $1 }
    for index in 0..<20 { covariance[index * 21] += 0.1 }
    for solver in [NoiseSolver.automatic, .dense, .conjugateGradients] {
      let noise = try SumNoise(parts, solver: solver, iteration: settings(probes: 64))
      #expect(noise.solver == (solver == .automatic ? .fourier : solver))
      try checkNoiseModel(noise, covariance: covariance, key: key)
    }
    let wide = try PowerSpectrum.power(exponent: 2, sigma: 1, height: 2, width: 10)
    #expect {
      try SumNoise(
        [parts[0], .stationary(try MaskedSpectrum(wide, observed: all))], solver: .fourier)
    } throws: { "\($0)".contains("the grids of the stationary parts differ") }
  }

  // Fails when: a check is left out.
  @Test func badInputIsNamed() throws {
    let residual = NoisePart.residual(
      ResidualCovariance(variances: [1, 1]),
      through: MatrixOperator(matrix: [1, 0, 0, 1, 0, 0], rows: 3, columns: 2))
    let misfit = NoisePart.residual(
      ResidualCovariance(variances: [1]),
      through: MatrixOperator(matrix: [1, 0, 0, 1, 0, 0], rows: 3, columns: 2))
    for (parts, solver, words) in [
      ([], .automatic, "a sum of no noises"),
      ([.independent([])], .automatic, "the independent part of the noise has no data"),
      ([.independent([1, 1, 1]), .independent([1])], .automatic, "part 1, has 1 data"),
      ([.independent([1, 1, 1]), misfit], .automatic, "has 1 elements"),
      ([residual, .independent([1, -1, 1])], .automatic, "variance 1 is -1.0"),
      ([residual, .independent([1, 1, .nan])], .automatic, "variance 2 is nan"),
      (
        [residual], .dense,
        "covariance of the decoder residual is singular or indefinite at datum 2"
      ),
      (
        [residual, .independent([0, 0, 0])], .conjugateGradients,
        "the decoder residual is singular or indefinite at datum 2"
      ),
      ([residual, .independent([1, 1, 1])], .fourier, "a decoder residual is not stationary"),
      ([.independent([1, 1, 1])], .fourier, "no part is stationary"),
    ] as [([NoisePart], NoiseSolver, String)] {
      #expect {
        try SumNoise(parts, solver: solver)
      } throws: { "\($0)".contains(words) }
    }
  }
}
