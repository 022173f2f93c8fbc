import Numerics

/// Added to a variance before its square root, as in the description of `batchNorm`.
let batchNormEpsilon: Float = 1e-5

/// The same function without the batch normalizations that directly follow a product, and without
/// dropout: with a = weight / √(runningVariance + ε), the product's w and b become a·w and
/// a·(b − runningMean) + bias, per output channel.
func foldBatchNormalization(
  layers: [LayerDescription], parameters: [Float]
) -> (layers: [LayerDescription], parameters: [Float]) {
  var foldedLayers: [LayerDescription] = []
  var foldedParameters: [Float] = []
  var offset = 0
  /// Where the weights of the latest product begin in `foldedParameters`, when nothing followed it.
  var productStart: Int?
  for layer in layers {
    let count = layer.parameters.reduce(0) { $0 + $1.shape.count }
    let own = Array(parameters[offset..<offset + count])
    offset += count
    switch layer {
    case .dropout: continue
    case .batchNorm(let channels):
      if let start = productStart, let product = foldedLayers.last {
        scale(
          product, in: &foldedParameters, from: start, channels: channels, normalization: own)
        productStart = nil
        continue
      }
      productStart = nil
    case .linear, .conv, .convTranspose: productStart = foldedParameters.count
    default: productStart = nil
    }
    foldedLayers.append(layer)
    foldedParameters += own
  }
  return (foldedLayers, foldedParameters)
}

/// Scales one product's output channels by the normalization's affine map, in place.
private func scale(
  _ product: LayerDescription, in parameters: inout [Float], from start: Int, channels: Int,
  normalization: [Float]
) {
  let weight = product.parameters[0].shape
  let bias = start + weight.count
  // Output channels are the first axis of linear and conv weights, the second of convTranspose's.
  let isTransposed =
    switch product {
    case .convTranspose: true
    default: false
    }
  let outer = isTransposed ? weight[0] : 1
  let inner = weight.count / (outer * channels)
  for channel in 0..<channels {
    let variance = normalization[3 * channels + channel]
    let factor = normalization[channel] / (variance + batchNormEpsilon).squareRoot()
    for block in 0..<outer {
      let first = start + (block * channels + channel) * inner
      for index in first..<first + inner { parameters[index] *= factor }
    }
    let mean = normalization[2 * channels + channel]
    parameters[bias + channel] =
      factor * (parameters[bias + channel] - mean) + normalization[channels + channel]
  }
}
