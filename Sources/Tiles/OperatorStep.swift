import Maps
import Noise
import Operators
import Randomness
import Tensors

/// y = A x + n with any linear operator of the house and any Gaussian noise n ~ N(0, N):
/// (AᵀN⁻¹A + κ I) x = AᵀN⁻¹ y + κ z by conjugate gradients. A draw is the mode of perturbed data,
/// y + n′ and z + e/√κ with n′ ~ N(0, N), e ~ N(0, I) (Papandreou and Yuille, NIPS 2010): exact but for the
/// tolerance of the iterations.
///
/// Where stationary noise fills a periodic grid of which the data are some cells only, what the others would
/// have shown are unknowns t of their own, without a prior: the system has A on the data's cells, the identity
/// on the others, and N⁻¹ of the whole grid, which is a Fourier transform. Integrated over t the law of the data
/// is the exact one, N restricted to their cells.
final class OperatorStep: PictureStep {
  /// ‖residual‖ ≤ tolerance · ‖right-hand side‖: single precision carries no more than 1e-6.
  private static let tolerance = 1e-5
  private static let mostIterations = 200

  /// One for each cell of the noise; 0 where there is none.
  private let data: [Double]
  private let plan: any MapPlan
  private let noise: any NoisePlan
  /// Of x, and of x and t.
  private let count: Int
  private let unknowns: Int
  /// Cells of the data, and of the others.
  private let cells: [Int]
  private let others: [Int]
  private let observed: FloatBuffer
  private var misfits: [Double]
  private var pulls: [Double]
  private var logDensity = [0.0]
  private let solution: FloatBuffer
  private let right: FloatBuffer
  private let residual: FloatBuffer
  private let direction: FloatBuffer
  private let image: FloatBuffer
  private let target: FloatBuffer
  /// H×W of the picture, and 1/s² of `smoothest` while it is at work.
  private let (rows, columns): (Int, Int)
  private var smoothness: Float = 0

  /// - Parameter cells: the place of each datum among the noise's cells; nil where there is one datum a cell, in
  ///   that order.
  /// - Throws: what the operator's or the noise's plan throws.
  /// - Precondition: one datum for each element of the operator's codomain; as many cells as the noise has or fewer.
  init(
    data: [Float], forward: any LinearOperator, noise: any NoiseModel, cells: [Int]? = nil
  ) throws(PlanError) {
    let cells = cells ?? Array(0..<data.count)
    precondition(data.count == forward.codomain.count && cells.count == data.count)
    precondition(noise.dimension >= data.count)
    var grid = [Double](repeating: 0, count: noise.dimension)
    var isDatum = [Bool](repeating: false, count: noise.dimension)
    for (value, cell) in zip(data, cells) { (grid[cell], isDatum[cell]) = (Double(value), true) }
    self.data = grid
    self.cells = cells
    others = grid.indices.filter { !isDatum[$0] }
    plan = try forward.makePlan(lanes: 1)
    self.noise = try noise.makePlan(lanes: 1)
    count = forward.domain.count
    (rows, columns) = (forward.domain[1], forward.domain[2])
    unknowns = count + others.count
    observed = FloatBuffer(data.count)
    misfits = grid
    pulls = grid
    solution = FloatBuffer([Float](repeating: 0, count: unknowns))
    right = FloatBuffer(unknowns)
    residual = FloatBuffer(unknowns)
    direction = FloatBuffer(unknowns)
    image = FloatBuffer(unknowns)
    target = FloatBuffer([Float](repeating: 0, count: unknowns))
  }

  func mode(around z: UnsafePointer<Float>, precision: Double, into x: UnsafeMutablePointer<Float>)
  {
    target.pointer.update(from: z, count: count)
    solve(data, precision, x)
  }

  func draw(
    around z: UnsafePointer<Float>, precision: Double, _ stream: inout RandomStream,
    into x: UnsafeMutablePointer<Float>
  ) {
    var perturbed = [Double](repeating: 0, count: data.count)
    var span = perturbed.mutableSpan
    noise.draw(&stream, into: &span)
    for index in data.indices { perturbed[index] += data[index] }
    let deviation = 1 / precision.squareRoot()
    for index in 0..<count { target.pointer[index] = z[index] + Float(deviation * stream.normal()) }
    solve(perturbed, precision, x)
  }

  /// x ← the minimum of ‖W(y − A x)‖² + ‖∇x‖²/s², ∇ the differences of neighbours in rows and columns, s their
  /// deviation: a first guess that takes from the data whatever they tell of large scales, however little it is.
  func smoothest(deviation: Double, _ x: UnsafeMutablePointer<Float>) {
    solution.pointer.update(from: x, count: count)
    smoothness = Float(1 / (deviation * deviation))
    iterate(data, 0, isPictureFixed: false)
    smoothness = 0
    x.update(from: solution.pointer, count: count)
  }

