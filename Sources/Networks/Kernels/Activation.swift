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
  /// `z` and `y` are rows × channels and may be the same memory only for `identity`; `bias` has
  /// `channels` elements, or is nil. With `derivative` false `z` is left as it was.
  func apply(
    rows: Int, channels: Int, bias: UnsafePointer<Float>?, z: UnsafeMutablePointer<Float>,
    y: UnsafeMutablePointer<Float>
  ) {
    switch self {
    case .identity:
      biasedPass(rows, channels, bias, z, y) { x in (x, Vector(repeating: 1)) }
    case .silu:
      biasedPass(rows, channels, bias, z, y) { x in
        let s = logistic(x)
        let value = x * s
        return (value, s + value * (1 - s))
      }
    case .relu:
      biasedPass(rows, channels, bias, z, y) { x in
        let positive = x .> 0
        return (
          Vector(repeating: 0).replacing(with: x, where: positive),
          Vector(repeating: 0).replacing(with: 1, where: positive)
        )
      }
    case .leakyRelu(let slope):
      biasedPass(rows, channels, bias, z, y) { x in
        let factor = Vector(repeating: slope).replacing(with: 1, where: x .> 0)
        return (x * factor, factor)
      }
    case .sigmoid:
      biasedPass(rows, channels, bias, z, y) { x in
        let s = logistic(x)
        return (s, s * (1 - s))
      }
    }
  }
}

/// Runs `body` over z + bias and stores its value in y and its derivative in z.
@inline(__always)
private func biasedPass(
  _ rows: Int, _ channels: Int, _ bias: UnsafePointer<Float>?, _ z: UnsafeMutablePointer<Float>,
  _ y: UnsafeMutablePointer<Float>, _ body: (Vector) -> (Vector, Vector)
) {
  if channels == 1 || bias == nil {
    let constant = Vector(repeating: bias?.pointee ?? 0)
    biasedRow(rows &* channels, z, y) { _ in
      constant
    } body: {
      body($0)
    }
    return
  }
  let bias = bias!
  for row in 0..<rows {
    biasedRow(channels, z + row &* channels, y + row &* channels) { index in
      if index &+ 16 <= channels { return load(bias + index) }
      return loadPartial(bias + index, channels &- index)
    } body: {
      body($0)
    }
  }
}

@inline(__always)
private func biasedRow(
  _ count: Int, _ z: UnsafeMutablePointer<Float>, _ y: UnsafeMutablePointer<Float>,
  bias: (Int) -> Vector, body: (Vector) -> (Vector, Vector)
) {
  var index = 0
  while index &+ 16 <= count {
    let (value, derivative) = body(load(z + index) + bias(index))
    store(derivative, z + index)
    store(value, y + index)
    index &+= 16
  }
  if index < count {
    let (value, derivative) = body(loadPartial(z + index, count &- index) + bias(index))
    storePartial(derivative, z + index, count &- index)
    storePartial(value, y + index, count &- index)
  }
}

/// The first `count` < 16 elements at p, zeros behind them.
@inlinable @inline(__always)
package func loadPartial(_ p: UnsafePointer<Float>, _ count: Int) -> Vector {
  var v = Vector(repeating: 0)
  for lane in 0..<count { v[lane] = p[lane] }
  return v
}

@inlinable @inline(__always)
package func storePartial(_ v: Vector, _ p: UnsafeMutablePointer<Float>, _ count: Int) {
  for lane in 0..<count { p[lane] = v[lane] }
}
