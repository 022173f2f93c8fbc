/// The Bayesian fraction of missing information of one chain, Σ (E_i − E_{i−1})²/(n − 1) / Var E: low
/// when momenta change the energy too little to reach the target's tails.
///
/// Source: Betancourt, "Diagnosing suboptimal cotangent disintegrations in Hamiltonian Monte Carlo",
/// 2016, eq. 9. NaN with fewer than two draws or where the energy does not change.
public func energyFractionOfMissingInformation(_ energies: [Double]) -> Double {
  guard energies.count >= 2 else { return .nan }
  var sum = 0.0
  for i in 1..<energies.count {
    sum += (energies[i] - energies[i - 1]) * (energies[i] - energies[i - 1])
  }
  return sum / Double(energies.count - 1) / variance(energies)
}
