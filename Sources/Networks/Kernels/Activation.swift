import Numerics

/// An elementwise nonlinearity that ends a stage.
enum Activation: Equatable {
  case identity
  case silu
  case relu
  case leakyRelu(Float)
  case sigmoid

  init?(_ layer: LayerDescription) {
    switch layer {
    case .silu: self = .silu
    case .relu: self = .relu
    case .leakyRelu(let slope): self = .leakyRelu(Float(slope))
    case .sigmoid: self = .sigmoid
    default: return nil
    }
  }

  /// y = a(z + b) and, in place of z, the derivative a′(z + b): one pass while the row is in cache.
  ///
  /// `z` and `y` are rows × channels, apart from one another; `bias` has `channels` elements, or is
  /// nil for none.
  func apply(
    rows: Int, channels: Int, bias: UnsafePointer<Float>?, z: UnsafeMutablePointer<Float>,
    y: UnsafeMutablePointer<Float>
  ) {
    switch self {
    case .identity: biasedPass(rows, channels, bias, z, y, IdentityFunction())
    case .silu: biasedPass(rows, channels, bias, z, y, SiLUFunction())
    case .relu: biasedPass(rows, channels, bias, z, y, LeakyReLUFunction(slope: 0))
    case .leakyRelu(let slope):
      biasedPass(rows, channels, bias, z, y, LeakyReLUFunction(slope: slope))
    case .sigmoid: biasedPass(rows, channels, bias, z, y, SigmoidFunction())
    }
  }
}

/// A function with its derivative, on sixteen numbers. A protocol rather than a closure, so that each
/// pass is compiled with its function inside.
private protocol VectorFunction {
  func evaluate(_ x: Vector) -> (value: Vector, derivative: Vector)
}

private struct IdentityFunction: VectorFunction {
  @inline(__always)
  func evaluate(_ x: Vector) -> (value: Vector, derivative: Vector) { (x, Vector(repeating: 1)) }
}

private struct SiLUFunction: VectorFunction {
  /// (x s)′ = s + x s (1 − s) with s the logistic function.
  @inline(__always)
  func evaluate(_ x: Vector) -> (value: Vector, derivative: Vector) {
    let s = logistic(x)
    let value = x * s
    return (value, multiplyAdd(value, all(1) - s, s))
  }
}

private struct LeakyReLUFunction: VectorFunction {
  let slope: Float
  @inline(__always)
  func evaluate(_ x: Vector) -> (value: Vector, derivative: Vector) {
    let factor = Vector(repeating: slope).replacing(with: 1, where: x .> 0)
    return (x * factor, factor)
  }
}

private struct SigmoidFunction: VectorFunction {
  @inline(__always)
  func evaluate(_ x: Vector) -> (value: Vector, derivative: Vector) {
    let s = logistic(x)
    return (s, s * (all(1) - s))
  }
}

@inline(__always)
private func biasedPass(
  _ rows: Int, _ channels: Int, _ bias: UnsafePointer<Float>?, _ z: UnsafeMutablePointer<Float>,
  _ y: UnsafeMutablePointer<Float>, _ function: some VectorFunction
) {
  guard let bias, channels > 1 else {
    let constant = Vector(repeating: bias?.pointee ?? 0)
    let count = rows &* channels
    var index = 0
    while index < count {
      step(z + index, y + index, count &- index, constant, function)
      index &+= 16
    }
    return
  }
  for row in 0..<rows {
    var index = 0
    while index < channels {
      let left = channels &- index
      let b = left >= 16 ? load(bias + index) : loadPartial(bias + index, left)
      step(z + (row &* channels &+ index), y + (row &* channels &+ index), left, b, function)
      index &+= 16
    }
  }
}

/// At most sixteen elements; `left` of them remain.
@inline(__always)
private func step(
  _ z: UnsafeMutablePointer<Float>, _ y: UnsafeMutablePointer<Float>, _ left: Int, _ bias: Vector,
  _ function: some VectorFunction
) {
  let whole = left >= 16
  let x = (whole ? load(z) : loadPartial(z, left)) + bias
  let (value, derivative) = function.evaluate(x)
  if whole {
    store(derivative, z)
    store(value, y)
  } else {
    storePartial(derivative, z, left)
    storePartial(value, y, left)
  }
}
