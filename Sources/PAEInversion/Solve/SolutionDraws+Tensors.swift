import ImageFiles
import Solving
import Tensors

extension SolutionDraws {
  /// Those with a meaning of their own, for `posterior.safetensors`.
  var tensors: [Safetensors.NamedTensor] {
    let shape = Shape(chains, draws)
    let named: [(String, Shape, [Double]?)] = [
      ("u", Shape(chains, draws, latentDimension), base), ("log_density", shape, logDensities),
      ("sigma", shape, sigma), ("residual_scale", shape, residualScale),
      ("slope", shape, slope),
    ]
    return named.compactMap { name, shape, values in
      values.map { .init(name: name, shape: shape, values: .float64($0)) }
    }
  }
}
