import Foundation
import Maps
import Randomness
import Tensors
import Testing
import Training
import Workers

@Suite struct OptimizerTests {
  /// Extents that end within a vector and, with 40 000, within a segment of 2¹⁵.
  private let layout = {
    var layout = ParameterLayout()
    layout.add("0.weight", Shape(37, 19))
    layout.add("0.bias", Shape(19))
    layout.add("1.weight", Shape(5))
    layout.add("1.runningMean", Shape(5))
    layout.add("1.runningVariance", Shape(5))
    layout.add("2.weight", Shape(200, 200))
    return layout
  }()
  private let options = {
    var options = Optimizer.Options()
    options.beta1 = 0.8
    options.beta2 = 0.95
    options.epsilon = 1e-3
    options.weightDecay = 0.05
    options.clipNorm = 250
    options.averageDecay = 0.6
    return options
  }()
  private let steps = 20
  private let shards = 3

  private func optimizer(threads: Int) -> Optimizer {
    Optimizer(
      weights: FloatBuffer(normals(RandomKey(seed: 1))), layout: layout, options: options,
      pool: WorkerPool(threads: threads), decays: { $0.shape.rank > 1 })
  }

  private func normals(_ key: RandomKey, scale: Double = 1) -> [Float] {
    var stream = key.stream()
    return stream.normals(layout.count).map { Float(scale * $0) }
  }

  /// The shards' gradients of one step; their norm passes `clipNorm` in the later steps.
  private func gradients(_ step: Int) -> [[Float]] {
    (0..<shards).map {
      normals(RandomKey(seed: 2).child(step).child($0), scale: 0.2 * Double(step + 1))
    }
  }

  private func rate(_ step: Int) -> Double { 0.01 / Double(step + 1) }

  /// Seen to fail: decay on every slot; decay through the gradient (Adam with L2); m̂ without
  /// 1 − β₁ᵗ; ε inside the root; statistics in the norm; the clip on the squared norm; the
  /// statistics clipped; the average begun at zero; the elements behind the last vector left out.
  @Test("twenty steps are those of AdamW in double precision")
  func reference() {
    let optimizer = optimizer(threads: 1)
    var reference = ReferenceAdamW(
      weights: optimizer.weights.array.map(Double.init), layout: layout, options: options)
    for step in 0..<steps {
      let gradients = gradients(step)
      let norm = optimizer.step(gradients.map { FloatBuffer($0) }, rate: rate(step))
      let expected = reference.step(gradients, rate: rate(step))
      #expect(abs(norm / expected - 1) < 1e-6)
      // Each step rounds a weight of order 1 by 2⁻²⁴ a few times.
      let tolerance = Double(step + 1) * 4 * 0x1p-24
      for (name, found, expected) in [
        ("weights", optimizer.weights.array, reference.weights),
        ("average", optimizer.average.array, reference.average),
        ("first", optimizer.firstMoment.array, reference.first),
        ("second", optimizer.secondMoment.array, reference.second),
      ] {
        let worst = zip(found, expected).map { abs(Double($0) - $1) / (1 + abs($1)) }.max() ?? 1
        #expect(worst < tolerance, "\(name) after step \(step)")
      }
    }
    #expect(optimizer.steps == steps)
    #expect(optimizer.clippedSteps == reference.clippedSteps)
    #expect(optimizer.clippedSteps > 5 && optimizer.clippedSteps < 15)
  }

  @Test("the bytes do not depend on the number of threads")
  func threads() {
    let results = (1...3).map { threads in
      let optimizer = optimizer(threads: threads)
      let norms = (0..<steps).map { step in
        optimizer.step(gradients(step).map { FloatBuffer($0) }, rate: rate(step))
      }
      return (
        norms, optimizer.weights.array, optimizer.average.array, optimizer.firstMoment.array,
        optimizer.secondMoment.array
      )
    }
    for other in results.dropFirst() {
      // A failed comparison of long arrays would be drawn element by element.
      let isSame = other == results[0]
      #expect(isSame)
    }
  }

