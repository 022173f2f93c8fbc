import Flows
import Foundation
import Numerics
import Randomness
import Testing

@Suite struct FittedGaussianTests {
  /// Four points with mean (1, −2) and S = [[4, 1], [1, 1]]: m ± √2·(columns of C), C = [[2, 0],
  /// [½, √¾]]. At z = m + (2, ½ + √¾): w = (1, 1), ln p = −ln 2π − ½ ln 3 − 1.
  /// Seen to fail: division by n − 1; the determinant's ½ lost; C transposed.
  @Test("mean, factor and density have their closed forms")
  func closedForm() throws {
    let r = 2.0.squareRoot()
    let d = 0.75.squareRoot()
    let codes = [
      1 + 2 * r, -2 + 0.5 * r, 1 - 2 * r, -2 - 0.5 * r, 1, -2 + d * r, 1, -2 - d * r,
    ].map { Float($0) }
    let fit = try FittedGaussian(codes: codes, dimension: 2)
    #expect(distance(fit.mean, [1, -2]) < 1e-6)
    #expect(distance(fit.factor, [2, 0, 0.5, d]) < 1e-6)
    let found = fit.logDensity(of: [3, Float(-1.5 + d), 1, -2])
    let constant = -log(2 * Double.pi) - 0.5 * log(3)
    #expect(distance(found, [constant - 1, constant]) < 1e-5)
  }

  @Test("codes that fix no Gaussian are refused")
  func refusals() {
    for codes: [Float] in [[], [1, 2, 3], [1, .nan], [1, 2, 1, 2]] {
      #expect(throws: FlowError.self) { try FittedGaussian(codes: codes, dimension: 2) }
    }
  }

  /// Whitened codes have mean 0 and unit covariance. Seen to fail: L_ij divided by W_ii.
  // Fails when: the axes are the columns of the eigenvectors' transpose; the scales are the variances.
  @Test(
    "standardizing whitens the codes it was given",
    arguments: [[FlowLayerDescription.affine, .luLinear], [.whitening]])
  func standardizingWhitens(_ layers: [FlowLayerDescription]) throws {
    var stream = RandomKey(seed: 14).stream()
    let codes = (0..<2000).flatMap { _ in
      let (a, b, c) = (stream.normal(), stream.normal(), stream.normal())
      return [Float(3 * a + 5), Float(a - 0.1 * b - 2), Float(0.01 * (b + c - a))]
    }
    let flow = try NormalizingFlow(
      initializing: layers, dimension: 3, key: RandomKey(seed: 1)
    ).standardizing(codes: codes)
    let plan = try flow.makeNormalizingPlan(lanes: 2000)
    var u = codes
    var logs = [Float](repeating: 0, count: 2000)
    var target = u.mutableSpan
    var logTarget = logs.mutableSpan
    plan.apply(codes.span, into: &target, logDeterminants: &logTarget)
    for i in 0..<3 {
      #expect(abs((0..<2000).reduce(0) { $0 + Double(u[3 * $1 + i]) } / 2000) < 1e-4)
      for j in 0...i {
        let second = (0..<2000).reduce(0) { $0 + Double(u[3 * $1 + i] * u[3 * $1 + j]) } / 2000
        #expect(abs(second - (i == j ? 1 : 0)) < 1e-4)
      }
    }
    let fit = try FittedGaussian(codes: codes, dimension: 3).logDensity(of: codes)
    #expect(distance(try flow.logDensity(of: codes), fit) < 1e-3)
  }

  @Test("standardizing refuses a flow without an affine layer and codes that never vary")
  func standardizingRefusals() throws {
    let bare = try NormalizingFlow(initializing: [.luLinear], dimension: 2, key: .init(seed: 1))
    #expect(throws: FlowError.self) { try bare.standardizing(codes: [1, 2, 3, 5]) }
    let whitening = try NormalizingFlow(
      initializing: [.whitening], dimension: 2, key: .init(seed: 1))
    #expect(throws: FlowError.codes("they do not vary in every direction")) {
      try whitening.standardizing(codes: [1, 2, 3, 5])
    }
    let flow = try NormalizingFlow(initializing: [.affine], dimension: 2, key: .init(seed: 1))
    #expect(throws: FlowError.codes("coordinate 1 never varies")) {
      try flow.standardizing(codes: [1, 2, 3, 2])
    }
  }
}
