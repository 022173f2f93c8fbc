import Foundation

/// `report.json` as the contract has it: decoding fails for a key that is missing or of another type.
struct ReportFile: Decodable, Equatable {
  struct Model: Decodable, Equatable { let name: String, sha256: String }
  struct Image: Decodable, Equatable {
    let path: String
    let width: Int, height: Int, channels: Int
    let observed_fraction: Double
  }
  struct Noise: Decodable, Equatable {
    let kind: String
    let sigma: Double?, sigma_mean: Double?, sigma_sd: Double?
    let censored: Bool
    let residual: String
  }
  struct Seconds: Decodable, Equatable {
    let total: Double, map: Double, warmup: Double, sampling: Double
  }
  struct Diagnostics: Decodable, Equatable {
    let ok: Bool
    let reasons: [String]
    let rhat_max: Double?, ess_bulk_min: Double?, ess_tail_min: Double?
    let divergences: Int?
    let ebfmi_min: Double?, acceptance: Double?
  }
  struct Mode: Decodable, Equatable { let weight: Double, log_density: Double, file: String? }
  struct Fit: Decodable, Equatable {
    let chi2_per_datum: Double?, p_value: Double?
    let correlation_horizontal: Double?, correlation_vertical: Double?
    let correlation_p: Double?, spectrum_p: Double?
    let reason: String?
  }
  struct Misfit: Decodable, Equatable {
    let norm_percentile: Double, density_percentile: Double, percentile: Double
    let scale_percentile: Double?
    let verdict: String, reason: String
  }
  struct Quality: Decodable, Equatable { let psnr: Double, ssim: Double, coverage90: Double? }

  let schema: Int
  let command: String, version: String, seed: String
  let model: Model
  let image: Image
  let noise: Noise
  let method: String, space: String
  let chains: Int, draws: Int, warmup: Int, gradients: Int
  let seconds: Seconds
  let diagnostics: Diagnostics
  let modes: [Mode]
  let fit: Fit
  let prior_misfit: Misfit
  let quality: Quality?

  init(_ text: String) throws { self = try JSONDecoder().decode(Self.self, from: Data(text.utf8)) }

  init(in folder: TemporaryFolder, _ directory: String) throws {
    try self.init(String(decoding: folder.bytes(directory + "/report.json"), as: UTF8.self))
  }

  /// Keys that are there even when their value is null.
  static let keys: Set = [
    "schema", "command", "version", "seed", "model", "image", "noise", "method", "space", "chains",
    "draws",
    "warmup", "warmup_length", "seconds", "gradients", "diagnostics", "modes", "fit",
    "prior_misfit", "groups", "evidence", "importance", "jumps",
  ]
  static let diagnosticsKeys: Set = [
    "ok", "reasons", "rhat_max", "ess_bulk_min", "ess_tail_min", "divergences", "ebfmi_min",
    "acceptance",
  ]
}
