import ImageFiles
import Tensors

/// How the pictures of a result are written: in the data's own depth, colour, opacity and units.
package struct ResultForm {
  package var bitDepth = 8
  package var alpha: Tensor?
  /// What the smallest and the largest sample stand for, in the units of the results.
  package var samples: ClosedRange<Double> = 0...1
  /// Units of the results; nil for intensities.
  package var units: DataRange?
  /// Whether grey pictures are written as RGB, as the data were.
  package var isGreyInRGB = false

  package init() {}

  /// A tensor of intensities in the units of the results.
  package func inUnits(_ tensor: Tensor) -> Tensor {
    guard let units else { return tensor }
    return Tensor(shape: tensor.shape, values: tensor.values.map(units.value))
  }

  /// A tensor of standard deviations in the units of the results.
  package func deviationInUnits(_ tensor: Tensor) -> Tensor {
    guard let units else { return tensor }
    return Tensor(shape: tensor.shape, values: tensor.values.map { $0 * Float(units.width) })
  }

  /// The bytes of a PNG of intensities.
  package func encoded(_ tensor: Tensor) throws -> [UInt8] {
    try Picture(
      tensor: colored(inUnits(tensor)), alpha: alpha, bitDepth: bitDepth, range: samples
    ).encoded()
  }

  /// The bytes of a PNG of standard deviations, `white` being white.
  package func encodedDeviation(_ tensor: Tensor, white: Double) throws -> [UInt8] {
    let scaled = Tensor(shape: tensor.shape, values: tensor.values.map { $0 / Float(white) })
    return try Picture(tensor: colored(scaled), bitDepth: bitDepth).encoded()
  }

  private func colored(_ tensor: Tensor) -> Tensor {
    guard isGreyInRGB, tensor.shape[0] == 1 else { return tensor }
    return Tensor(
      shape: Shape(3, tensor.shape[1], tensor.shape[2]),
      values: tensor.values + tensor.values + tensor.values)
  }
}
