import CLAPACK
import Foundation
import Tensors

// Two estimates of the standard deviation of white noise that need no flat part of the picture. Structure
// raises either; neither is for noise that is correlated, or clipped in more than a few elements.

/// From differences: the median size of the 3×3 stencil [1 −2 1; −2 4 −2; 1 −2 1]/6, which has unit norm
/// and no answer to planes, over that of a standard normal variable, 0.6745.
///
/// Source of the stencil: Immerkær, Computer Vision and Image Understanding 64, 1996; the median in place of
/// his mean is what makes edges count little.
/// - Parameter isUsable: one flag for each element; a window counts when all of its elements are.
/// - Returns: nil for fewer than a hundred windows.
func sigmaOfDifferences(_ picture: Tensor, isUsable: [Bool]) -> Double? {
  let stencil: [Double] = [1, -2, 1, -2, 4, -2, 1, -2, 1]
  var sizes: [Double] = []
  forEachWindow(picture.shape, side: 3, isUsable: isUsable, step: 1) { indices in
    var sum = 0.0
    for (weight, index) in zip(stencil, indices) { sum += weight * Double(picture.values[index]) }
    sizes.append(abs(sum) / 6)
  }
  guard sizes.count >= 100 else { return nil }
  return sizes.sorted()[sizes.count / 2] / 0.674_489_75
}

/// From principal components: of the eigenvalues of the covariance of 5×5 patches, ascending, as many from
/// below as have a mean no larger than their median are the noise's, and their mean is σ².
///
/// Source: Chen, Zhu and Heng, ICCV 2015, algorithm 1.
/// - Parameter isUsable: one flag for each element; a patch counts when all of its elements are.
/// - Returns: nil for fewer than two hundred patches, where eigenvalues scatter by more than they tell.
func sigmaOfComponents(_ picture: Tensor, isUsable: [Bool]) -> Double? {
  let side = 5
  let size = side * side
  let step = max(1, Int((Double(picture.count) / 20_000).squareRoot()))
  var patches: [Float] = []
  forEachWindow(picture.shape, side: side, isUsable: isUsable, step: step) { indices in
    for index in indices { patches.append(picture.values[index]) }
  }
  let count = patches.count / size
  guard count >= 200 else { return nil }
  var mean = [Double](repeating: 0, count: size)
  for (index, value) in patches.enumerated() { mean[index % size] += Double(value) / Double(count) }
  var covariance = [Double](repeating: 0, count: size * size)
  var centered = mean
  for patch in 0..<count {
    for index in 0..<size { centered[index] = Double(patches[patch * size + index]) - mean[index] }
    for row in 0..<size {
      for column in 0...row { covariance[row * size + column] += centered[row] * centered[column] }
    }
  }
  var eigenvalues = mean
  // Row-major, the lower triangle; eigenvalues alone, ascending.
  let status = LAPACKE_dsyev(
    LAPACK_ROW_MAJOR, 0x4E /* N */, 0x4C /* L */, Int32(size), &covariance, Int32(size),
    &eigenvalues)
  guard status == 0 else { return nil }
  for kept in stride(from: size, through: 1, by: -1) {
    let mean = accurateSum(eigenvalues.prefix(kept)) / Double(kept)
    let median = 0.5 * (eigenvalues[(kept - 1) / 2] + eigenvalues[kept / 2])
    if mean <= median { return (max(mean, 0) / Double(count)).squareRoot() }
  }
  return nil
}

/// Calls `body` with the row-major indices of each square window of each channel whose elements are all
/// usable.
private func forEachWindow(
  _ shape: Shape, side: Int, isUsable: [Bool], step: Int, _ body: ([Int]) -> Void
) {
  let (channels, height, width) = (shape[0], shape[1], shape[2])
  guard height >= side, width >= side else { return }
  var indices = [Int](repeating: 0, count: side * side)
  for channel in 0..<channels {
    for top in stride(from: 0, through: height - side, by: step) {
      for left in stride(from: 0, through: width - side, by: step) {
        for place in 0..<side * side {
          indices[place] = (channel * height + top + place / side) * width + left + place % side
        }
        if indices.allSatisfy({ isUsable[$0] }) { body(indices) }
      }
    }
  }
}
