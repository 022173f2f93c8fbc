import ArgumentParser
import ImageFiles
import Training

/// `--tile`: whole, auto, or the pixels of a side.
struct TileArgument: ExpressibleByArgument, Equatable {
  let tiling: Tiling

  init?(argument: String) {
    switch argument {
    case "auto": tiling = .auto
    case "whole": tiling = .whole
    default:
      guard let side = Int(argument), (4...256).contains(side) else { return nil }
      tiling = .side(side)
    }
  }
}

/// `--augment`: auto, or the symmetries.
struct AugmentArgument: ExpressibleByArgument, Equatable {
  let augmentation: Augmentation

  init?(argument: String) {
    if argument == "auto" {
      augmentation = .auto
      return
    }
    guard let symmetries = Symmetries(rawValue: argument) else { return nil }
    augmentation = .given(symmetries)
  }
}
