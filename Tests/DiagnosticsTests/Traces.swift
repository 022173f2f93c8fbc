import Diagnostics
import Testing

/// A deterministic trace, so that any language can make it: the generator s ← 6364136223846793005 s +
/// 1442695040888963407 mod 2⁶⁴ from `seed`, u = ⌊s/2¹¹⌋ 2⁻⁵³, chain after chain; in each chain
/// x ← φ x + u − ½ from 0; the value is x + shift · chain, cubed if `skewed`, rounded down to a multiple
/// of `step` if that is above 0.
struct Trace: Sendable {
  let seed: UInt64
  let chains: Int
  let draws: Int
  let phi: Double
  var shift = 0.0
  var step = 0.0
  var skewed = false

  var values: [[Double]] {
    var state = seed
    return (0..<chains).map { chain in
      var x = 0.0
      return (0..<draws).map { _ in
        state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
        // Two roundings, as in the Python that made the references.
        x = phi * x + (Double(state >> 11) * 0x1p-53 - 0.5)
        var value = x + shift * Double(chain)
        if skewed { value = value * value * value }
        return step > 0 ? (value / step).rounded(.down) * step : value
      }
    }
  }
}

/// What ArviZ 0.22.0 (NumPy 2.4.6, SciPy 1.17.1) says of a trace: rhat, ess bulk and tail, mcse of the
/// mean, the standard deviation and the 5 % quantile, bfmi of the first chain.
struct Pinned: Sendable, CustomTestStringConvertible {
  let name: String
  let trace: Trace
  let rHat: Double
  let bulk: Double
  let tail: Double
  let mean: Double
  let sd: Double
  let quantile: Double
  let eBFMI: Double
  var testDescription: String { name }
}

let pinned = [
  Pinned(
    name: "mixing",
    trace: Trace(
      seed: 1, chains: 4, draws: 250, phi: 0.3, shift: 0, step: 0, skewed: false),
    rHat: 1.0003307421068213, bulk: 576.2232169439375, tail: 820.1208107062054,
    mean: 0.012318598042522354, sd: 0.004862256739402492, quantile: 0.011066621790294329,
    eBFMI: 1.5844534281743905),
  Pinned(
    name: "antithetic",
    trace: Trace(
      seed: 2, chains: 4, draws: 200, phi: -0.6, shift: 0, step: 0, skewed: false),
    rHat: 0.999840314375281, bulk: 2322.471989593555, tail: 729.7861625396289,
    mean: 0.007229244944152645, sd: 0.009760792281654534, quantile: 0.03609798577988221,
    eBFMI: 3.0705609743123934),
  Pinned(
    name: "slow",
    trace: Trace(
      seed: 3, chains: 4, draws: 301, phi: 0.95, shift: 0, step: 0, skewed: false),
    rHat: 1.0993778229757631, bulk: 32.486193435481596, tail: 108.94641936131497,
    mean: 0.1531887236492, sd: 0.04860325562614962, quantile: 0.10208573625832751,
    eBFMI: 0.11776798559838901),
  Pinned(
    name: "shifted",
    trace: Trace(
      seed: 4, chains: 3, draws: 100, phi: 0.5, shift: 0.4, step: 0, skewed: false),
    rHat: 1.265780417052781, bulk: 9.940953628136791, tail: 56.65784145771672,
    mean: 0.12689476160184593, sd: 0.023721429417267403, quantile: 0.0875099258732801,
    eBFMI: 1.3211794661152136),
  Pinned(
    name: "ties",
    trace: Trace(
      seed: 5, chains: 4, draws: 120, phi: 0.4, shift: 0, step: 0.25, skewed: false),
    rHat: 1.0240972770155203, bulk: 237.92972389041807, tail: 282.867364217142,
    mean: 0.019683385674161235, sd: 0.008936561777243853, quantile: 0.0,
    eBFMI: 1.3683074468584295),
  Pinned(
    name: "skewed",
    trace: Trace(
      seed: 6, chains: 2, draws: 501, phi: 0.7, shift: 0, step: 0, skewed: true),
    rHat: 1.0003211890928976, bulk: 144.5352914813821, tail: 258.4835714795248,
    mean: 0.018142795589342765, sd: 0.03324311873631674, quantile: 0.07644005564359443,
    eBFMI: 0.5243830595740976),
  Pinned(
    name: "one chain",
    trace: Trace(
      seed: 7, chains: 1, draws: 333, phi: 0.6, shift: 0, step: 0, skewed: false),
    rHat: .nan, bulk: 109.42989574944971, tail: 209.8808048817339,
    mean: 0.03405709236740472, sd: 0.0152433037071333, quantile: 0.0498646591422075,
    eBFMI: 0.7786081780724308),
  Pinned(
    name: "short",
    trace: Trace(
      seed: 8, chains: 4, draws: 10, phi: 0.2, shift: 0, step: 0, skewed: false),
    rHat: 1.1179670277036382, bulk: 38.35103163137718, tail: 30.0751879699248,
    mean: 0.043890446483748284, sd: 0.016084152119293423, quantile: 0.043762096105430054,
    eBFMI: 2.63311179037945),
  Pinned(
    name: "shortest",
    trace: Trace(
      seed: 9, chains: 2, draws: 5, phi: 0.2, shift: 0, step: 0, skewed: false),
    rHat: 1.010969594812413, bulk: 7.224719895935548, tail: 7.224719895935548,
    mean: 0.12638382148431387, sd: 0.05736849083341912, quantile: 0.08274441017214812,
    eBFMI: 1.46398270218995),
  Pinned(
    name: "six",
    trace: Trace(
      seed: 9, chains: 2, draws: 6, phi: 0.2, shift: 0, step: 0, skewed: false),
    rHat: 1.1537050885533007, bulk: 12.9501749525715, tail: 12.9501749525715,
    mean: 0.096897011947505, sd: 0.04278822602223285, quantile: 0.12688448793011003,
    eBFMI: 1.0855497323919767),
  Pinned(
    name: "long",
    trace: Trace(
      seed: 10, chains: 16, draws: 500, phi: 0.1, shift: 0, step: 0, skewed: false),
    rHat: 1.0006327816682619, bulk: 6534.895302423902, tail: 7287.75690283046,
    mean: 0.003493030733914711, sd: 0.0014692193255133258, quantile: 0.002408528157211043,
    eBFMI: 1.702090137513628),
]
