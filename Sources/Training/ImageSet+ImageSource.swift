import ImageFiles

extension ImageSet: ImageSource {
  public func copy(_ index: Int, into target: UnsafeMutablePointer<Float>) {
    var span = UnsafeMutableBufferPointer(start: target, count: shape.count).mutableSpan
    copy(index, into: &span)
  }
}
