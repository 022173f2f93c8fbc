/// Row `index` of a row-major array, in Double.
func row(_ values: [Float], _ index: Int, _ width: Int) -> [Double] {
  values[index * width..<(index + 1) * width].map(Double.init)
}

func dot(_ a: [Double], _ b: [Double]) -> Double { zip(a, b).reduce(0) { $0 + $1.0 * $1.1 } }

func norm(_ a: [Double]) -> Double { dot(a, a).squareRoot() }

/// Largest difference of two elements.
func distance(_ a: [Double], _ b: [Double]) -> Double {
  zip(a, b).map { abs($0 - $1) }.max() ?? 0
}
