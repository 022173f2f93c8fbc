import ImageFiles
import PAEInversion
import Problems
import Tensors

/// The problem that is solved end to end: Fashion-MNIST test picture 3055 without rows 8–16 × columns
/// 9–21, white noise of σ = 0.1 that is known, not clipped; noise of seed 1.
struct FixedProblem {
  static let sigma = 0.1

  /// The damaged picture and its mask, PNGs.
  let image: String
  let mask: String

  /// Makes it in `folder`.
  /// - Throws: `PipelineError.missing` without Fashion-MNIST.
  init(in folder: String) throws {
    var options = CorruptOptions()
    options.noise.sigma = .value(Self.sigma)
    options.hole = .rectangle(rows: 8...16, columns: 9...21)
    options.isWide = true
    try CorruptPipeline.run(
      image: "fashion-mnist:3055", output: folder + "/problem", options: options)
    image = folder + "/problem/data.png"
    mask = folder + "/problem/mask.png"
  }

  /// `data` [1, H, W], intensities as the PNG has them; `observed` [1, H, W], 1 or 0; `sigma` [1].
  func tensors() throws -> Safetensors {
    let data = try Picture.read(path: image).tensor
    let observed = try Picture.read(path: mask).tensor
    return Safetensors(
      metadata: ["problem": "fashion-mnist:3055 without rows 8-16, columns 9-21, sigma 0.1"],
      tensors: [
        .init(name: "data", shape: data.shape, values: .float32(data.values)),
        .init(
          name: "observed", shape: observed.shape,
          values: .float32(observed.values.map { $0 >= 0.5 ? 1 : 0 })),
        .init(name: "sigma", shape: Shape(1), values: .float32([Float(Self.sigma)])),
      ])
  }
}
