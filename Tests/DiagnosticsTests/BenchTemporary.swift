import Diagnostics
import Probability
import Testing
@Test func diagBench() {
  var pos: [Double] = []
  let t = (0..<40).map { Trace(seed: UInt64($0), chains: 16, draws: 500, phi: 0.3).values.flatMap { $0 } }
  for i in 0..<8000 { for d in 0..<40 { pos.append(t[d][i]) } }
  let set = DrawSet(chains: 16, draws: 500, dimension: 40, positions: pos, logDensities: Array(repeating: 0, count: 8000))
  let c = ContinuousClock(); let t0 = c.now
  let v = Verdict(draws: set, energies: Trace(seed: 3, chains: 16, draws: 500, phi: 0.3).values, divergences: 0)
  print("diag seconds", c.now - t0, v.rHatMaximum)
}
