import Foundation
import Numerics
import Randomness

/// A first step size: doubled or halved until the acceptance of one step crosses 0.8.
///
/// Source: Hoffman and Gelman, "The No-U-Turn sampler", 2014, algorithm 4; the threshold 0.8 in place
/// of ½, since trajectories aim at about that, is Stan's. Starts from D^(−1/4), the scaling of the
/// optimal step on a unit Gaussian (Neal 2011, section 4.4). At most 50 gradients.
func initialStepSize(
  at state: ChainState, metric: any Metric, lane: Lane, key: RandomKey
) async -> Double {
  let point = PhasePoint(dimension: state.position.count)
  var leapfrog = Leapfrog(stepSize: pow(Double(state.position.count), -0.25), metric: metric)
  var grows: Bool?
  for trial in 0..<50 {
    var stream = key.child(trial).stream()
    point.state.copy(from: state)
    leapfrog.refresh(point, from: &stream)
    let startEnergy = point.energy
    await leapfrog.step(point, forward: true, lane: lane)
    let accepts = startEnergy - point.energy > log(0.8)
    if let grows, grows != accepts { break }
    grows = accepts
    leapfrog.stepSize *= accepts ? 2 : 0.5
  }
  return leapfrog.stepSize
}
