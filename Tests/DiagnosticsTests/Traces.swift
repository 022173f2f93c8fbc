import Diagnostics
import Testing

/// A deterministic trace, so that any language can make it: the generator s ← 6364136223846793005 s +
/// 1442695040888963407 mod 2⁶⁴ from `seed`, u = ⌊s/2¹¹⌋ 2⁻⁵³, chain after chain; in each chain
/// x ← φ x + u − ½ from 0; the value is x + shift · chain, cubed if `skewed`, rounded down to a multiple
/// of `step` if that is above 0.
struct Trace: Sendable {
  enum Fault: Sendable {
    /// 1 stands in the place of x.
    case constant
    /// The last chain's middle draw is NaN.
    case notANumber
  }

  let seed: UInt64
  let chains: Int
  let draws: Int
  let phi: Double
  var shift = 0.0
  var step = 0.0
  var skewed = false
  var fault: Fault?

  var values: [[Double]] {
    var state = seed
    var result = (0..<chains).map { chain in
      var x = 0.0
      return (0..<draws).map { _ -> Double in
        state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
        // Two roundings, as in the Python that made the references.
        x = phi * x + (Double(state >> 11) * 0x1p-53 - 0.5)
        var value = (fault == .constant ? 1 : x) + shift * Double(chain)
        if skewed { value = value * value * value }
        return step > 0 ? (value / step).rounded(.down) * step : value
      }
    }
    if fault == .notANumber { result[chains - 1][draws / 2] = .nan }
    return result
  }
}

/// What ArviZ 0.23.4 (NumPy 2.4.6) says of a trace: rhat, ess bulk and tail, mcse of the mean, the
/// standard deviation, the 5 % quantile and the median, bfmi of the first chain. Tests/Parity/diagnostics.py
/// prints the list.
struct Pinned: Sendable, CustomTestStringConvertible {
  let name: String
  let trace: Trace
  let rHat: Double
  let bulk: Double
  let tail: Double
  let mean: Double
  let sd: Double
  let quantile: Double
  let median: Double
  let eBFMI: Double
  var testDescription: String { name }
}

