/// How `corrupt` damages a picture.
public struct CorruptOptions: Sendable, Equatable {
  /// Which pixels are taken away.
  public enum Hole: Sendable, Equatable {
    case none
    /// A PNG: black = missing.
    case mask(path: String)
    /// Rows and columns, both ends included, counted from 0.
    case rectangle(rows: ClosedRange<Int>, columns: ClosedRange<Int>)
    /// Each pixel with this probability.
    case random(fraction: Double)
  }

  /// The light's way before the noise.
  public var operators: [ForwardStep] = []
  public var noise = NoiseOptions()
  /// The model that `problem.yaml` is to name; nil for the one of `solving`, or none where that does not
  /// paint such pictures.
  public var model: String?
  /// What `problem.yaml` is to say beyond that: model and sampling.
  public var solving = SolveOptions(threads: 1)
  public var hole = Hole.none
  /// A 16-bit PNG whose range holds all values, instead of clipping at black and white.
  public var isWide = false
  /// 8 or 16; nil for that of the input, 16 when wide.
  public var bitDepth: Int?
  public var seed: UInt64 = 1
  public var overwrite = false

  public init() {}
}
