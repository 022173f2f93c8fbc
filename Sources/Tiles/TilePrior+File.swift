import Foundation
import ImageFiles
import Networks
import Tensors

/// The `config` of a file that holds a tile prior.
public struct TileDescription: Codable, Sendable, Equatable {
  public struct Image: Codable, Sendable, Equatable {
    public var channels: Int
    public var height: Int
    public var width: Int
  }

  /// What the components of the code density are.
  public struct Mixture: Codable, Sendable, Equatable {
    /// M.
    public var components: Int
  }

  /// How the mixture came to be.
  public struct Training: Codable, Sendable, Equatable {
    public var data: String
    public var pictures: Int
    public var tiles: Int
    public var batches: Int
    public var seed: UInt64

    public init(data: String, pictures: Int, tiles: Int, batches: Int, seed: UInt64) {
      self.data = data
      self.pictures = pictures
      self.tiles = tiles
      self.batches = batches
      self.seed = seed
    }
  }

  public var name: String
  /// Of a tile: channels, t, t.
  public var image: Image
  /// K.
  public var latent: Int
  /// "tiles".
  public var objective: String
  /// One linear layer, K → C·t·t; its bias is zero.
  public var decoder: [LayerDescription]
  public var mixture: Mixture
  /// ε².
  public var residualVariance: Double
  public var training: Training?

  public static let tiles = "tiles"

  /// How the prior in a file was trained; nil where the file does not say.
  public static func training(of file: Safetensors) -> Training? {
    file.metadata["config"].flatMap {
      try? JSONDecoder().decode(TileDescription.self, from: Data($0.utf8)).training
    }
  }
}

/// The model file of a tile prior: safetensors of `format` paeinvert-model whose config has the objective
/// "tiles", with the tensors `decoder.0.weight` [C·t·t, K] (columns orthonormal, each summing to zero in each
/// channel), `decoder.0.bias` (zeros), `mixture.weight` [M], `mixture.mean` [M, K] and `mixture.covariance`
/// [M, K(K+1)/2], of each matrix the upper triangle row by row.
extension TilePrior {
  /// More components than any fit makes; what a reader is ready to hold.
  private static let mostComponents = 4096

  /// Whether a file's config says that it holds a tile prior; false for anything that cannot be read.
  public static func isTilePrior(_ file: Safetensors) -> Bool {
    struct Kind: Decodable { var objective: String }
    guard let config = file.metadata["config"],
      let kind = try? JSONDecoder().decode(Kind.self, from: Data(config.utf8))
    else { return false }
    return kind.objective == TileDescription.tiles
  }

  /// Reads a prior and trusts nothing in the file.
  /// - Throws: `ImageFileError.missing` or `.badData`.
  public static func read(path: String) throws(ImageFileError) -> TilePrior {
    try TilePrior(file: SafetensorsFile.read(path: path))
  }

  public init(file: Safetensors) throws(ImageFileError) {
    func bad(_ reason: String) -> ImageFileError { .badData(path: file.source, reason: reason) }
    guard file.metadata["format"] == "paeinvert-model", file.metadata["version"] == "1" else {
      throw bad("it is no paeinvert model of version 1")
    }
    guard let config = file.metadata["config"],
      let description = try? JSONDecoder().decode(TileDescription.self, from: Data(config.utf8)),
      description.objective == TileDescription.tiles
    else { throw bad("its config is not that of a prior on tiles") }
    let image = description.image
    let (latent, components) = (description.latent, description.mixture.components)
    guard [1, 3].contains(image.channels), image.height == image.width,
      (2...32).contains(image.height), (1...3072).contains(latent),
      (1...Self.mostComponents).contains(components)
    else { throw bad("its tiles of \(image) with \(latent) codes make no sense") }
    let count = image.channels * image.height * image.width
    guard description.decoder == [.linear(inputs: latent, outputs: count)] else {
      throw bad("its decoder is not one linear layer from \(latent) codes to \(count) pixels")
    }
    let columns = try file.require("decoder.0.weight", Shape(count, latent))
    guard try file.require("decoder.0.bias", Shape(count)).allSatisfy({ $0 == 0 }) else {
      throw bad("its decoder has a bias that is not zero")
    }
    let weights = try file.require("mixture.weight", Shape(components))
    let means = try file.require("mixture.mean", Shape(components, latent))
    let covariances = try file.require(
      "mixture.covariance", Shape(components, GaussianMixtureDensity.triangle(latent)))
    try file.requireOnly([
      "decoder.0.weight", "decoder.0.bias", "mixture.weight", "mixture.mean", "mixture.covariance",
    ])
    var basis = [Float](repeating: 0, count: columns.count)
    for pixel in 0..<count {
      for code in 0..<latent { basis[code * count + pixel] = columns[pixel * latent + code] }
    }
    do throws(TileError) {
      try self.init(
        name: description.name, channels: image.channels, side: image.height, basis: basis,
        residualVariance: description.residualVariance,
        density: GaussianMixtureDensity(
          dimension: latent, weights: weights.map(Double.init), means: means,
          covariances: covariances))
    } catch {
      throw bad("\(error)")
    }
  }

  /// Writes a sibling, then renames.
  /// - Throws: `ImageFileError` when `path` exists and `overwrite` is false, or on an I/O failure.
  public func write(
    to path: String, training: TileDescription.Training?, overwrite: Bool
  ) throws(ImageFileError) {
    try SafetensorsFile.write(encodedFile(training), to: path, overwrite: overwrite)
  }

  /// The file's content; the same prior gives the same bytes.
  func encodedFile(_ training: TileDescription.Training?) -> Safetensors {
    let components = density.componentCount
    let description = TileDescription(
      name: name, image: .init(channels: channels, height: side, width: side), latent: latent,
      objective: TileDescription.tiles,
      decoder: [.linear(inputs: latent, outputs: tileCount)],
      mixture: .init(components: components), residualVariance: residualVariance,
      training: training)
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
    // A description holds only finite numbers and strings, which always encode.
    let config = String(decoding: (try? encoder.encode(description)) ?? Data(), as: UTF8.self)
    var columns = [Float](repeating: 0, count: basis.count)
    for pixel in 0..<tileCount {
      for code in 0..<latent { columns[pixel * latent + code] = basis[code * tileCount + pixel] }
    }
    return Safetensors(
      metadata: ["format": "paeinvert-model", "version": "1", "config": config],
      tensors: [
        .init(
          name: "decoder.0.weight", shape: Shape(tileCount, latent), values: .float32(columns)),
        .init(
          name: "decoder.0.bias", shape: Shape(tileCount),
          values: .float32([Float](repeating: 0, count: tileCount))),
        .init(
          name: "mixture.weight", shape: Shape(components),
          values: .float32(density.weights.map(Float.init))),
        .init(
          name: "mixture.mean", shape: Shape(components, latent), values: .float32(density.means)),
        .init(
          name: "mixture.covariance", shape: Shape(components, density.triangle),
          values: .float32(density.covariances)),
      ])
  }
}
