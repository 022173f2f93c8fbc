// swift-tools-version: 6.2
import PackageDescription

/// Strict everywhere: Swift 6 language mode, warnings are errors.
let strict: [SwiftSetting] = [.swiftLanguageMode(.v6), .treatAllWarnings(as: .error)]

/// A Swift module of the house; a module imports only from lower levels (docs/architecture.md).
func module(_ name: String, _ dependencies: [Target.Dependency]) -> Target {
  .target(name: name, dependencies: dependencies, swiftSettings: strict)
}

/// The tests of one module; `LawCheckers` holds the checkers of the protocols' laws.
func tests(_ name: String, _ dependencies: [Target.Dependency] = []) -> Target {
  .testTarget(
    name: name + "Tests",
    dependencies: [.init(stringLiteral: name), "LawCheckers"] + dependencies,
    swiftSettings: strict)
}

let package = Package(
  name: "paeinvert",
  products: [
    .library(
      name: "PAEInversion",
      targets: [
        "Tensors", "Maps", "Operators", "Noise", "Diagnostics", "Inversion", "Problems", "Solving",
        "Judging", "PAEInversion",
      ]),
    .executable(name: "paeinvert", targets: ["paeinvert"]),
    .executable(name: "paeinvert-bench", targets: ["paeinvert-bench"]),
    .executable(name: "paeinvert-photos", targets: ["paeinvert-photos"]),
  ],
  dependencies: [
    .package(url: "https://github.com/apple/swift-argument-parser", from: "1.5.0"),
    .package(url: "https://github.com/apple/swift-log", from: "1.6.0"),
    .package(url: "https://github.com/jpsim/Yams", from: "6.0.0"),
  ],
  targets: [
    // Level 0: system libraries.
    .systemLibrary(name: "COneDNN", providers: [.apt(["libdnnl-dev"])]),
    .systemLibrary(name: "CFFTW", providers: [.apt(["libfftw3-dev"])]),
    .systemLibrary(name: "CLAPACK", providers: [.apt(["liblapacke-dev", "libopenblas-dev"])]),
    .systemLibrary(name: "CZlib", providers: [.apt(["zlib1g-dev"])]),
    .systemLibrary(name: "CNetCDF", providers: [.apt(["libnetcdf-dev"])]),
    .target(name: "CProcessor"),
    .target(name: "CPNG", linkerSettings: [.linkedLibrary("png"), .linkedLibrary("z")]),
    .target(name: "CJPEG", linkerSettings: [.linkedLibrary("jpeg")]),
    // Level 1.
    module("Tensors", []),
    module("Randomness", []),
    module("Probability", []),
    module("Workers", []),
    // Level 2.
    module("Numerics", ["COneDNN", "CLAPACK", "CProcessor", "Tensors"]),
    module("Maps", ["Tensors"]),
    module("ImageFiles", ["CPNG", "CJPEG", "CZlib", "CNetCDF", "Tensors"]),
    // Level 3.
    module("Diagnostics", ["CLAPACK", "Randomness", "Probability", "Numerics"]),
    module("Networks", ["CProcessor", "Tensors", "Randomness", "Numerics", "Maps"]),
    module("Operators", ["CFFTW", "Tensors", "Randomness", "Numerics", "Maps"]),
    // Level 4.
    module(
      "Sampling",
      ["CLAPACK", "Randomness", "Probability", "Workers", "Numerics", "Diagnostics"]),
    module("Flows", ["CLAPACK", "Tensors", "Randomness", "Numerics", "Maps", "Networks"]),
    module("Noise", ["CLAPACK", "Tensors", "Randomness", "Numerics", "Maps", "Operators"]),
    // Level 5.
    module(
      "Likelihoods",
      ["CLAPACK", "Tensors", "Randomness", "Numerics", "Maps", "Operators", "Noise"]),
    // Level 6.
    module(
      "Inversion",
      [
        "Tensors", "Randomness", "Probability", "Workers", "Numerics", "Maps", "ImageFiles",
        "Networks", "Operators", "Noise", "Likelihoods", "Flows",
      ]),
    module(
      "Tiles",
      [
        "CLAPACK", "Tensors", "Randomness", "Workers", "Numerics", "Maps", "ImageFiles",
        "Networks", "Operators", "Noise", "Flows",
      ]),
    // Level 7.
    module(
      "Training",
      [
        "CLAPACK", "Tensors", "Randomness", "Workers", "Numerics", "Maps", "ImageFiles",
        "Diagnostics", "Networks", "Noise", "Likelihoods", "Flows", "Inversion",
      ]),
    module("Galleries", ["ImageFiles", "Tensors"]),
    // Level 8.
    module(
      "Problems",
      [
        "Tensors", "Randomness", "Numerics", "Maps", "ImageFiles", "Sampling", "Diagnostics",
        "Networks", "Operators", "Noise", "Likelihoods", "Flows", "Inversion", "Tiles", "Training",
        .product(name: "Yams", package: "Yams"),
      ]),
    // Level 9.
    module(
      "Solving",
      [
        "Tensors", "Randomness", "Probability", "Workers", "Numerics", "Maps", "ImageFiles",
        "Sampling", "Diagnostics", "Networks", "Operators", "Noise", "Likelihoods", "Flows",
        "Inversion", "Problems",
      ]),
    // Level 10.
    module(
      "Judging",
      [
        "Tensors", "Randomness", "Probability", "Workers", "Numerics", "Maps", "ImageFiles",
        "Sampling", "Diagnostics", "Networks", "Operators", "Noise", "Likelihoods", "Flows",
        "Inversion", "Training", "Galleries", "Problems", "Solving",
      ]),
    // Level 11.
    module(
      "PAEInversion",
      [
        "Tensors", "Randomness", "Probability", "Workers", "Numerics", "Maps", "ImageFiles",
        "Sampling", "Diagnostics", "Networks", "Operators", "Noise", "Likelihoods", "Flows",
        "Inversion", "Tiles", "Training", "Galleries", "Problems", "Solving", "Judging",
      ]),
    // Level 12.
    .executableTarget(
      name: "paeinvert",
      dependencies: [
        "CProcessor", "PAEInversion", "Problems", "Solving", "Judging", "Training", "Inversion",
        "Networks", "Flows", "Noise", "Operators", "Likelihoods", "Numerics", "Workers", "Tensors",
        "ImageFiles", "Tiles",
        .product(name: "ArgumentParser", package: "swift-argument-parser"),
        .product(name: "Logging", package: "swift-log"),
      ], swiftSettings: strict),
    .executableTarget(
      name: "paeinvert-bench",
      dependencies: [
        "CProcessor", "Tensors", "Randomness", "Numerics", "Problems", "Solving", "Judging",
        "Probability", "Workers", "Maps", "ImageFiles",
        "Sampling", "Diagnostics", "Networks", "Operators", "Noise", "Likelihoods", "Flows",
        "Inversion", "Training",
        "PAEInversion", .product(name: "ArgumentParser", package: "swift-argument-parser"),
      ], swiftSettings: strict),
    .executableTarget(
      name: "paeinvert-photos",
      dependencies: [
        "Tensors", "Workers", "Maps", "ImageFiles", "Operators", "Noise", "Tiles",
        .product(name: "ArgumentParser", package: "swift-argument-parser"),
      ], swiftSettings: strict),
    // Tests.
    .target(
      name: "LawCheckers",
      dependencies: [
        "Tensors", "Randomness", "Probability", "Numerics", "Maps", "Operators", "Noise", "Flows",
      ],
      path: "Tests/LawCheckers", swiftSettings: strict),
    .target(
      name: "SmallModels",
      dependencies: [
        "Tensors", "Workers", "Networks", "Operators", "Noise", "Flows", "Inversion", "Problems",
        "Solving",
      ], path: "Tests/SmallModels", swiftSettings: strict),
    tests("Tensors"),
    tests("Randomness"),
    tests("Workers"),
    tests("Numerics", ["Tensors", "Randomness"]),
    tests("Maps", ["Tensors"]),
    tests("ImageFiles", ["CNetCDF", "Tensors"]),
    tests("Sampling", ["Randomness", "Probability", "Workers", "Numerics", "Diagnostics"]),
    tests("Diagnostics", ["Randomness", "Probability", "Numerics"]),
    tests("Networks", ["Tensors", "Randomness", "Numerics", "Maps"]),
    tests("Operators", ["Tensors", "Randomness", "Maps"]),
    tests("Noise", ["Tensors", "Randomness", "Numerics", "Maps", "Operators"]),
    tests(
      "Likelihoods",
      ["Tensors", "Randomness", "Numerics", "Maps", "Operators", "Noise"]),
    tests("Flows", ["Tensors", "Randomness", "Numerics", "Maps", "Networks"]),
    tests(
      "Inversion",
      [
        "Tensors", "Randomness", "Probability", "Workers", "Numerics", "Maps", "ImageFiles",
        "Sampling", "Diagnostics", "Networks", "Operators", "Noise", "Likelihoods", "Flows",
      ]),
    tests(
      "Training",
      [
        "Tensors", "Randomness", "Workers", "Numerics", "Maps", "Networks", "Noise",
        "Likelihoods", "Flows", "Inversion",
      ]),
    tests(
      "Tiles",
      ["Tensors", "Randomness", "Workers", "Maps", "ImageFiles", "Operators", "Noise"]),
    tests("Galleries", ["Tensors"]),
    tests(
      "Problems",
      [
        "ImageFiles", "Tensors", "Randomness", "Operators", "Noise", "Likelihoods", "Inversion",
        "Training", "SmallModels",
      ]),
    tests(
      "Solving",
      [
        "Tensors", "Randomness", "Probability", "Sampling", "Maps", "Operators", "Noise",
        "Likelihoods",
        "Flows", "Inversion", "Problems", "SmallModels",
      ]),
    tests(
      "Judging",
      [
        "ImageFiles", "Tensors", "Randomness", "Probability", "Sampling", "Diagnostics",
        "Operators", "Noise", "Likelihoods", "Flows", "Inversion", "Training", "Problems",
        "Solving", "SmallModels",
      ]),
    tests(
      "PAEInversion",
      [
        "ImageFiles", "Tensors", "Randomness", "Probability", "Sampling", "Operators", "Noise",
        "Likelihoods", "Diagnostics", "Flows", "Inversion", "Training", "Problems", "Solving",
        "Judging",
      ]),
    .testTarget(
      name: "CommandTests",
      dependencies: [
        "paeinvert", "paeinvert-bench", "CNetCDF", "ImageFiles", "Tensors", "Randomness", "Maps",
        "Networks",
        "Operators", "Noise", "Likelihoods", "Flows", "Inversion", "Training",
      ], swiftSettings: strict),
    .testTarget(name: "ArchitectureTests", swiftSettings: strict),
  ]
)
