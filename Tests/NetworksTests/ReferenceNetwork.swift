import Foundation
import Networks
import Numerics
import Tensors

/// A network by the formulas of `LayerDescription`, in plain loops and double precision, channels
/// first throughout.
struct ReferenceNetwork {
  let shapes: [Shape]
  let layers: [LayerDescription]
  var parameters: [Double]
  var usesBatchStatistics = false

  init(_ network: Network) throws {
    shapes = try Network.shapes(domain: network.domain, layers: network.layers)
    layers = network.layers
    parameters = network.parameters.map(Double.init)
  }

  /// `x`: lanes × domain; lanes × codomain is returned. Dropout is the identity.
  func callAsFunction(_ x: [Double]) -> [Double] {
    let lanes = x.count / shapes[0].count
    var value = x
    var offset = 0
    for (index, layer) in layers.enumerated() {
      let count = Network.layout([layer]).count
      let own = parameters[offset..<offset + count]
      offset += count
      value = output(layer, Array(own), value, lanes, shapes[index], shapes[index + 1])
    }
    return value
  }

  private func output(
    _ layer: LayerDescription, _ own: [Double], _ x: [Double], _ lanes: Int, _ input: Shape,
    _ output: Shape
  ) -> [Double] {
    switch layer {
    case .linear(let inputs, let outputs):
      var y = [Double](repeating: 0, count: lanes * outputs)
      for lane in 0..<lanes {
        for o in 0..<outputs {
          var sum = own[outputs * inputs + o]
          for i in 0..<inputs { sum += own[o * inputs + i] * x[lane * inputs + i] }
          y[lane * outputs + o] = sum
        }
      }
      return y
    case .conv(_, _, let kernel, let stride, let padding):
      return convolution(own, x, lanes, input, output, kernel, stride, padding)
    case .convTranspose(_, _, let kernel, let stride, let padding):
      return transposed(own, x, lanes, input, output, kernel, stride, padding)
    case .silu: return x.map { $0 / (1 + exp(-$0)) }
    case .relu: return x.map { max($0, 0) }
    case .leakyRelu(let slope): return x.map { $0 < 0 ? slope * $0 : $0 }
    case .sigmoid: return x.map { 1 / (1 + exp(-$0)) }
    case .batchNorm(let channels): return normalized(own, x, lanes, channels, input)
    case .dropout, .reshape, .flatten: return x
    }
  }

  private func convolution(
    _ own: [Double], _ x: [Double], _ lanes: Int, _ input: Shape, _ output: Shape, _ kernel: Int,
    _ stride: Int, _ padding: Int
  ) -> [Double] {
    let (channels, height, width) = (input[0], input[1], input[2])
    var y: [Double] = []
    for lane in 0..<lanes {
      for o in 0..<output[0] {
        for p in 0..<output[1] {
          for q in 0..<output[2] {
            var sum = own[output[0] * channels * kernel * kernel + o]
            for c in 0..<channels {
              for i in 0..<kernel {
                for j in 0..<kernel {
                  let (row, column) = (stride * p - padding + i, stride * q - padding + j)
                  guard row >= 0, row < height, column >= 0, column < width else { continue }
                  sum +=
                    own[((o * channels + c) * kernel + i) * kernel + j]
                    * x[((lane * channels + c) * height + row) * width + column]
                }
              }
            }
            y.append(sum)
          }
        }
      }
    }
    return y
  }

  private func transposed(
    _ own: [Double], _ x: [Double], _ lanes: Int, _ input: Shape, _ output: Shape, _ kernel: Int,
    _ stride: Int, _ padding: Int
  ) -> [Double] {
    let (outputs, height, width) = (output[0], output[1], output[2])
    var y = [Double](repeating: 0, count: lanes * output.count)
    for index in y.indices {
      y[index] = own[input[0] * outputs * kernel * kernel + index / (height * width) % outputs]
    }
    for lane in 0..<lanes {
      for c in 0..<input[0] {
        for p in 0..<input[1] {
          for q in 0..<input[2] {
            let value = x[((lane * input[0] + c) * input[1] + p) * input[2] + q]
            for o in 0..<outputs {
              for i in 0..<kernel {
                for j in 0..<kernel {
                  let (row, column) = (stride * p - padding + i, stride * q - padding + j)
                  guard row >= 0, row < height, column >= 0, column < width else { continue }
                  y[((lane * outputs + o) * height + row) * width + column] +=
                    own[((c * outputs + o) * kernel + i) * kernel + j] * value
                }
              }
            }
          }
        }
      }
    }
    return y
  }

  private func normalized(
    _ own: [Double], _ x: [Double], _ lanes: Int, _ channels: Int, _ input: Shape
  ) -> [Double] {
    let inner = input.count / channels
    var y = x
    for channel in 0..<channels {
      let places = (0..<lanes).flatMap { lane in
        (0..<inner).map { (lane * channels + channel) * inner + $0 }
      }
      var (mean, variance) = (own[2 * channels + channel], own[3 * channels + channel])
      if usesBatchStatistics {
        mean = places.reduce(0) { $0 + x[$1] } / Double(places.count)
        variance =
          places.reduce(0) { $0 + (x[$1] - mean) * (x[$1] - mean) } / Double(places.count)
      }
      for place in places {
        y[place] =
          own[channel] * (x[place] - mean) / (variance + 1e-5).squareRoot()
          + own[channels + channel]
      }
    }
    return y
  }
}
