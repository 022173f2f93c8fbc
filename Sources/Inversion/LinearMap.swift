import Likelihoods
import Networks
import Tensors

/// y = W x in single precision by the fast products of `Networks`.
/// - Parameter weights: `outputs` × domain, row-major.
/// - Precondition: finite weights of that number.
func linearMap(from domain: Shape, to outputs: Int, weights: [Float]) -> Network {
  do {
    return try Network(
      domain: domain,
      layers: (domain.rank == 1 ? [] : [.reshape(Shape(domain.count))])
        + [.linear(inputs: domain.count, outputs: outputs)],
      parameters: weights + [Float](repeating: 0, count: outputs))
  } catch {
    preconditionFailure("a linear map from \(domain) to \(outputs): \(error)")
  }
}

extension DiagonalizedMeasurement {
  /// M, from pictures to turned data, as the posterior's instrument.
  package func makeInstrument() -> Network {
    linearMap(
      from: measurement.forwardOperator.domain, to: count, weights: matrix.map { Float($0) })
  }
}

/// The turned data of several measurements of one picture, one after the other: J·D.
/// - Precondition: one at least, all of one domain.
package func stackedInstrument(_ measurements: [DiagonalizedMeasurement]) -> Network {
  linearMap(
    from: measurements[0].measurement.forwardOperator.domain,
    to: measurements.reduce(0) { $0 + $1.count },
    weights: measurements.flatMap { $0.matrix.map { Float($0) } })
}
