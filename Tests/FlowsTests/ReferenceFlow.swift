@testable import Flows
import Foundation
import Maps
import Numerics

/// The formulas of the kinds of layers, one code at a time in Double and as directly as they can
/// be written: the oracle for values and, through differences, for every derivative.
struct ReferenceFlow {
  let layers: [FlowLayerDescription]
  let dimension: Int
  let layout: ParameterLayout
  var parameters: [Double]

  init(_ flow: NormalizingFlow) {
    layers = flow.layers
    dimension = flow.dimension
    layout = flow.layout
    parameters = flow.parameters.map(Double.init)
  }

  func tensor(_ layer: Int, _ name: String) -> [Double] {
    guard let slot = layout.slots.first(where: { $0.name == "flow.\(layer).\(name)" }) else {
      preconditionFailure("no tensor \(name)")
    }
    return Array(parameters[slot.offset..<slot.offset + slot.shape.count])
  }

  func normalize(_ z: [Double]) -> (u: [Double], logDeterminant: Double) {
    var x = z
    var total = 0.0
    for (index, layer) in layers.enumerated() {
      switch layer.kind {
      case is Standardization:
        let scale = tensor(index, "logScale")
        for (j, m) in tensor(index, "mean").enumerated() { x[j] = (x[j] - m) * exp(scale[j]) }
        total += scale.reduce(0, +)
      case let permutation as Permutation: x = permutation.order.map { x[$0] }
      case is TriangularLinear:
        x = linear(index, x)
        total += tensor(index, "logDiagonal").reduce(0, +)
      case let coupling as AffineCoupling:
        let (moved, kept) = halves(coupling.transforms)
        let theta = conditioner(index, coupling.hidden, kept.map { x[$0] })
        for (i, j) in moved.enumerated() {
          let m = Double(coupling.maxLogScale)
          let s = m * tanh(theta[2 * i] / m)
          x[j] = x[j] * exp(s) + theta[2 * i + 1]
          total += s
        }
      case let coupling as SplineCoupling:
        let (moved, kept) = halves(coupling.transforms)
        let theta = conditioner(index, coupling.hidden, kept.map { x[$0] })
        let count = 3 * coupling.bins - 1
        for (i, j) in moved.enumerated() {
          let (y, slope) = spline(
            x[j], Array(theta[i * count..<(i + 1) * count]), coupling.bins, Double(coupling.bound))
          x[j] = y
          total += log(slope)
        }
      case let sliced as SlicedSpline:
        let rows = tensor(index, "directions")
        let tensors = ["knots", "values", "slopes"].map { tensor(index, $0) }
        let z = x
        for k in 0..<sliced.directions {
          // Rows of the tests are orthonormal to rounding, so that Gram and Schmidt change nothing.
          let a = Array(rows[k * dimension..<(k + 1) * dimension])
          let s = dot(a, z)
          let own = tensors.map { Array($0[k * (sliced.bins + 1)..<(k + 1) * (sliced.bins + 1)]) }
          let (y, slope) = tailedSpline(s, knots: own[0], values: own[1], slopes: own[2])
          for j in x.indices { x[j] += a[j] * (y - s) }
          total += log(slope)
        }
      case is Whitening:
        // Axes of the tests are orthonormal to rounding, so that Gram and Schmidt change nothing.
        let (mean, scale) = (tensor(index, "mean"), tensor(index, "logScale"))
        let axes = tensor(index, "axes")
        let z = x
        for i in x.indices {
          x[i] =
            exp(scale[i])
            * x.indices.reduce(0) {
              $0 + axes[i * dimension + $1] * (z[$1] - mean[$1])
            }
        }
        total += scale.reduce(0, +)
      case let masked as MaskedAffine:
        let theta = maskedNetwork(index, 0, blocks: masked.blocks, x)
        for i in x.indices {
          let m = Double(masked.maxLogScale)
          let s = m * tanh(theta[2 * i] / m)
          x[i] = x[i] * exp(s) + theta[2 * i + 1]
          total += s
        }
      case let masked as MaskedMixture:
        let theta = (0..<masked.networks).map {
          maskedNetwork(index, $0, blocks: masked.blocks, x)
        }
        let count = 3 * masked.components
        for i in x.indices {
          let mixture = ReferenceMixture(
            theta.map { Array($0[i * count..<(i + 1) * count]) })
          let (y, slope) = mixture.normalized(x[i])
          x[i] = y
          total += slope
        }
      default: preconditionFailure("no formula of \(layer)")
      }
    }
    return (x, total)
  }

  /// −ln p(z), nats.
  func negativeLogDensity(_ z: [Double]) -> Double {
    let (u, logDeterminant) = normalize(z)
    return u.reduce(0.5 * log(2 * Double.pi) * Double(dimension)) { $0 + 0.5 * $1 * $1 }
      - logDeterminant
  }

