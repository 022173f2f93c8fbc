import LawCheckers
import Foundation
import Maps
import Randomness
import Testing

@testable import Noise
@testable import Numerics

private let key = RandomKey(seed: 61)

/// The calibration of estimates of a known spectrum: with S simulations the mean of P̂/P − 1 must lie
/// within 4 of its own errors of zero, up to a bias of second order in the error, and the quoted error
/// must be the scatter, which S simulations tell to 1/√(2S) (for a normal P̂; the lowest bins are skew,
/// hence 5 of them).
@Suite struct SpectrumEstimateTests {
  private let height = 12
  private let width = 15

  /// Red: a factor 30 from the longest waves to the shortest.
  private func truth(_ nodes: [Double]) throws -> RadialSpectrum {
    try RadialSpectrum(
      frequencies: nodes, powers: nodes.map { 0.04 / (1 + pow($0 / 0.12, 2)) })
  }

  private func noise(_ spectrum: PowerSpectrum, _ index: Int) throws -> [Double] {
    let plan = try StationaryNoise(spectrum: spectrum, channels: 1).makePlan(lanes: 1)
    var stream = key.child("noise").child(index).stream()
    let white = stream.normals(spectrum.values.count)
    var values = white
    var span = values.mutableSpan
    plan.color(white.span, into: &span)
    // A pedestal, which is not noise.
    return values.map { $0 + 0.4 }
  }

  /// The surroundings of an object in the middle.
  private var surroundings: [Bool] {
    (0..<height * width).map { !((3...8).contains($0 / width) && (4...10).contains($0 % width)) }
  }