  /// With unseen cells of the noise's grid: at the t that make it least.
  func chiSquare(of x: UnsafePointer<Float>) -> Double {
    target.pointer.update(from: x, count: count)
    solution.pointer.update(from: x, count: count)
    if !others.isEmpty { iterate(data, 0, isPictureFixed: true) }
    see(solution)
    for index in data.indices { misfits[index] = data[index] - misfits[index] }
    weigh()
    var sum = 0.0
    for index in data.indices { sum += misfits[index] * pulls[index] }
    return sum
  }

  /// `pulls` ← N⁻¹ misfits.
  private func weigh() {
    var logs = logDensity.mutableSpan
    var span = pulls.mutableSpan
    noise.evaluate(misfits.span, logDensities: &logs, gradients: &span)
    for index in pulls.indices { pulls[index] = -pulls[index] }
  }

  /// `misfits` ← what the cells would show of (x, t) without noise.
  private func see(_ input: FloatBuffer) {
    var seen = observed.buffer.mutableSpan
    plan.apply(input.buffer.span.extracting(0..<count), into: &seen)
    for (index, cell) in cells.enumerated() { misfits[cell] = Double(observed.pointer[index]) }
    for (index, cell) in others.enumerated() {
      misfits[cell] = Double(input.pointer[count + index])
    }
  }

  /// output ← the adjoint of `see` on N⁻¹ misfits.
  private func pullBack(into output: FloatBuffer) {
    weigh()
    for (index, cell) in cells.enumerated() { observed.pointer[index] = Float(pulls[cell]) }
    // The picture is the first part of the unknowns.
    var span = UnsafeMutableBufferPointer(start: output.pointer, count: count).mutableSpan
    plan.vjp(observed.buffer.span, into: &span)
    for (index, cell) in others.enumerated() { output.pointer[count + index] = Float(pulls[cell]) }
  }

  /// output ← (AᵀN⁻¹A + κ I) input, κ for the picture alone.
  private func product(_ input: FloatBuffer, _ precision: Double, into output: FloatBuffer) {
    see(input)
    pullBack(into: output)
    for index in 0..<count { output.pointer[index] += Float(precision) * input.pointer[index] }
    if smoothness > 0 { addGradients(input, to: output) }
  }

  /// output += ∇ᵀ∇ input / s².
  private func addGradients(_ input: FloatBuffer, to output: FloatBuffer) {
    let (x, y) = (input.pointer, output.pointer)
    func tie(_ a: Int, _ b: Int) {
      let pull = smoothness * (x[a] - x[b])
      y[a] += pull
      y[b] -= pull
    }
    for start in stride(from: 0, to: count, by: columns) {
      for index in start..<start + columns - 1 { tie(index, index + 1) }
    }
    let plane = rows * columns
    for start in stride(from: 0, to: count, by: plane) {
      for index in start..<start + plane - columns { tie(index, index + columns) }
    }
  }

  /// x ← the solution for these data and `target`, from `target` on.
  private func solve(_ y: [Double], _ precision: Double, _ x: UnsafeMutablePointer<Float>) {
    solution.pointer.update(from: target.pointer, count: count)
    iterate(y, precision, isPictureFixed: false)
    x.update(from: solution.pointer, count: count)
  }

  /// Conjugate gradients from `solution` on, in x and t, or in t alone.
  private func iterate(_ y: [Double], _ precision: Double, isPictureFixed: Bool) {
    let first = isPictureFixed ? count : 0
    func dot(_ a: FloatBuffer, _ b: FloatBuffer) -> Double {
      var sum = 0.0
      for index in first..<unknowns { sum += Double(a.pointer[index]) * Double(b.pointer[index]) }
      return sum
    }
    for index in misfits.indices { misfits[index] = y[index] }
    pullBack(into: right)
    for index in 0..<count { right.pointer[index] += Float(precision) * target.pointer[index] }
    let size = dot(right, right)
    product(solution, precision, into: image)
    for index in 0..<unknowns {
      let left = index < first ? 0 : right.pointer[index] - image.pointer[index]
      (residual.pointer[index], direction.pointer[index]) = (left, left)
    }
    var square = dot(residual, residual)
    var iterations = 0
    while square > Self.tolerance * Self.tolerance * size, iterations < Self.mostIterations {
      product(direction, precision, into: image)
      let curvature = dot(direction, image)
      guard curvature > 0 else { break }
      let step = Float(square / curvature)
      for index in first..<unknowns {
        solution.pointer[index] += step * direction.pointer[index]
        residual.pointer[index] -= step * image.pointer[index]
      }
      let next = dot(residual, residual)
      let ratio = Float(next / square)
      square = next
      for index in first..<unknowns {
        direction.pointer[index] = residual.pointer[index] + ratio * direction.pointer[index]
      }
      iterations += 1
    }
  }
}
