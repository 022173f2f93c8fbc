/// Sum of single-precision values accumulated in double precision: relative error ≤ n·2⁻⁵³ of Σ|x|.
public func accurateSum(_ values: some Sequence<Float>) -> Double {
  var sum = 0.0
  for value in values { sum += Double(value) }
  return sum
}

/// Sum of double-precision values with Neumaier's compensation: error ≤ 2⁻⁵³|Σx| + O(n·2⁻¹⁰⁶)Σ|x|.
public func accurateSum(_ values: some Sequence<Double>) -> Double {
  var sum = 0.0
  var compensation = 0.0
  for value in values {
    let next = sum + value
    compensation += abs(sum) >= abs(value) ? (sum - next) + value : (value - next) + sum
    sum = next
  }
  return sum + compensation
}