  /// Seen to fail: `steps` counted before the norm is looked at.
  @Test("a gradient that is not finite changes nothing", arguments: [Float.nan, .infinity])
  func notFinite(_ bad: Float) {
    let (optimizer, other) = (optimizer(threads: 2), optimizer(threads: 2))
    for step in 0..<5 {
      var gradients = gradients(step)
      if step == 2 {
        gradients[1][700] = bad
        let weights = optimizer.weights.array
        let norm = optimizer.step(gradients.map { FloatBuffer($0) }, rate: rate(step))
        #expect(!norm.isFinite)
        let isUnchanged = optimizer.weights.array == weights
        #expect(isUnchanged)
        #expect(optimizer.steps == 2)
        continue
      }
      for each in [optimizer, other] {
        each.step(gradients.map { FloatBuffer($0) }, rate: rate(step))
      }
    }
    let isSame =
      optimizer.weights.array == other.weights.array
      && optimizer.average.array == other.average.array
    #expect(isSame)
  }

  @Test("an optimizer restored in the middle ends at the same bytes")
  func restored() {
    let whole = optimizer(threads: 1)
    let second = optimizer(threads: 1)
    for step in 0..<10 {
      whole.step(gradients(step).map { FloatBuffer($0) }, rate: rate(step))
      if step == 4 {
        second.restore(
          weights: whole.weights.array, first: whole.firstMoment.array,
          second: whole.secondMoment.array, average: whole.average.array, steps: whole.steps)
      } else if step > 4 {
        second.step(gradients(step).map { FloatBuffer($0) }, rate: rate(step))
      }
    }
    let isSame =
      second.weights.array == whole.weights.array && second.average.array == whole.average.array
    #expect(isSame)
    #expect(second.steps == 10)
  }
}

/// The formulas of `Optimizer`'s description, one element at a time.
private struct ReferenceAdamW {
  var weights: [Double]
  let layout: ParameterLayout
  let options: Optimizer.Options
  var first: [Double]
  var second: [Double]
  var average: [Double]
  var time = 0
  var clippedSteps = 0

  init(weights: [Double], layout: ParameterLayout, options: Optimizer.Options) {
    self.weights = weights
    self.layout = layout
    self.options = options
    first = [Double](repeating: 0, count: weights.count)
    second = first
    average = weights
  }

  mutating func step(_ gradients: [[Float]], rate: Double) -> Double {
    let mean = weights.indices.map { index in
      gradients.reduce(0) { $0 + Double($1[index]) } / Double(gradients.count)
    }
    var squares = 0.0
    for slot in layout.slots where !slot.name.contains("running") {
      for index in slot.offset..<slot.offset + slot.shape.count {
        squares += mean[index] * mean[index]
      }
    }
    let norm = squares.squareRoot()
    let scale = min(1, options.clipNorm / norm)
    if scale < 1 { clippedSteps += 1 }
    time += 1
    let t = Double(time)
    let decay = min(options.averageDecay, (1 + t) / (10 + t))
    for slot in layout.slots {
      for index in slot.offset..<slot.offset + slot.shape.count {
        if slot.name.contains("running") {
          weights[index] = 0.9 * weights[index] + 0.1 * mean[index]
        } else {
          let g = scale * mean[index]
          first[index] = options.beta1 * first[index] + (1 - options.beta1) * g
          second[index] = options.beta2 * second[index] + (1 - options.beta2) * g * g
          let m = first[index] / (1 - pow(options.beta1, t))
          let v = second[index] / (1 - pow(options.beta2, t))
          let decayed = slot.shape.rank > 1 ? options.weightDecay * weights[index] : 0
          weights[index] -= rate * (m / (v.squareRoot() + options.epsilon) + decayed)
        }
        average[index] = decay * average[index] + (1 - decay) * weights[index]
      }
    }
    return norm
  }
}
