import Foundation
import Likelihoods
import Tensors

/// A warning where a mask seems to have its colours exchanged: what it keeps is flat, what it takes away is
/// not.
func maskWarning(_ name: String, values: [Float], observed: [Bool]) -> Warning? {
  func spread(_ wanted: Bool) -> Float? {
    let chosen = zip(values, observed).filter { $0.1 == wanted }.map { $0.0 }.sorted()
    guard chosen.count >= 8 else { return nil }
    let margin = chosen.count / 50
    return chosen[chosen.count - 1 - margin] - chosen[margin]
  }
  guard let kept = spread(true), let taken = spread(false), kept < 0.02, taken > 0.1 else {
    return nil
  }
  return .doubt(
    "\(name): the observed part of the picture is flat and the missing part is not: is the mask "
      + "inverted? give --invert-mask (white = observed)")
}

/// What is said of values that stand alone at an end of the range.
func isolationWarning(_ places: [Int], shape: Shape, name: String) -> Warning {
  let shown = places.prefix(5).map { place in
    "row \(place / shape[2] % shape[1]), column \(place % shape[2])"
  }
  let rest = places.count > 5 ? " and \(places.count - 5) more" : ""
  return Warning(
    "\(name): \(places.count) values at an end of the range stand alone among others far from it (dead or "
      + "hot pixels?) and are left out: \(shown.joined(separator: "; "))\(rest); --clipped no keeps them"
  )
}

/// A warning where σ, stated, cannot be what the data have: they would have to scatter more than they do.
func sigmaWarning(
  _ sigma: Double, values: [Float], kinds: [PixelKind], isClipped: Bool, name: String
) -> Warning? {
  let seen = zip(values, kinds).filter { $0.1 != .unobserved }
  let measured = seen.filter { $0.1 == .measured }.map { Double($0.0) }
  guard seen.count >= 16 else { return nil }
  let found: String
  if isClipped {
    // Of a normal variable at most 1/(σ√2π) lies between ends that are 1 apart.
    let share = Double(measured.count) / Double(seen.count)
    guard sigma > 1, share > 2 / (sigma * (2 * Double.pi).squareRoot()) else { return nil }
    found = String(format: "%.0f %% of the data lie inside the range", 100 * share)
  } else {
    let mean = measured.reduce(0, +) / Double(max(measured.count, 1))
    let squares = measured.reduce(0) { $0 + ($1 - mean) * ($1 - mean) }
    let deviation = (squares / Double(max(measured.count - 1, 1))).squareRoot()
    guard sigma > 1.5 * deviation else { return nil }
    found = "all of the data, picture included, scatter by \(short3(deviation))"
  }
  var meant = ""
  if sigma > 1 {
    let white = sigma < 128 ? 255.0 : 65_535
    meant =
      "; \(short3(sigma)) of \(Int(white)) is --sigma \(String(format: "%.2g", sigma / white)), if that "
      + "was meant"
  }
  return .doubt(
    "\(name): --sigma \(short3(sigma)) is in intensity units (black 0, white 1), but \(found)\(meant)"
  )
}

/// A warning where no datum was measured: all that were observed are clipped.
func censoringWarning(_ kinds: [PixelKind], name: String) -> Warning? {
  let observed = kinds.count { $0 != .unobserved }
  guard observed > 0, !kinds.contains(.measured) else { return nil }
  return .doubt(
    "\(name): nothing was measured: all \(observed) observed values lie at an end of the range, which "
      + "bounds the picture and says no more of it")
}

private func short3(_ value: Double) -> String { String(format: "%.3g", value) }
