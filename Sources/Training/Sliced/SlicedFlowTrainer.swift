import Flows
import Networks
import Randomness
import Tensors
import Workers

/// The sliced iterative flow (Dai and Seljak 2021, GIS): no gradient descent on weights, but one layer
/// after another that takes what the codes have become nearer to N(0, I) along the directions where they
/// are farthest from it. The codes are whitened first. Layers end when `patience` in a row have brought
/// nothing on the held-out codes; those after the best are dropped.
///
/// Departures: the spline through kernel estimates has straight tails fitted to quantiles; gradients go
/// by the orthonormalized step instead of Cayley's.
package final class SlicedFlowTrainer {
  package struct Options: Codable, Sendable, Equatable {
    /// Layers at most.
    package var layers = 150
    /// r, at most K. On codes of Fashion-MNIST, K = 40, ten layers of 8, 16 and 40 brought 8.2, 9.8 and
    /// 10.5 nats over the Gaussian, the last with half as many search codes.
    package var directions = 32
    package var bins = 16
    /// Codes that directions are searched with, drawn anew for each layer, and steps of the search.
    package var searchCodes = 4096
    package var searchSteps = 50
    package var patience = 8
    var smoothing = GaussianizingSpline.Smoothing()
    package init() {}
  }

  package let options: Options
  /// Layers made so far, and how many of them were best on the held-out codes.
  package private(set) var layerCount = 0
  package private(set) var bestLayerCount = 0
  /// Mean ln p(z) of the held-out codes with the best layers, nats.
  package private(set) var bestLogLikelihood: Double
  private let start: NormalizingFlow
  /// The parameters of each layer.
  private var layers: [[Float]] = []
  private let layer: FlowLayerDescription
  private let codes: CarriedCodes
  private let heldOut: CarriedCodes
  private let key: RandomKey
  private let pool: WorkerPool

  private var dimension: Int { start.dimension }
  package var codeCount: Int { codes.count }
  package var isDone: Bool {
    layerCount >= options.layers || layerCount - bestLayerCount >= options.patience
  }

  /// - Parameters:
  ///   - codes: training codes, n × K row-major, n > K and 20 at least.
  ///   - heldOut: codes to stop on.
  package init(
    codes: [Float], heldOut: [Float], dimension: Int, options: Options, key: RandomKey,
    pool: WorkerPool
  ) throws {
    precondition(codes.count / dimension >= 20)
    self.options = options
    self.key = key
    self.pool = pool
    start = try NormalizingFlow(
      initializing: [.affine, .luLinear], dimension: dimension, key: key
    ).standardizing(codes: codes)
    layer = .slicedSpline(
      SlicedSpline(directions: min(options.directions, dimension), bins: options.bins))
    self.codes = CarriedCodes(codes, dimension: dimension)
    self.heldOut = CarriedCodes(heldOut, dimension: dimension)
    try self.codes.carry(through: start, pool: pool)
    try self.heldOut.carry(through: start, pool: pool)
    bestLogLikelihood = self.heldOut.meanLogDensity()
  }

  /// One layer more.
  /// - Returns: mean ln p(z) of the training and of the held-out codes, nats.
  package func addLayer() throws -> (training: Double, heldOut: Double) {
    let parameters = fittedLayer()
    let flow = try NormalizingFlow(
      layers: [layer], dimension: dimension, parameters: parameters)
    try codes.carry(through: flow, pool: pool)
    try heldOut.carry(through: flow, pool: pool)
    layers.append(parameters)
    layerCount += 1
    let score = heldOut.meanLogDensity()
    if score > bestLogLikelihood { (bestLogLikelihood, bestLayerCount) = (score, layerCount) }
    return (codes.meanLogDensity(), score)
  }

  /// The whitening and the best layers.
  package func bestFlow() throws -> NormalizingFlow {
    try NormalizingFlow(
      layers: start.layers + [FlowLayerDescription](repeating: layer, count: bestLayerCount),
      dimension: dimension,
      parameters: start.parameters + layers.prefix(bestLayerCount).joined())
  }

  /// Directions, then knots, values and slopes of all of them, as the layer's tensors lie.
  private func fittedLayer() -> [Float] {
    let count = min(options.directions, dimension)
    var stream = key.child("layer").child(layerCount).stream()
    let order = stream.permutation(codes.count).prefix(options.searchCodes)
    let start = stream.normals(count * dimension)
    let distance = SlicedDistance(
      codes: codes.features(of: order), dimension: dimension, directions: count, pool: pool)
    // As the layer has them: rounded.
    let directions = distance.maximized(from: start, iterations: options.searchSteps)
      .map { Float($0) }
    let splines = fittedSplines(directions, count: count)
    let knots = splines.flatMap(\.knots) + splines.flatMap(\.values) + splines.flatMap(\.slopes)
    return directions + knots.map { Float($0) }
  }

  private func fittedSplines(_ directions: [Float], count: Int) -> [GaussianizingSpline] {
    var splines = [GaussianizingSpline?](repeating: nil, count: count)
    splines.withUnsafeMutableBufferPointer { splines in
      nonisolated(unsafe) let results = splines.baseAddress!
      pool.run(count) { [codes, options, dimension] direction in
        let row = directions[direction * dimension..<(direction + 1) * dimension]
        results[direction] = GaussianizingSpline(
          sample: codes.projected(on: row), bins: options.bins, smoothing: options.smoothing)
      }
    }
    return splines.compactMap { $0 }
  }
}

extension CarriedCodes {
  /// a·x of each code.
  func projected(on direction: ArraySlice<Float>) -> [Float] {
    let a = Array(direction)
    return values.withUnsafeBufferPointer { values in
      (0..<count).map { row in
        var sum: Float = 0
        for k in 0..<dimension { sum += a[k] * values[row * dimension + k] }
        return sum
      }
    }
  }
}
