import CFFTW
import Foundation
import Maps

/// FFTW's planner is not thread-safe, its executor is: every plan is made and destroyed under this
/// lock.
let fourierPlannerLock = NSLock()

/// Number of stored columns of the transform of W real columns: W/2 + 1. Column c stands for itself
/// and for W − c, except c = 0 and, when W is even, c = W/2.
package func halfSpectrumColumns(_ width: Int) -> Int { width / 2 + 1 }

/// How many bins of the full spectrum the stored column stands for: 1 or 2.
package func halfSpectrumWeight(column: Int, width: Int) -> Int {
  column == 0 || 2 * column == width ? 1 : 2
}

/// The grid as FFTW counts it.
/// - Throws: `tooLarge` when an extent is not positive or the grid has 2³¹ cells or more.
package func fourierExtents(height: Int, width: Int) throws(PlanError) -> (Int32, Int32) {
  let (count, overflow) = height.multipliedReportingOverflow(by: width)
  guard height > 0, width > 0, !overflow, count < Int(Int32.max) else {
    throw .tooLarge("a Fourier transform of \(height)×\(width) cells")
  }
  return (Int32(height), Int32(width))
}

/// The real Fourier transform of an H×W grid in double precision, unnormalized:
/// R_k = Σ_x r_x exp(−2πi k·x), half spectrum H×(W/2+1); backward after forward multiplies by H·W.
/// Owns its arrays; one owner, one thread at a time.
package final class RealFourierPlan {
  let height: Int
  let width: Int
  /// H×W, row-major.
  package let real: UnsafeMutableBufferPointer<Double>
  /// H×(W/2+1), row-major; real and imaginary parts.
  package let spectrum: UnsafeMutableBufferPointer<fftw_complex>
  private let forwardPlan: fftw_plan
  private let backwardPlan: fftw_plan

  package init(height: Int, width: Int) throws(PlanError) {
    let (rows, columns) = try fourierExtents(height: height, width: width)
    let bins = height * halfSpectrumColumns(width)
    guard let real = fftw_alloc_real(height * width), let spectrum = fftw_alloc_complex(bins) else {
      throw .tooLarge("a Fourier transform of \(height)×\(width) cells")
    }
    let plans = fourierPlannerLock.withLock {
      (
        fftw_plan_dft_r2c_2d(rows, columns, real, spectrum, FFTW_ESTIMATE),
        fftw_plan_dft_c2r_2d(rows, columns, spectrum, real, FFTW_ESTIMATE)
      )
    }
    guard let forwardPlan = plans.0, let backwardPlan = plans.1 else {
      throw .library("FFTW", "no plan for \(height)×\(width)")
    }
    self.height = height
    self.width = width
    self.real = .init(start: real, count: height * width)
    self.spectrum = .init(start: spectrum, count: bins)
    self.forwardPlan = forwardPlan
    self.backwardPlan = backwardPlan
  }

  deinit {
    fourierPlannerLock.withLock {
      fftw_destroy_plan(forwardPlan)
      fftw_destroy_plan(backwardPlan)
    }
    fftw_free(real.baseAddress)
    fftw_free(spectrum.baseAddress)
  }

  /// `spectrum` from `real`.
  package func forward() { fftw_execute(forwardPlan) }
  /// `real` from `spectrum`, which it destroys.
  package func backward() { fftw_execute(backwardPlan) }
}

/// `RealFourierPlan` in single precision.
final class SingleRealFourierPlan {
  let real: UnsafeMutableBufferPointer<Float>
  let spectrum: UnsafeMutableBufferPointer<fftwf_complex>
  private let forwardPlan: fftwf_plan
  private let backwardPlan: fftwf_plan

  init(height: Int, width: Int) throws(PlanError) {
    let (rows, columns) = try fourierExtents(height: height, width: width)
    let bins = height * halfSpectrumColumns(width)
    guard let real = fftwf_alloc_real(height * width), let spectrum = fftwf_alloc_complex(bins)
    else { throw .tooLarge("a Fourier transform of \(height)×\(width) cells") }
    let plans = fourierPlannerLock.withLock {
      (
        fftwf_plan_dft_r2c_2d(rows, columns, real, spectrum, FFTW_ESTIMATE),
        fftwf_plan_dft_c2r_2d(rows, columns, spectrum, real, FFTW_ESTIMATE)
      )
    }
    guard let forwardPlan = plans.0, let backwardPlan = plans.1 else {
      throw .library("FFTW", "no plan for \(height)×\(width)")
    }
    self.real = .init(start: real, count: height * width)
    self.spectrum = .init(start: spectrum, count: bins)
    self.forwardPlan = forwardPlan
    self.backwardPlan = backwardPlan
  }

  deinit {
    fourierPlannerLock.withLock {
      fftwf_destroy_plan(forwardPlan)
      fftwf_destroy_plan(backwardPlan)
    }
    fftwf_free(real.baseAddress)
    fftwf_free(spectrum.baseAddress)
  }

  func forward() { fftwf_execute(forwardPlan) }
  func backward() { fftwf_execute(backwardPlan) }
}
