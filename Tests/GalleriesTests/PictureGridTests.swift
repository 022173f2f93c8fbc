import Tensors
import Testing

@testable import Galleries

@Suite("picture grids")
struct PictureGridTests {
  func flat(_ value: Float) -> Tensor { Tensor(shape: Shape(1, 28, 28), repeating: value) }

  func level(_ grid: Tensor, x: Int, y: Int) -> Int {
    Int((grid.values[y * grid.shape[2] + x] * 255).rounded())
  }

  // Seen to fail with the row taken for the column.
  @Test("pictures fill the rows from the left, 120 pixels apart")
  func places() {
    let grid = PictureGrid(pictures: (0..<7).map { flat(Float($0) / 51) }, columns: 4).render()
    #expect(grid.shape.extents == [3, 2 * 112 + 8 + 56, 4 * 112 + 3 * 8 + 56])
    for picture in 0..<7 {
      let x = 28 + 60 + 120 * (picture % 4), y = 28 + 60 + 120 * (picture / 4)
      #expect(level(grid, x: x, y: y) == 5 * picture)
    }
    #expect(level(grid, x: 28 + 60 + 360, y: 28 + 180) == Int(Colour.page.red))
  }

  @Test("64 pictures make a square")
  func square() {
    let shape = PictureGrid(pictures: (0..<64).map { _ in flat(0) }).render().shape
    #expect(shape[1] == shape[2])
  }

  @Test("labels move the pictures by their room and nothing else")
  func labels() {
    let bare = PictureGrid(rows: [[flat(1), flat(1), flat(1)]])
    var labelled = bare
    labelled.rowLabels = ["row"]
    labelled.columnLabels = ["a", "b", "c"]
    let small = bare.render().shape, large = labelled.render().shape
    #expect(large[1] - small[1] == 2 * BitmapFont.height + ContactSheet.labelGap)
    #expect(large[2] - small[2] == 2 * BitmapFont.width(of: "row") + 16)
  }

  @Test("no pictures are a blank sheet")
  func empty() {
    #expect(PictureGrid(pictures: []).render().count > 0)
  }
}
