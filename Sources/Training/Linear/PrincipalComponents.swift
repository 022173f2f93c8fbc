import CLAPACK
import Foundation
import Inversion
import Maps
import Networks
import Numerics
import Tensors

/// Mean and principal components of pictures, and how they do on others.
///
///     n, P, K   pictures, elements of a picture, components
///     μ         `mean`, P
///     λ, V      `values`, largest first, K; `vectors`, unit rows, K×P: those of (1/n) Σ (x−μ)(x−μ)ᵀ
///     t         `trace`: the sum of all eigenvalues
///
/// The eigenvalues of the smaller of the P×P covariance and the n×n matrix of inner products are the same
/// where they are not 0; a vector v of the first is Aᵀu/√(nλ) with u of the second, A the n×P rows x − μ.
struct PrincipalComponents: Sendable {
  let mean: [Double]
  let values: [Double]
  let vectors: [Double]
  let trace: Double

  /// The larger side of a matrix that is diagonalized, at most: 128 MB, and minutes of one core.
  static let largestMatrix = 4096
  /// Of more pictures evenly spaced ones are taken: with 20,000 an eigenvalue is known to 1 %.
  static let mostPictures = 20_000

  var size: Int { mean.count }
  var count: Int { values.count }

  /// - Parameter count: K at most; fewer where the pictures vary in fewer directions.
  /// Cost O(n P min(n, P) + min(n, P)³).
  init(_ images: any ImageSource, count: Int) {
    let size = images.shape.count
    let most = size <= Self.largestMatrix ? Self.mostPictures : Self.largestMatrix
    let used = min(images.count, most)
    let chosen = ImageSubset(images, (0..<used).map { $0 * images.count / used })
    let asked = max(1, min(count, size, used))
    let axes: PrincipalAxes
    if used < size {
      let mean = Self.mean(chosen)
      let rows = Self.centered(chosen, mean)
      axes = PrincipalAxes(rows: rows, count: asked, of: used)
      self.mean = mean
    } else {
      let (mean, moments) = SecondMoments.centered(chosen)
      axes = PrincipalAxes(moments, count: asked)
      self.mean = mean
    }
    trace = axes.trace
    // Rounding leaves 1e-16 of the trace in directions in which nothing varies.
    let kept = max(1, axes.values.prefix { $0 > 1e-10 * axes.trace }.count)
    values = Array(axes.values[..<kept])
    vectors = Array(axes.vectors[..<(kept * size)])
  }

  private static func mean(_ images: any ImageSource) -> [Double] {
    let picture = FloatBuffer(images.shape.count)
    var mean = [Double](repeating: 0, count: picture.count)
    for index in 0..<images.count {
      images.copy(index, into: picture.pointer)
      for element in mean.indices { mean[element] += Double(picture.pointer[element]) }
    }
    return mean.map { $0 / Double(images.count) }
  }

  /// x − μ, n×P.
  private static func centered(_ images: any ImageSource, _ mean: [Double]) -> [Double] {
    let picture = FloatBuffer(mean.count)
    var rows: [Double] = []
    rows.reserveCapacity(images.count * mean.count)
    for index in 0..<images.count {
      images.copy(index, into: picture.pointer)
      for element in mean.indices { rows.append(Double(picture.pointer[element]) - mean[element]) }
    }
    return rows
  }

  /// z = (V(x − μ))ₖ/√λₖ as encoder and x̂ = μ + Σ √λₖ zₖ vₖ as decoder, of the first `latent` components:
  /// codes of the pictures have mean 0 and covariance I.
  func networks(
    image: Shape, latent: Int
  ) throws(NetworkError) -> (encoder: Network, decoder: Network) {
    var weights: [Float] = []
    var bias: [Float] = []
    for row in 0..<latent {
      let scale = 1 / values[row].squareRoot()
      let vector = vectors[row * size..<(row + 1) * size]
      weights += vector.map { Float(scale * $0) }
      bias.append(Float(-scale * zip(vector, mean).reduce(0) { $0 + $1.0 * $1.1 }))
    }
    let transposed = (0..<size * latent).map { index in
      let row = index % latent
      return Float(values[row].squareRoot() * vectors[row * size + index / latent])
    }
    return (
      try Network(
        domain: image, layers: [.flatten, .linear(inputs: size, outputs: latent)],
        parameters: weights + bias),
      try Network(
        domain: Shape(latent), layers: [.linear(inputs: latent, outputs: size), .reshape(image)],
        parameters: transposed + mean.map { Float($0) })
    )
  }

  /// What the first K components, and probabilistic components with the same, make of other pictures.
  func trial(on images: any ImageSource) -> ComponentTrial {
    let rows = Self.centered(images, mean)
    var scores = [Double](repeating: 0, count: images.count * count)
    cblas_dgemm(
      CblasRowMajor, CblasNoTrans, CblasTrans, Int32(images.count), Int32(count), Int32(size), 1,
      rows, Int32(size), vectors, Int32(size), 0, &scores, Int32(count))
    var squares = [Double](repeating: 0, count: count)
    for index in scores.indices { squares[index % count] += scores[index] * scores[index] }
    let pictures = Double(images.count)
    return ComponentTrial(
      size: size, values: values, trace: trace, squares: squares.map { $0 / pictures },
      total: rows.reduce(0) { $0 + $1 * $1 } / pictures)
  }
}

/// How principal components do on pictures that they were not made of, for every K.
struct ComponentTrial: Sendable {
  /// P.
  let size: Int
  /// λ and t.
  let values: [Double]
  let trace: Double
  /// Mean squared score of each component, and mean of |x − μ|².
  let squares: [Double]
  let total: Double

  /// Mean squared error per element of the mean picture.
  var meanPictureError: Double { total / Double(size) }

  /// Of V_KᵀV_K(x − μ).
  func error(_ latent: Int) -> Double {
    (total - squares[..<latent].reduce(0, +)) / Double(size)
  }

  /// s², the mean of the eigenvalues that are left out (`ProbabilisticPCA`).
  func rest(_ latent: Int) -> Double {
    (trace - values[..<latent].reduce(0, +)) / Double(size - latent)
  }

  /// Of the posterior mean of probabilistic PCA, which draws score k in to (λ − s²)/λ of itself.
  func probabilisticError(_ latent: Int) -> Double {
    let rest = rest(latent)
    var sum = total
    for index in 0..<latent {
      let lost = rest / values[index]
      sum -= (1 - lost * lost) * squares[index]
    }
    return sum / Double(size)
  }

  /// Mean ln N(x; μ, WWᵀ + s²I) of a picture in nats; −∞ where nothing is left out.
  func logLikelihood(_ latent: Int) -> Double {
    let rest = rest(latent)
    guard rest > 1e-10 * trace else { return -.infinity }
    var sum = Double(size) * log(2 * Double.pi) + Double(size - latent) * log(rest)
    var left = total
    for index in 0..<latent {
      sum += log(values[index]) + squares[index] / values[index]
      left -= squares[index]
    }
    return -0.5 * (sum + left / rest)
  }
}
