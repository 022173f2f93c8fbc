import ImageFiles

extension ImageSet: ImageSource {
  public var roundingVariance: Float {
    if case .bytes = storage { 1 / (255 * 255 * 12) } else { 0 }
  }

  public func copy(_ index: Int, into target: UnsafeMutablePointer<Float>) {
    var span = UnsafeMutableBufferPointer(start: target, count: shape.count).mutableSpan
    copy(index, into: &span)
  }
}
