import Testing

@testable import ImageFiles

/// Meant to catch: the grid not centred; a picture with fewer tiles than allowed given repeated ones.
@Suite struct TilingTests {
  @Test("tiles lie inside, do not overlap, and leave the same margin on both sides up to a pixel")
  func grid() {
    for (height, width) in [(64, 96), (65, 130), (32, 32), (100, 33)] {
      let corners = Tiling.corners(height: height, width: width, side: 32, most: 1000)
      #expect(corners.count == (height / 32) * (width / 32))
      for (index, corner) in corners.enumerated() {
        #expect(corner.row >= 0 && corner.row + 32 <= height)
        #expect(corner.column >= 0 && corner.column + 32 <= width)
        for other in corners[..<index] {
          #expect(abs(other.row - corner.row) >= 32 || abs(other.column - corner.column) >= 32)
        }
      }
      let bottom = height - 32 - (corners.last?.row ?? 0)
      #expect(abs(bottom - corners[0].row) <= 1)
    }
  }

  @Test("no more than allowed, spread over the grid")
  func most() {
    let corners = Tiling.corners(height: 320, width: 320, side: 32, most: 10)
    #expect(corners.map(\.row) == (0..<10).map { 32 * $0 })
  }

  @Test("small pictures of one size stay whole, others are cut")
  func automatic() {
    #expect(Tiling.auto.side(heights: [64, 64], widths: [28, 28]) == nil)
    #expect(Tiling.auto.side(heights: [65, 65], widths: [28, 28]) == 32)
    #expect(Tiling.auto.side(heights: [64, 60], widths: [64, 64]) == 32)
    #expect(Tiling.side(7).side(heights: [64], widths: [64]) == 7)
    #expect(Tiling.whole.side(heights: [640], widths: [64]) == nil)
  }
}
