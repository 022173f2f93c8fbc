import Foundation
import Likelihoods
import Randomness
import Tensors
import Testing

/// A smooth slope from 0.35 to 0.75 with N(0, σ²), on 24×24 pixels, clipped to 0…1.
private func slope(sigma: Double, seed: UInt64 = 3) -> Tensor {
  var stream = RandomKey(seed: seed).child("slope").stream()
  let shape = Shape(1, 24, 24)
  return Tensor(
    shape: shape,
    values: (0..<shape.count).map { index in
      let mean = 0.35 + 0.4 * Double(index / 24 + index % 24) / 46
      return Float(min(max(mean + sigma * stream.normal(), 0), 1))
    })
}

@Suite struct ClippingPileUpTests {
  // Seen to fail: `observed` not looked at.
  @Test func clippedNoisePilesUpAndAStretchedPictureDoesNot() {
    let clipped = slope(sigma: 0.3)
    #expect(ClippingPileUp(clipped).isClipped && ClippingPileUp(clipped).isolated.isEmpty)
    let wide = slope(sigma: 0.05)
    let (low, high) = (wide.values.min()!, wide.values.max()!)
    #expect(!ClippingPileUp(wide, low: low, high: high).isClipped)
    // Only the observed count.
    let inside = clipped.values.map { $0 > 0 && $0 < 1 }
    #expect(!ClippingPileUp(clipped, observed: inside).isClipped)
  }

  // Seen to fail: all values at an end counted as piled up (today's dead pixels); the places of a row given
  // for those of a column.
  @Test("dead and hot pixels stand alone and are no pile", arguments: [1, 3, 5, 8])
  func deadPixels(_ count: Int) {
    var picture = slope(sigma: 0.04)
    let places = (0..<count).map { 24 * (3 + 2 * $0) + 5 + 2 * ($0 * 5 % 8) }
    for (index, place) in places.enumerated() { picture.values[place] = Float(index % 2) }
    let found = ClippingPileUp(picture)
    #expect(!found.isClipped)
    #expect(found.isolated == places)
  }

  // Seen to fail: the two kinds not told apart where both are there.
  @Test func aDeadPixelInAClippedPictureIsTold() {
    // Black background with clipped noise, a bright square with one dead pixel.
    var stream = RandomKey(seed: 8).child("square").stream()
    var picture = Tensor(shape: Shape(1, 24, 24))
    for index in picture.values.indices {
      let isBright = (8..<16).contains(index / 24) && (8..<16).contains(index % 24)
      picture.values[index] = Float(min(max((isBright ? 0.7 : 0) + 0.05 * stream.normal(), 0), 1))
    }
    picture.values[24 * 12 + 11] = 0
    let found = ClippingPileUp(picture)
    #expect(found.isClipped && found.isolated == [24 * 12 + 11])
  }

  // Seen to fail: no bound on their number. Salt and pepper on a twentieth of the pixels is no exception.
  @Test func manyAreNoException() {
    var picture = slope(sigma: 0.02)
    for index in stride(from: 0, to: picture.count, by: 20) { picture.values[index] = 1 }
    #expect(ClippingPileUp(picture).isolated.isEmpty)
  }
}
