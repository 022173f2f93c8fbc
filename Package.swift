// swift-tools-version: 6.2
import PackageDescription

/// Strict everywhere: Swift 6 language mode, warnings are errors.
let strict: [SwiftSetting] = [.swiftLanguageMode(.v6), .treatAllWarnings(as: .error)]

/// A Swift module of the house; a module imports only from lower levels (README, "Architecture").
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
    .library(name: "PAEInversion", targets: ["PAEInversion"]),
    .executable(name: "paeinvert", targets: ["paeinvert"]),
    .executable(name: "paeinvert-bench", targets: ["paeinvert-bench"]),
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
    // Level 1.
    module("Tensors", []),
    module("Randomness", []),
    module("Probability", []),
    module("Workers", []),
    // Level 2.
    module("Maps", ["Tensors"]),
    module("ImageFiles", ["CPNG", "CZlib", "CNetCDF", "Tensors"]),
    module("Diagnostics", ["CLAPACK", "Randomness", "Probability"]),
    // Level 3.
    module("Sampling", ["CLAPACK", "Randomness", "Probability", "Workers", "Diagnostics"]),
    module("Networks", ["COneDNN", "CProcessor", "Tensors", "Randomness", "Maps"]),
    module("Measurement", ["CFFTW", "CLAPACK", "Tensors", "Randomness", "Maps"]),
    // Level 4.
    module("Flows", ["CLAPACK", "Tensors", "Randomness", "Maps", "Networks"]),
    // Level 5.
    module(
      "Inversion",
      [
        "Tensors", "Randomness", "Probability", "Maps", "ImageFiles", "Networks", "Measurement",
        "Flows", "CLAPACK",
      ]),
    // Level 6.
    module(
      "Training",
      [
        "CLAPACK", "Tensors", "Randomness", "Workers", "Maps", "ImageFiles", "Diagnostics",
        "Networks", "Measurement", "Flows", "Inversion",
      ]),
    module("Galleries", ["ImageFiles", "Tensors"]),
    // Level 7.
    module(
      "PAEInversion",
      [
        "Tensors", "Randomness", "Probability", "Workers", "Maps", "ImageFiles", "Sampling",
        "Diagnostics", "Networks", "Measurement", "Flows", "Inversion", "Training", "Galleries",
        .product(name: "Yams", package: "Yams"),
      ]),
    // Level 8.
    .executableTarget(
      name: "paeinvert",
      dependencies: [
        "CProcessor", "PAEInversion", "Training", "Inversion", "Networks", "Workers",
        "ImageFiles",
        .product(name: "ArgumentParser", package: "swift-argument-parser"),
        .product(name: "Logging", package: "swift-log"),
      ], swiftSettings: strict),
    .executableTarget(
      name: "paeinvert-bench",
      dependencies: [
        "CProcessor", "Tensors", "Randomness", "Probability", "Workers", "Maps", "ImageFiles",
        "Sampling", "Diagnostics", "Networks", "Measurement", "Flows", "Inversion", "Training",
        "PAEInversion", .product(name: "ArgumentParser", package: "swift-argument-parser"),
      ], swiftSettings: strict),
    // Tests.
    .target(
      name: "LawCheckers",
      dependencies: ["Tensors", "Randomness", "Probability", "Maps", "Networks", "Flows"],
      path: "Tests/LawCheckers", swiftSettings: strict),
    tests("Tensors"),
    tests("Randomness"),
    tests("Workers"),
    tests("Maps", ["Tensors"]),
    tests("ImageFiles", ["CNetCDF", "Tensors"]),
    tests("Sampling", ["Randomness", "Probability", "Workers", "Diagnostics"]),
    tests("Diagnostics", ["Randomness", "Probability"]),
    tests("Networks", ["Tensors", "Randomness", "Maps"]),
    tests("Measurement", ["Tensors", "Randomness", "Maps"]),
    tests("Flows", ["Tensors", "Randomness", "Maps", "Networks"]),
    tests(
      "Inversion",
      [
        "Tensors", "Randomness", "Probability", "Workers", "Maps", "ImageFiles", "Sampling",
        "Diagnostics", "Networks", "Measurement", "Flows",
      ]),
    tests(
      "Training",
      [
        "Tensors", "Randomness", "Workers", "Maps", "Networks", "Measurement", "Flows", "Inversion",
      ]),
    tests("Galleries", ["Tensors"]),
    tests(
      "PAEInversion",
      [
        "ImageFiles", "Tensors", "Randomness", "Probability", "Sampling", "Measurement",
        "Diagnostics", "Flows", "Inversion", "Training",
      ]),
    .testTarget(
      name: "CommandTests",
      dependencies: [
        "paeinvert", "paeinvert-bench", "CNetCDF", "ImageFiles", "Tensors", "Randomness", "Maps",
        "Networks",
        "Measurement", "Flows", "Inversion",
      ], swiftSettings: strict),
    .testTarget(name: "ArchitectureTests", swiftSettings: strict),
  ]
)