  private func halves(_ transforms: CouplingHalf) -> (moved: Range<Int>, kept: Range<Int>) {
    let first = 0..<dimension / 2
    let second = dimension / 2..<dimension
    return transforms == .first ? (first, second) : (second, first)
  }

  private func linear(_ index: Int, _ x: [Double]) -> [Double] {
    let lower = tensor(index, "lower")
    let upper = tensor(index, "upper")
    let diagonal = tensor(index, "logDiagonal").map(exp)
    var v = x
    for i in 0..<dimension {
      v[i] = diagonal[i] * x[i]
      for j in 0..<dimension where j > i { v[i] += upper[i * dimension + j] * x[j] }
    }
    var y = tensor(index, "bias")
    for i in 0..<dimension {
      y[i] += v[i]
      for j in 0..<i { y[i] += lower[i * dimension + j] * v[j] }
    }
    return y
  }

  /// θ of all coordinates.
  private func maskedNetwork(
    _ index: Int, _ network: Int, blocks: Int, _ x: [Double]
  ) -> [Double] {
    let prefix = "network.\(network)."
    let width = tensor(index, prefix + "input.bias").count
    let perElement = tensor(index, prefix + "output.bias").count / dimension
    func dense(_ name: String, _ x: [Double]) -> [Double] {
      var y = tensor(index, prefix + name + ".bias")
      var entries = tensor(index, prefix + name + ".weight")[...]
      for i in y.indices {
        for j in x.indices
        where maskSees(
          name, row: i, column: j, dimension: dimension, width: width, perElement: perElement)
        {
          y[i] += entries.removeFirst() * x[j]
        }
      }
      precondition(entries.isEmpty, "\(name) has entries that no mask leaves")
      return y
    }
    func silu(_ a: [Double]) -> [Double] { a.map { $0 / (1 + exp(-$0)) } }
    var h = dense("input", x)
    for block in 0..<blocks {
      let inner = silu(dense("block.\(block).inner", silu(h)))
      h = zip(h, dense("block.\(block).outer", inner)).map { $0 + $1 }
    }
    return dense("output", silu(h))
  }

  private func conditioner(_ index: Int, _ hidden: [Int], _ input: [Double]) -> [Double] {
    var h = input
    for stage in 0...hidden.count {
      let weight = tensor(index, "conditioner.\(stage).weight")
      var a = tensor(index, "conditioner.\(stage).bias")
      for i in a.indices {
        for j in h.indices { a[i] += weight[i * h.count + j] * h[j] }
      }
      if stage == hidden.count { return a }
      let residual = stage > 0 && hidden[stage] == hidden[stage - 1]
      h = a.indices.map { a[$0] / (1 + exp(-a[$0])) + (residual ? h[$0] : 0) }
    }
    return h
  }
}

/// y and y' of one rational-quadratic spline.
func spline(_ x: Double, _ theta: [Double], _ n: Int, _ bound: Double) -> (Double, Double) {
  if abs(x) > bound { return (x, 1) }
  func softmax(_ a: ArraySlice<Double>) -> [Double] {
    let total = a.reduce(0) { $0 + exp($1) }
    return a.map { 2 * bound * (1e-3 + (1 - 1e-3 * Double(n)) * exp($0) / total) }
  }
  let w = softmax(theta[0..<n])
  let h = softmax(theta[n..<2 * n])
  let inner = theta[(2 * n)...].map { 1e-3 + log(1 + exp($0 + log(exp(0.999) - 1))) }
  let slopes = [1] + inner + [1]
  var left = -bound
  var bottom = -bound
  var j = 0
  while j < n - 1 && x >= left + w[j] {
    left += w[j]
    bottom += h[j]
    j += 1
  }
  return bin((x - left) / w[j], w[j], h[j], bottom, slopes[j], slopes[j + 1])
}

/// y and y' of a spline through given points, straight on beyond its ends.
func tailedSpline(
  _ x: Double, knots: [Double], values: [Double], slopes: [Double]
) -> (Double, Double) {
  let n = knots.count - 1
  if x < knots[0] { return (values[0] + slopes[0] * (x - knots[0]), slopes[0]) }
  if x > knots[n] { return (values[n] + slopes[n] * (x - knots[n]), slopes[n]) }
  let j = min(knots.lastIndex { $0 <= x } ?? 0, n - 1)
  let (w, h) = (knots[j + 1] - knots[j], values[j + 1] - values[j])
  return bin((x - knots[j]) / w, w, h, values[j], slopes[j], slopes[j + 1])
}

/// y and y' at ξ across one bin.
private func bin(
  _ xi: Double, _ w: Double, _ h: Double, _ bottom: Double, _ slope0: Double, _ slope1: Double
) -> (Double, Double) {
  let s = h / w
  let q = xi * (1 - xi)
  let d = s + (slope0 + slope1 - 2 * s) * q
  let y = bottom + h * (s * xi * xi + slope0 * q) / d
  let n2 = slope1 * xi * xi + 2 * s * q + slope0 * (1 - xi) * (1 - xi)
  return (y, s * s * n2 / (d * d))
}
