import ImageFiles
import Inversion
import Likelihoods
import Problems
import Sampling
import Solving
import Tensors

/// `draws.nc`: draws, what the sampler says of them, data and drawn pictures, as groups and names that
/// ArviZ knows.
///
/// Source of the names: the InferenceData schema specification, python.arviz.org. Left out of it is
/// `created_at`: the same seed gives the same bytes.
struct DrawsFile {
  /// Every number is finite.
  let content: NetCDF

  /// What was measured, in the shape of the forward model's codomain.
  struct Data {
    let values: [Float]
    let kinds: [PixelKind]
    let shape: Shape
  }

  /// How the sampler came by the draws.
  struct Statistics {
    /// ln p of the coordinates that were sampled, nats, chains × draws.
    let logDensities: [Double]
    /// nil for methods without trajectories.
    let chains: Chains?

    struct Chains {
      /// Chains × draws.
      let records: [[TransitionRecord]]
      let stepSize: Double
      /// Whether trajectories grow as trees.
      let hasTree: Bool
    }
  }

  /// - Parameters:
  ///   - samples: drawn pictures, C×H×W each; fewer than there are draws, so they count as one chain.
  ///   - attributes: what more there is to say of the run.
  init(
    draws: SolutionDraws, statistics: Statistics, data: Data, samples: [Tensor],
    attributes: [NetCDF.Attribute]
  ) {
    let axes = [NetCDF.Dimension("chain", draws.chains), .init("draw", draws.draws)]
    var groups = [
      Self.group("posterior", Self.posterior(draws, axes)),
      Self.group("sample_stats", Self.sampleStats(statistics, axes)),
    ]
    if let shape = samples.first?.shape {
      let picture = NetCDF.Variable(
        "picture", [.init("chain", 1), .init("draw", samples.count)] + Self.axes(shape),
        .float(samples.flatMap(\.values)),
        attributes: [.init("description", "intensity: the decoder's picture and a drawn residual")])
      groups.append(Self.group("posterior_predictive", [picture]))
    }
    groups.append(Self.group("observed_data", Self.observedData(data)))
    content = NetCDF(attributes: Self.library + attributes, groups: groups)
  }

  /// Draws of whole pictures, C×H×W each and at least one, made independently of one another.
  init(pictures: [Tensor], data: Data, attributes: [NetCDF.Attribute]) {
    let shape = pictures[0].shape
    let picture = NetCDF.Variable(
      "picture", [.init("chain", 1), .init("draw", pictures.count)] + Self.axes(shape),
      .float(pictures.flatMap(\.values)),
      attributes: [.init("description", "draws of the picture from its posterior")])
    content = NetCDF(
      attributes: Self.library + attributes,
      groups: [
        Self.group("posterior", [picture]),
        Self.group("observed_data", Self.observedData(data)),
      ])
  }

  private static let library: [NetCDF.Attribute] = [
    .init("inference_library", "paeinvert"),
    .init("inference_library_version", PAEInvert.version),
  ]

  private static func group(_ name: String, _ variables: [NetCDF.Variable]) -> NetCDF.Group {
    NetCDF.Group(name, attributes: library, variables: variables)
  }

  private static func posterior(
    _ draws: SolutionDraws, _ axes: [NetCDF.Dimension]
  ) -> [NetCDF.Variable] {
    var variables = [
      variable(
        "u", axes + [.init("k", draws.latentDimension)], .double(draws.base),
        "base variables of the flow, a priori N(0, I)")
    ]
    if draws.auxiliaryCount > 0 {
      variables.append(
        variable(
          "auxiliary", axes + [.init("auxiliary_index", draws.auxiliaryCount)],
          .double(draws.auxiliary),
          "coordinates of painted residual factors, or of values before clipping"))
    }
    if let sigma = draws.sigma {
      variables.append(variable("sigma", axes, .double(sigma), "noise level, intensity"))
    }
    if let scale = draws.residualScale {
      variables.append(
        variable(
          "residual_scale", axes, .double(scale),
          "size of the decoder's error in this picture against the usual"))
    }
    if let slope = draws.slope {
      variables.append(
        variable("slope", axes, .double(slope), "exponent of the noise's power law"))
    }
    return variables
  }

  private static func sampleStats(
    _ statistics: Statistics, _ axes: [NetCDF.Dimension]
  ) -> [NetCDF.Variable] {
    let density = variable(
      "lp", axes, .double(statistics.logDensities),
      "log density of the sampled coordinates and the data, nats")
    return [density] + (statistics.chains.map { trajectories($0, axes) } ?? [])
  }

  private static func trajectories(
    _ statistics: Statistics.Chains, _ axes: [NetCDF.Dimension]
  ) -> [NetCDF.Variable] {
    let records = Array(statistics.records.joined())
    func numbers(_ value: (TransitionRecord) -> Int) -> NetCDF.Values {
      .integer(records.map { Int64(value($0)) })
    }
    var variables = [
      variable(
        "energy", axes, .double(records.map(\.energy)),
        "Hamiltonian of the draw with the momentum that it was reached with, nats"),
      variable(
        "acceptance_rate", axes, .double(records.map(\.acceptance)),
        "mean Metropolis acceptance probability along the trajectory"),
      variable(
        "diverging", axes, .flags(records.map(\.isDivergent)),
        "whether the energy error exceeded its bound"),
      variable("n_steps", axes, numbers(\.steps), "leapfrog steps, one gradient each"),
      variable(
        "step_size", axes,
        .double([Double](repeating: statistics.stepSize, count: records.count)),
        "of the leapfrog integrator"),
    ]
    if statistics.hasTree {
      variables += [
        variable("tree_depth", axes, numbers(\.depth), "doublings of the trajectory"),
        variable(
          "reached_max_treedepth", axes, .flags(records.map { $0.end == .maximumDepth }),
          "whether the trajectory ended because no more doublings were allowed"),
      ]
    }
    return variables
  }

  private static func observedData(_ data: Data) -> [NetCDF.Variable] {
    let axes = axes(data.shape)
    let isObserved = data.kinds.map { $0 != .unobserved }
    let values = zip(data.values, isObserved).map { $1 ? $0 : 0 }
    return [
      variable("data", axes, .float(values), "what was measured; 0 where nothing was observed"),
      variable("observed", axes, .flags(isObserved), "whether there is a datum"),
      variable(
        "censored", axes, .flags(data.kinds.map { $0 == .belowLow || $0 == .aboveHigh }),
        "whether the datum says: here, at an end of the range, or beyond"),
    ]
  }

  private static func axes(_ shape: Shape) -> [NetCDF.Dimension] {
    guard shape.rank == 3 else { return [.init("datum", shape.count)] }
    return zip(["channel", "row", "column"], shape.extents).map { .init($0, $1) }
  }

  private static func variable(
    _ name: String, _ dimensions: [NetCDF.Dimension], _ values: NetCDF.Values,
    _ description: String
  ) -> NetCDF.Variable {
    NetCDF.Variable(
      name, dimensions, values, attributes: [.init("description", description)])
  }
}
