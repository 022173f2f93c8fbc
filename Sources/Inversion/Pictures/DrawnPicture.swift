/// A draw of a picture, and what the decoder paints of it.
package struct DrawnPicture: Sendable {
  /// m, C·H·W intensities.
  package let painted: [Float]
  /// m + ε.
  package let values: [Float]
  /// α.
  package let residualScale: Double

  package init(painted: [Float], values: [Float], residualScale: Double) {
    self.painted = painted
    self.values = values
    self.residualScale = residualScale
  }
}