let pinned = [
  Pinned(
    name: "mixing",
    trace: Trace(seed: 1, chains: 4, draws: 250, phi: 0.3),
    rHat: 1.0003307421068213, bulk: 576.2232169439375, tail: 820.1208107062054,
    mean: 0.012318598042522354, sd: 0.004862256739402492, quantile: 0.011066621790294329,
    median: 0.01791365997676216, eBFMI: 1.5844534281743905),
  Pinned(
    name: "antithetic",
    trace: Trace(seed: 2, chains: 4, draws: 200, phi: -0.6),
    rHat: 0.999840314375281, bulk: 2322.471989593555, tail: 729.7861625396289,
    mean: 0.007229244944152645, sd: 0.009760792281654534, quantile: 0.03609798577988221,
    median: 0.00962422692090377, eBFMI: 3.0705609743123934),
  Pinned(
    name: "slow, odd length",
    trace: Trace(seed: 3, chains: 4, draws: 301, phi: 0.95),
    rHat: 1.0993778229757631, bulk: 32.486193435481596, tail: 108.94641936131497,
    mean: 0.1531887236492, sd: 0.04860325562614962, quantile: 0.10208573625832751,
    median: 0.1919527721877199, eBFMI: 0.11776798559838901),
  Pinned(
    name: "slow, even length",
    trace: Trace(seed: 16, chains: 4, draws: 400, phi: 0.95),
    rHat: 1.1301141807208572, bulk: 21.491175211152722, tail: 104.41166234878214,
    mean: 0.1938614799746192, sd: 0.06648880918171338, quantile: 0.19000179649537186,
    median: 0.16046046080868695, eBFMI: 0.11786825809596443),
  Pinned(
    name: "shifted",
    trace: Trace(seed: 4, chains: 3, draws: 100, phi: 0.5, shift: 0.4),
    rHat: 1.265780417052781, bulk: 9.940953628136791, tail: 56.65784145771672,
    mean: 0.12689476160184593, sd: 0.023721429417267403, quantile: 0.0875099258732801,
    median: 0.13191067220515568, eBFMI: 1.3211794661152136),
  Pinned(
    name: "ties",
    trace: Trace(seed: 5, chains: 4, draws: 120, phi: 0.4, step: 0.25),
    rHat: 1.0240972770155203, bulk: 237.92972389041807, tail: 282.867364217142,
    mean: 0.019683385674161235, sd: 0.008936561777243853, quantile: 0.0,
    median: 0.125, eBFMI: 1.3683074468584295),
  Pinned(
    name: "skewed",
    trace: Trace(seed: 6, chains: 2, draws: 501, phi: 0.7, skewed: true),
    rHat: 1.0003211890928976, bulk: 144.5352914813821, tail: 258.4835714795248,
    mean: 0.018142795589342765, sd: 0.03324311873631674, quantile: 0.07644005564359443,
    median: 0.0001196216950999982, eBFMI: 0.5243830595740976),
  Pinned(
    name: "one chain",
    trace: Trace(seed: 7, chains: 1, draws: 333, phi: 0.6),
    // Of its halves: ArviZ has none for one chain; `one_chain` in Tests/Parity/diagnostics.py.
    rHat: 1.0113430309680165, bulk: 109.42989574944971, tail: 209.8808048817339,
    mean: 0.03405709236740472, sd: 0.0152433037071333, quantile: 0.0498646591422075,
    median: 0.03936015871652395, eBFMI: 0.7786081780724308),
  Pinned(
    name: "short",
    trace: Trace(seed: 8, chains: 4, draws: 10, phi: 0.2),
    rHat: 1.1179670277036382, bulk: 38.35103163137718, tail: 30.0751879699248,
    mean: 0.043890446483748284, sd: 0.016084152119293423, quantile: 0.043762096105430054,
    median: 0.05675262707814445, eBFMI: 2.63311179037945),
  Pinned(
    name: "shortest",
    trace: Trace(seed: 9, chains: 2, draws: 5, phi: 0.2),
    rHat: 1.010969594812413, bulk: 7.224719895935548, tail: 7.224719895935548,
    mean: 0.12638382148431387, sd: 0.05736849083341912, quantile: 0.08274441017214812,
    median: 0.2544706243601839, eBFMI: 1.46398270218995),
  Pinned(
    name: "three draws",
    trace: Trace(seed: 8, chains: 4, draws: 3, phi: 0.2),
    rHat: .nan, bulk: .nan, tail: .nan,
    mean: .nan, sd: .nan, quantile: .nan,
    median: .nan, eBFMI: 2.9335651047651123),
  Pinned(
    name: "six",
    trace: Trace(seed: 9, chains: 2, draws: 6, phi: 0.2),
    rHat: 1.1537050885533007, bulk: 12.9501749525715, tail: 12.9501749525715,
    mean: 0.096897011947505, sd: 0.04278822602223285, quantile: 0.12688448793011003,
    median: 0.22344250912388114, eBFMI: 1.0855497323919767),
  Pinned(
    name: "long",
    trace: Trace(seed: 10, chains: 16, draws: 500, phi: 0.1),
    rHat: 1.0006327816682619, bulk: 6534.895302423902, tail: 7287.75690283046,
    mean: 0.003493030733914711, sd: 0.0014692193255133258, quantile: 0.002408528157211043,
    median: 0.005891043440786687, eBFMI: 1.702090137513628),
  Pinned(
    name: "independent",
    trace: Trace(seed: 14, chains: 4, draws: 500, phi: 0),
    rHat: 0.9999259218912634, bulk: 2012.683638109555, tail: 1776.4051374166852,
    mean: 0.006348855472929418, sd: 0.0027444118377455595, quantile: 0.005320984238395665,
    median: 0.011051514479120061, eBFMI: 1.961534813081463),
  Pinned(
    name: "odd length",
    trace: Trace(seed: 15, chains: 4, draws: 99, phi: 0.5),
    rHat: 1.038583647572914, bulk: 137.78709839875214, tail: 201.31509258634986,
    mean: 0.027303381969070104, sd: 0.012833340708572517, quantile: 0.03752094329763017,
    median: 0.024589029267696447, eBFMI: 1.1507622120611143),
  Pinned(
    name: "strongly antithetic",
    trace: Trace(seed: 17, chains: 2, draws: 150, phi: -0.95),
    rHat: 1.051548629105656, bulk: 743.1363764158988, tail: 109.7422120979946,
    mean: 0.027744028557524312, sd: 0.07844707983870443, quantile: 0.19298815577310857,
    median: 0.03543034946954163, eBFMI: 3.852573752945487),
  Pinned(
    name: "constant",
    trace: Trace(seed: 18, chains: 4, draws: 50, phi: 0, fault: .constant),
    rHat: .nan, bulk: 200.0, tail: 200.0,
    mean: 0.0, sd: .nan, quantile: 0.0,
    median: 0.0, eBFMI: .nan),
  Pinned(
    name: "one constant chain",
    trace: Trace(seed: 18, chains: 1, draws: 50, phi: 0, fault: .constant),
    rHat: .nan, bulk: 50.0, tail: 50.0,
    mean: 0.0, sd: .nan, quantile: 0.0,
    median: 0.0, eBFMI: .nan),
  Pinned(
    name: "constant chains that differ",
    trace: Trace(seed: 18, chains: 4, draws: 50, phi: 0, shift: 0.5, fault: .constant),
    rHat: .infinity, bulk: 4.545454545454546, tail: 4.545454545454546,
    mean: 0.2628601860056686, sd: 0.10488088481701516, quantile: 0.25,
    median: 0.25, eBFMI: .nan),
  Pinned(
    name: "not a number",
    trace: Trace(seed: 11, chains: 4, draws: 100, phi: 0.3, fault: .notANumber),
    rHat: .nan, bulk: .nan, tail: .nan,
    mean: .nan, sd: .nan, quantile: .nan,
    median: .nan, eBFMI: 1.406283127443215),
]
