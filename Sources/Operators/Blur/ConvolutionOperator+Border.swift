extension ConvolutionOperator {
  /// What stands beyond the borders of the picture that is blurred; extent n along one axis.
  public enum Border: String, Codable, Sendable, CaseIterable {
    /// The picture again: x(−1) = x(n − 1), x(n) = x(0).
    case periodic
    /// Nothing: x(−1) = x(n) = 0, so that the borders darken.
    case zero
    /// Its mirror image with the edge pixel repeated: x(−1) = x(0), x(n) = x(n − 1); what
    /// scipy.ndimage calls `reflect`.
    case reflecting
  }
}
