import Measurement

extension Prior {
  public var residual: ResidualCovariance { ResidualCovariance(variances: residualVariances) }
}
