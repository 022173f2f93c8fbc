import Flows
import Foundation
import Likelihoods
import Maps
import Networks
import Tensors

// Where noise is coloured, or an operator mixes what the decoder cannot paint, a clipped datum has no tail
// probability of its own. So its value before clipping becomes a coordinate w (data augmentation):
//
//   y*_c = low − e^w  or  high + e^w,      |dy*_c/dw| = e^w
//
// and the likelihood is that of complete Gaussian data: ln p(u, w, y) = ln p(u) + ln N(y* − A g; …) + Σ w.
// Marginally over w this is the exact posterior. Chains move in (u, w) at once, which mixes at least as
// well as drawing y* and u in turn.

/// The values before clipping of one picture's clipped data, as coordinates behind those of the generator.
package struct UnclippedValues: Sendable {
  let turned: DiagonalizedMeasurement
  /// Of each clipped datum: its place among the observed ones, −1 below low, +1 above high, the end.
  private let places: [Int]
  private let signs: [Float]
  private let ends: [Float]
  /// With clipped data as zeros, turned.
  package let data: PixelData

  /// n_c.
  package var count: Int { places.count }

  /// - Parameters:
  ///   - values, kinds: one for each element of the operator's codomain.
  /// - Precondition: what is unobserved in `kinds` is so in the measurement.
  package init(
    _ turned: DiagonalizedMeasurement, values: [Float], kinds: [PixelKind],
    ends: ClosedRange<Float>
  ) {
    self.turned = turned
    let seen = turned.measurement.observedIndices
    precondition(seen.allSatisfy { kinds[$0] != .unobserved })
    places = seen.indices.filter { kinds[seen[$0]] != .measured }
    signs = places.map { kinds[seen[$0]] == .belowLow ? -1 : 1 }
    self.ends = places.map {
      kinds[seen[$0]] == .belowLow ? ends.lowerBound : ends.upperBound
    }
    var known = values
    for place in places { known[seen[place]] = 0 }
    data = turned.pixelData(known)
  }

  /// (c, w) ↦ (G(c), y*_c): pictures with the values before clipping behind them.
  package func generator(_ generator: any DifferentiableMap) -> any DifferentiableMap {
    UnclippedGenerator(generator: generator, signs: signs, ends: ends)
  }

  /// The flow with w passed on; w has no normal prior, which the posterior knows.
  package func flow(_ flow: any Bijection) -> any Bijection {
    ExtendedFlow(flow, extra: count)
  }

  /// (x, y*_c) ↦ M x − Vᵀ y*_c: what is compared with `data`.
  package func makeInstrument() -> Network {
    let (rows, pixels) = (turned.count, turned.measurement.forwardOperator.domain.count)
    var weights: [Float] = []
    weights.reserveCapacity(rows * (pixels + count))
    for row in 0..<rows {
      weights += turned.matrix[row * pixels..<(row + 1) * pixels].map { Float($0) }
      weights += places.map { -Float(turned.rotation[row * rows + $0]) }
    }
    return linearMap(from: Shape(pixels + count), to: rows, weights: weights)
  }
}

struct UnclippedGenerator: DifferentiableMap {
  let generator: any DifferentiableMap
  let signs: [Float]
  let ends: [Float]
  var domain: Shape { Shape(generator.domain.count + signs.count) }
  var codomain: Shape { Shape(generator.codomain.count + signs.count) }

  func makePlan(lanes: Int) throws(PlanError) -> any MapPlan {
    UnclippedPlan(self, lanes: lanes, plan: try generator.makePlan(lanes: lanes))
  }
}

final class UnclippedPlan: MapPlan {
  private let map: UnclippedGenerator
  private let lanes: Int
  private let plan: any MapPlan
  private let latent: FloatBuffer
  private let picture: FloatBuffer
  private let logarithms: FloatBuffer
  /// e^w at the latest `apply`.
  private let distances: FloatBuffer

  init(_ map: UnclippedGenerator, lanes: Int, plan: any MapPlan) {
    self.map = map
    self.lanes = lanes
    self.plan = plan
    latent = FloatBuffer(lanes * map.generator.domain.count)
    picture = FloatBuffer(lanes * map.generator.codomain.count)
    logarithms = FloatBuffer(lanes * map.signs.count)
    distances = FloatBuffer(lanes * map.signs.count)
  }

  func apply(_ x: Span<Float>, into y: inout MutableSpan<Float>) {
    let count = map.signs.count
    split(x, lanes: lanes, latent, logarithms)
    var span = picture.buffer.mutableSpan
    plan.apply(latent.buffer.span, into: &span)
    for lane in 0..<lanes {
      for index in 0..<count {
        let distance = exp(logarithms.pointer[lane * count + index])
        distances.pointer[lane * count + index] = distance
        logarithms.pointer[lane * count + index] =
          map.ends[index] + map.signs[index] * distance
      }
    }
    join(picture, logarithms, lanes: lanes, into: &y)
  }

  func vjp(_ dy: Span<Float>, into dx: inout MutableSpan<Float>) {
    let count = map.signs.count
    split(dy, lanes: lanes, picture, logarithms)
    var span = latent.buffer.mutableSpan
    plan.vjp(picture.buffer.span, into: &span)
    for lane in 0..<lanes {
      for index in 0..<count {
        logarithms.pointer[lane * count + index] *=
          map.signs[index] * distances.pointer[lane * count + index]
      }
    }
    join(latent, logarithms, lanes: lanes, into: &dx)
  }
}
