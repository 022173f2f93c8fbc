import LawCheckers
import Foundation
import Maps
import Numerics
import Operators
import Tensors
import Testing

/// Mean and covariance of the offsets (row, column) from the centre, weighted by the kernel.
private func moments(
  _ kernel: Tensor
) -> (sum: Double, row: Double, column: Double, rows: Double, cross: Double, columns: Double) {
  var (sum, row, column, rows, cross, columns) = (0.0, 0.0, 0.0, 0.0, 0.0, 0.0)
  for index in kernel.values.indices {
    let weight = Double(kernel.values[index])
    let y = Double(index / kernel.shape[1] - kernel.shape[0] / 2)
    let x = Double(index % kernel.shape[1] - kernel.shape[1] / 2)
    sum += weight
    row += weight * y
    column += weight * x
    rows += weight * y * y
    cross += weight * x * y
    columns += weight * x * x
  }
  return (sum, row, column, rows, cross, columns)
}

@Suite("point-spread functions")
struct PointSpreadFunctionTests {
  // Fails when: the normalization is lost; an even size is made; the centre is off.
  @Test("every maker gives a centred kernel of odd sides, none negative, that sums to one")
  func laws() throws {
    var kernels: [Tensor] = []
    for sigma in [0.05, 0.3, 1, 2.7] {
      kernels.append(try PointSpreadFunction.gaussian(sigma: sigma))
    }
    for radius in [0.2, 0.5, 1.5, 3.3] {
      kernels.append(try PointSpreadFunction.disc(radius: radius))
    }
    let lines: [(Double, Double)] = [(0.5, 10), (1, 0), (7, 90), (6.5, -30), (9, 45), (4, 200)]
    for (length, angle) in lines {
      kernels.append(try PointSpreadFunction.motion(length: length, angle: angle))
    }
    for kernel in kernels {
      #expect(kernel.shape.extents.allSatisfy { $0 % 2 == 1 } && kernel.shape.rank == 2)
      #expect(kernel.values.allSatisfy { $0 >= 0 })
      let moments = moments(kernel)
      #expect(abs(moments.sum - 1) < 1e-6)
      #expect(abs(moments.row) < 1e-6 && abs(moments.column) < 1e-6)
    }
  }

  // Fails when: the density at the pixel's centre is taken for its integral; σ² for σ; √2 lost.
  @Test("a Gaussian is the integral of its density over each pixel", arguments: [0.3, 0.8, 2])
  func gaussian(_ sigma: Double) throws {
    let kernel = try PointSpreadFunction.gaussian(sigma: sigma)
    let reach = kernel.shape[0] / 2
    #expect(kernel.shape == Shape(2 * reach + 1, 2 * reach + 1))
    // 4σ lies in the last pixel.
    #expect(Double(reach) - 0.5 < 4 * sigma && 4 * sigma <= Double(reach) + 0.5)
    // Midpoint rule of 2000 points a pixel: relative error 1/(24·2000²σ²) < 2e-7.
    var profile: [Double] = []
    for pixel in -reach...reach {
      var integral = 0.0
      for point in 0..<2000 {
        let t = Double(pixel) - 0.5 + (Double(point) + 0.5) / 2000
        integral += exp(-t * t / (2 * sigma * sigma)) / 2000
      }
      profile.append(integral)
    }
    let total = profile.reduce(0, +)
    for row in profile.indices {
      for column in profile.indices {
        let expected = profile[row] * profile[column] / (total * total)
        let value = kernel.values[row * profile.count + column]
        #expect(abs(Double(value) - expected) < 1e-6)
      }
    }
  }