  // Fails when: the periodogram is scaled by 2; the mean is not integrated out (the lowest bin is low
  // then).
  @Test(
    arguments: [SpectrumEstimate.Method.periodogram, .likelihood, .pseudoSpectrum], [1, 3])
  func isUnbiasedWithTheErrorsItStates(_ method: SpectrumEstimate.Method, _ pictures: Int) throws {
    let used = method == .periodogram ? nil : surroundings
    let nodes = RadialNodes.standard(height: height, width: width, usedCount: 138, count: 4)
    let truth = try truth(nodes)
    let spectrum = try truth.spectrum(height: height, width: width)
    let simulations = method == .periodogram ? 400 : 120
    var ratios = [[Double]](repeating: [], count: nodes.count)
    var stated = [Double](repeating: 0, count: nodes.count)
    for simulation in 0..<simulations {
      let estimate = try SpectrumEstimate(
        pictures: try (0..<pictures).map { try noise(spectrum, simulation * pictures + $0) },
        height: height, width: width, used: used, nodes: nodes, method: method)
      #expect(estimate.method == method)
      for bin in nodes.indices {
        ratios[bin].append(estimate.spectrum.powers[bin] / truth.powers[bin])
        stated[bin] +=
          estimate.errors[bin] / estimate.spectrum.powers[bin] / Double(simulations)
      }
    }
    for bin in nodes.indices {
      let count = Double(simulations)
      let mean = ratios[bin].reduce(0, +) / count
      let scatter = (ratios[bin].reduce(0) { $0 + ($1 - mean) * ($1 - mean) } / (count - 1))
        .squareRoot()
      let bound = 4 * scatter / count.squareRoot() + 0.25 * stated[bin] * stated[bin]
      #expect(abs(mean - 1) < bound, "bin \(bin): \(mean) ± \(scatter / count.squareRoot())")
      #expect(
        abs(scatter / stated[bin] - 1) < 5 / (2 * count).squareRoot(),
        "bin \(bin): scatter \(scatter), stated \(stated[bin])")
    }
  }

  // Fails when: the bins' own opposites count twice; the errors are not P √(2/m).
  @Test func whiteNoiseInOneBinIsTheVariance() throws {
    let values = try noise(
      try PowerSpectrum(
        height: height, width: width, values: [Double](repeating: 0.09, count: height * width)), 0)
    let count = Double(values.count)
    let mean = values.reduce(0, +) / count
    let variance = values.reduce(0) { $0 + ($1 - mean) * ($1 - mean) } / (count - 1)
    for method in [SpectrumEstimate.Method.periodogram, .likelihood] {
      let estimate = try SpectrumEstimate(
        pictures: [values], height: height, width: width, nodes: [0.2], method: method)
      #expect(abs(estimate.spectrum.powers[0] / variance - 1) < 1e-6)
      #expect(abs(estimate.modes[0] / (count - 1) - 1) < 1e-6)
    }
  }

  // Fails when: the dense likelihood keeps the mean; either leaves a bin out or counts one twice.
  @Test func allPixelsGiveTheSameByEitherLikelihood() throws {
    let nodes = RadialNodes.standard(height: 6, width: 7, usedCount: 42, count: 3)
    let values = try noise(try truth(nodes).spectrum(height: 6, width: 7), 5)
    let one = try SpectrumEstimate(pictures: [values], height: 6, width: 7, nodes: nodes)
    let two = try SpectrumEstimate(
      pictures: [values], height: 6, width: 7, nodes: nodes, method: .likelihood)
    #expect(one.method == .periodogram)
    for bin in nodes.indices {
      #expect(abs(one.spectrum.powers[bin] / two.spectrum.powers[bin] - 1) < 1e-5)
      #expect(abs(one.errors[bin] / two.errors[bin] - 1) < 1e-5)
    }
  }

  // Fails when: J is left out: bins that overlap under the mask count as independent then, and there are
  // three times too many of them. No estimate does better than the likelihood's.
  @Test func thePseudoSpectrumIsNoSurerThanTheLikelihood() throws {
    let nodes = [0.15, 0.5]
    let values = try noise(try truth(nodes).spectrum(height: height, width: width), 7)
    let used = (0..<height * width).map { $0 % width < 5 }
    func relativeErrors(_ method: SpectrumEstimate.Method) throws -> [Double] {
      let estimate = try SpectrumEstimate(
        pictures: [values], height: height, width: width, used: used, nodes: nodes, method: method)
      return zip(estimate.errors, estimate.spectrum.powers).map { $0 / $1 }
    }
    let (exact, pseudo) = (try relativeErrors(.likelihood), try relativeErrors(.pseudoSpectrum))
    for bin in nodes.indices { #expect(pseudo[bin] > 0.9 * exact[bin], "\(pseudo) \(exact)") }
  }

  // Fails when: the hats do not sum to one or are not those that RadialSpectrum reads.
  @Test func nodesAreReadBackAsTheyWereFitted() throws {
    let nodes = RadialNodes.standard(height: 9, width: 28, usedCount: 252)
    #expect(nodes.first == 1.0 / 28 && zip(nodes, nodes.dropFirst()).allSatisfy { $0 < $1 })
    let hats = RadialNodes.hats(nodes, height: 9, width: 28)
    let truth = try truth(nodes)
    let spectrum = try truth.spectrum(height: 9, width: 28)
    for cell in spectrum.values.indices {
      let value = nodes.indices.reduce(0.0) { $0 + hats[$1][cell] * log(truth.powers[$1]) }
      #expect(abs(value - log(spectrum.values[cell])) < 1e-12)
    }
  }

  // Fails when: a check is left out (a trap, or an endless search, then).
  @Test func whatHoldsNoNoiseIsRefused() throws {
    func message(_ pictures: [[Double]], used: [Bool]? = nil, nodes: [Double]? = nil) -> String {
      do {
        _ = try SpectrumEstimate(pictures: pictures, height: 4, width: 4, used: used, nodes: nodes)
      } catch { return "\(error)" }
      return ""
    }
    let flat = [Double](repeating: 0.3, count: 16)
    #expect(message([flat]).contains("constant"))
    let noise = try noise(try truth([0.1]).spectrum(height: 4, width: 4), 1)
    #expect(message([noise], used: (0..<16).map { $0 == 3 }).contains("1 pixels"))
    let many = (1...12).map { 0.05 * Double($0) }
    #expect(message([noise], nodes: many).contains("12 bins"))
    #expect(message([noise], used: (0..<16).map { $0 < 5 }, nodes: many).contains("bins"))
  }
}

@Suite struct SpectrumGridTests {
  // Fails when: the normalization by HW is lost; the zero frequency is left at zero; k and −k differ.
  @Test func theMeanOverPicturesTendsToTheSpectrum() throws {
    let law = { (ky: Double, kx: Double) in 0.01 + 0.5 * exp(-40 * abs(ky)) * exp(-3 * abs(kx)) }
    let truth = try PowerSpectrum(law, height: 8, width: 9)
    let plan = try StationaryNoise(spectrum: truth, channels: 1).makePlan(lanes: 1)
    var stream = key.child("grid").stream()
    let pictures = (0..<800).map { _ in
      let white = stream.normals(72)
      var values = white
      var span = values.mutableSpan
      plan.color(white.span, into: &span)
      return values.map { $0 - 0.2 }
    }
    let grid = try SpectrumGrid(pictures: pictures, height: 8, width: 9)
    #expect(abs(grid.relativeError - 1 / 800.0.squareRoot()) < 1e-12)
    #expect(grid.spectrum.values[0] == grid.spectrum.values[1])
    for bin in 1..<72 {
      // 2N modes or, where k = −k, N.
      let isOwn = bin == 36
      let error = (isOwn ? 2.0 : 1.0).squareRoot() * grid.relativeError
      #expect(abs(grid.spectrum.values[bin] / truth.values[bin] - 1) < 4.5 * error, "\(bin)")
    }
    #expect(throws: PlanError.self) {
      try SpectrumGrid(pictures: [[Double](repeating: 1, count: 72)], height: 8, width: 9)
    }
  }
}
