import Tensors
import Testing

@testable import Galleries

@Suite("posterior gallery")
struct PosteriorGalleryTests {
  func flat(_ value: Float, channels: Int = 1, side: Int = 28) -> Tensor {
    Tensor(shape: Shape(channels, side, side), repeating: value)
  }

  /// The 8-bit colours of one pixel row.
  func row(_ gallery: Tensor, _ y: Int) -> [[Int]] {
    let (height, width) = (gallery.shape[1], gallery.shape[2])
    return (0..<width).map { x in
      (0..<3).map { Int((gallery.values[($0 * height + y) * width + x] * 255).rounded()) }
    }
  }

  func grey(_ level: Int) -> [Int] { [level, level, level] }

  // Seen to fail with mean and MAP exchanged, and with the mask not handed on.
  @Test("each summary is where it belongs, and the draws are below")
  func goldens() {
    var observed = flat(1)
    for row in 0..<28 { observed.values[row * 28] = 0 }
    let gallery = PosteriorGallery(
      title: "", data: flat(0.2), observed: observed, mean: flat(0.4),
      standardDeviation: flat(0.1), map: flat(0.6), truth: flat(0.8),
      draws: (0..<20).map { flat(Float($0) / 51) }
    ).render()
    let labels = 2 * BitmapFont.height + ContactSheet.labelGap
    let summaries = row(gallery, ContactSheet.margin + labels + 80)
    let starts = [51, 102, 153, 204].compactMap { summaries.firstIndex(of: grey($0)) }
    #expect(starts.count == 4 && starts == starts.sorted())
    #expect(summaries.filter { $0 == grey(102) }.count == 168)
    // The first column of the data, six pixels wide, is hatched.
    #expect(summaries.filter { $0 == grey(51) }.count == 162)
    #expect(starts.first == ContactSheet.margin + 6)
    // The last row shows draws 8…15, and no more.
    let last = row(gallery, gallery.shape[1] - ContactSheet.margin - 50)
    for draw in 8..<16 { #expect(last.filter { $0 == grey(5 * draw) }.count == 112) }
    #expect(!last.contains(grey(80)))
  }

  @Test("RGB, large and odd sizes, and missing parts are drawn")
  func kinds() {
    for (channels, side) in [(3, 64), (1, 256), (1, 1), (3, 300)] {
      let picture = flat(0.5, channels: channels, side: side)
      let gallery = PosteriorGallery(
        title: "t", data: nil, mean: picture, standardDeviation: picture, map: nil,
        draws: [picture, picture]
      ).render()
      #expect(gallery.shape[0] == 3)
      #expect(gallery.values.allSatisfy { (0...1).contains($0) })
    }
  }

  @Test("nothing but data is a gallery too")
  func dataOnly() {
    let gallery = PosteriorGallery(
      title: "", data: flat(0.2), mean: nil, standardDeviation: nil, map: nil, draws: []
    ).render()
    #expect(row(gallery, gallery.shape[1] / 2).contains(grey(51)))
  }
}