  // Fails when: the diameter is taken for the radius; pixels are all or nothing.
  @Test("a disc covers its area")
  func disc() throws {
    // A pixel within the disc, one at the edge, and a corner without light, by the midpoint rule.
    let radius = 2.5
    let kernel = try PointSpreadFunction.disc(radius: radius)
    #expect(kernel.shape == Shape(5, 5))
    let area = Double.pi * radius * radius
    #expect(abs(Double(kernel.values[12]) * area - 1) < 2e-3)
    var edge = 0.0
    for line in 0..<20_000 {
      let y = -0.5 + (Double(line) + 0.5) / 20_000
      edge += min(max((radius * radius - y * y).squareRoot() - 1.5, 0), 1) / 20_000
    }
    #expect(edge < 0.99)
    #expect(abs(Double(kernel.values[2 * 5 + 4]) * area - edge) < 2e-3)
    #expect(abs(Double(kernel.values[4 * 5 + 2]) * area - edge) < 2e-3)
    #expect(kernel.values[0] * Float(area) < 0.3)
    // The variance of a uniform disc along an axis is r²/4; pixels add 1/12.
    let large = moments(try PointSpreadFunction.disc(radius: 8))
    #expect(abs(large.rows - (16 + 1.0 / 12)) < 0.02)
    #expect(abs(large.columns - (16 + 1.0 / 12)) < 0.02)
    #expect(try PointSpreadFunction.disc(radius: 0.4).values == [1])
  }

  // Fails when: the angle runs clockwise; degrees are taken for radians; the length is halved.
  @Test("a motion blur is as long as it says and points where it says")
  func motion() throws {
    #expect(
      try PointSpreadFunction.motion(length: 3, angle: 0)
        == Tensor(shape: Shape(1, 3), repeating: Float(1.0 / 3)))
    let upright = try PointSpreadFunction.motion(length: 4, angle: 90)
    #expect(upright.shape == Shape(5, 1))
    for (value, expected) in zip(upright.values, [0.125, 0.25, 0.25, 0.25, 0.125] as [Float]) {
      #expect(abs(value - expected) < 1e-6)
    }
    // Counter-clockwise: up to the right, where rows are smaller.
    let steep = try PointSpreadFunction.motion(length: 5 * 2.0.squareRoot(), angle: 45)
    #expect(steep.shape == Shape(5, 5))
    for index in 0..<25 {
      let expected: Float = index / 5 + index % 5 == 4 ? 0.2 : 0
      #expect(abs(steep.values[index] - expected) < 1e-6)
    }
    // The variance of a line along itself is L²/12. To round to whole pixels takes 1/12 away, and a
    // pixel cut by an end of the line adds up to 1/4 at both together.
    let angle = 25 * Double.pi / 180
    let long = moments(try PointSpreadFunction.motion(length: 40, angle: 25))
    let variance = 40.0 * 40 / 12
    #expect(abs(long.columns - variance * cos(angle) * cos(angle)) < 0.35)
    #expect(abs(long.rows - variance * sin(angle) * sin(angle)) < 0.35)
    #expect(abs(long.cross + variance * cos(angle) * sin(angle)) < 0.35)
    #expect(try PointSpreadFunction.motion(length: 0.1, angle: 33).values == [1])
  }

  // Fails when: a check is left out (infinite sizes trap then).
  @Test("what cannot be made is said")
  func refusals() {
    for bad in [0, -1, Double.nan, .infinity] {
      #expect(
        refusal { _ = try PointSpreadFunction.gaussian(sigma: bad) }
          == "the standard deviation of a Gaussian blur is \(bad) pixels; it must be positive and "
          + "finite")
      #expect(refusal { _ = try PointSpreadFunction.disc(radius: bad) } != nil)
      #expect(refusal { _ = try PointSpreadFunction.motion(length: bad, angle: 0) } != nil)
    }
    #expect(refusal { _ = try PointSpreadFunction.motion(length: 2, angle: .nan) } != nil)
    #expect(
      refusal { _ = try PointSpreadFunction.disc(radius: 1e300) }
        == "too large to plan: a disc of radius 1e+300 pixels needs a kernel of more than 2047 "
        + "rows or columns")
    #expect(refusal { _ = try PointSpreadFunction.gaussian(sigma: 256) } != nil)
  }
}
