import ArgumentParser
import Foundation
import ImageFiles
import Maps
import Noise
import Operators
import Tensors
import Tiles
import Workers

@main
struct PhotosCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "paeinvert-photos",
    abstract: "What make train-models and make bench-photos run: the tile priors of photographs.",
    subcommands: [TrainPhotos.self, SolvePhotos.self])
}

struct TrainPhotos: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "train", abstract: "Fit a tile prior to a folder of photographs.")

  @Argument(help: "A folder of PNG files.") var folder: String
  @Option(name: .shortAndLong, help: "The model file.") var output: String
  @Option(help: "The model's name.") var name = "photo"
  @Option(help: "1 for grey, 3 for RGB.") var channels = 1
  @Option(help: "Rows and columns of a tile.") var side = TileTraining().side
  @Option(help: "Codes of a tile. (default: all that the means leave)") var latent: Int?
  @Option(help: "Gaussians of the mixture.") var components = TileTraining().components
  @Option(help: "Tiles looked at.") var tiles = TileTraining().tiles
  @Option(help: "Batches of EM.") var batches = TileTraining().batches
  @Option(help: "Seed.") var seed: UInt64 = 1
  @Option(name: [.customShort("j"), .long], help: "Threads.")
  var threads = WorkerPool.availableProcessors
  @Flag(name: .shortAndLong, help: "Overwrite the model file.") var force = false

  func run() throws {
    var training = TileTraining()
    training.name = name
    training.channels = channels
    training.side = side
    training.latent = latent
    training.components = components
    training.tiles = tiles
    training.batches = batches
    training.seed = seed
    let (prior, record) = try training.train(folder: folder, pool: WorkerPool(threads: threads)) {
      FileHandle.standardError.write(
        Data("batch \($0) of \(batches): \(String(format: "%.3f", $1)) nats a tile\n".utf8))
    }
    try prior.write(to: output, training: record, overwrite: force)
  }
}

/// Reads `CASE/data.npy` [C, H, W], with `mask.npy` where pixels are missing or `kernel.npy` where the picture
/// was blurred, and leaves `mean.npy`, `deviation.npy`, `best.npy`, `draws.npy` and `report.json` there.
struct SolvePhotos: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "solve", abstract: "Solve the cases of the benchmark.")

  @Argument(help: "Folders of one case each.") var cases: [String]
  @Option(name: .shortAndLong, help: "The model file.") var model: String
  @Option(help: "The noise level in intensity; estimated unless given.") var sigma: Double?
  @Option(help: "fast, normal or best.") var quality = "normal"
  @Option(help: "Draws.") var draws: Int?
  @Option(help: "Seed.") var seed: UInt64 = 1
  @Option(name: [.customShort("j"), .long], help: "Threads.")
  var threads = WorkerPool.availableProcessors
  @Flag(help: "Do not adapt the mixture to the picture.") var unadapted = false
  @Flag(help: "Noise was cut off at 0 and 1.") var clipped = false

  func run() throws {
    guard let quality = TileOptions.Quality(rawValue: quality) else {
      throw ValidationError("--quality is fast, normal or best")
    }
    let prior = try TilePrior.read(path: model)
    for folder in cases {
      let options = TileOptions(
        quality: quality, adapts: unadapted ? false : nil, draws: draws, seed: seed,
        threads: threads)
      let start = ContinuousClock.now
      let answer = try TilePosterior(prior, data(folder), options).solve()
      let elapsed = (ContinuousClock.now - start) / .seconds(1)
      try write(answer, seconds: elapsed, to: folder)
    }
  }

  private func data(_ folder: String) throws -> TileData {
    let file = try NPYFile.read(path: folder + "/data.npy")
    let picture = Tensor(shape: file.shape, values: file.values.map { Float($0) })
    let files = FileManager.default
    if files.fileExists(atPath: folder + "/kernel.npy"), let sigma {
      let kernel = try NPYFile.read(path: folder + "/kernel.npy")
      return try TileData(
        values: picture.values,
        forward: ConvolutionOperator(
          shape: picture.shape,
          kernel: Tensor(shape: kernel.shape, values: kernel.values.map { Float($0) }),
          border: .reflecting),
        noise: DiagonalNoise.white(sigma: sigma, dimension: picture.count))
    }
    var observed: [Bool]?
    if files.fileExists(atPath: folder + "/mask.npy") {
      observed = try NPYFile.read(path: folder + "/mask.npy").values.map { $0 != 0 }
    }
    return try TileData(
      picture: picture, noise: sigma.map { .white(sigma: $0) } ?? .unknown, observed: observed,
      clipping: clipped ? 0...1 : nil)
  }

  private func write(_ answer: TileAnswer, seconds: Double, to folder: String) throws {
    try npy([answer.mean], to: folder + "/mean.npy")
    try npy([answer.deviation], to: folder + "/deviation.npy")
    if let best = answer.best { try npy([best], to: folder + "/best.npy") }
    if !answer.draws.isEmpty { try npy(answer.draws, to: folder + "/draws.npy") }
    var report: [String: Any] = [
      "seconds": seconds, "chi2_per_datum": answer.chiSquarePerDatum,
    ]
    if let sigma = answer.sigma { report["sigma"] = sigma }
    if let scale = answer.scale {
      report["scale"] = scale.ratio
      report["scales"] = scale.ratios
    }
    if let adaptation = answer.adaptation { report["adaptation"] = adaptation }
    try JSONSerialization.data(withJSONObject: report, options: [.sortedKeys, .prettyPrinted])
      .write(to: URL(filePath: folder + "/report.json"))
  }

  /// NumPy's format 1.0, float32: [tensors, C, H, W].
  private func npy(_ tensors: [Tensor], to path: String) throws {
    let extents = [tensors.count] + tensors[0].shape.extents
    let shape = extents.map(String.init).joined(separator: ", ")
    var header = "{'descr': '<f4', 'fortran_order': False, 'shape': (\(shape)), }"
    header += String(repeating: " ", count: 63 - (header.utf8.count + 10) % 64) + "\n"
    var bytes = Data([0x93]) + Data("NUMPY".utf8) + Data([1, 0])
    bytes += withUnsafeBytes(of: UInt16(header.utf8.count).littleEndian) { Data($0) }
    bytes += Data(header.utf8)
    for tensor in tensors { tensor.values.withUnsafeBytes { bytes += Data($0) } }
    try bytes.write(to: URL(filePath: path))
  }
}
