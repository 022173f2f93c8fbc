import Flows
import ImageFiles
import Inversion
import Maps
import Networks
import Sampling
import Training

/// What ends a pipeline: one line that says what, where and what to do, and the exit code it calls
/// for (sysexits.h).
public struct PipelineError: Error, Equatable, CustomStringConvertible {
  public let description: String
  public let exitCode: Int32

  public init(_ description: String, exitCode: Int32) {
    self.description = description
    self.exitCode = exitCode
  }

  /// Options that make no sense: 64.
  public static func usage(_ description: String) -> PipelineError {
    PipelineError(description, exitCode: 64)
  }

  /// Data that cannot be used: 65.
  public static func data(_ description: String) -> PipelineError {
    PipelineError(description, exitCode: 65)
  }

  /// An input that is not there: 66.
  public static func missing(_ description: String) -> PipelineError {
    PipelineError(description, exitCode: 66)
  }

  /// A fault of ours: 70.
  public static func `internal`(_ description: String) -> PipelineError {
    PipelineError(description, exitCode: 70)
  }

  /// A configuration that cannot be used: 78.
  public static func configuration(_ description: String) -> PipelineError {
    PipelineError(description, exitCode: 78)
  }

  /// The error that any error of the modules below amounts to.
  public init(_ error: any Error) {
    switch error {
    case let error as PipelineError: self = error
    case let error as ImageFileError: self.init("\(error)", exitCode: error.exitCode)
    case let error as TrainingError: self.init("\(error)", exitCode: 65)
    case let error as ArchitectureError: self.init("\(error)", exitCode: 65)
    case let error as NetworkError: self.init("\(error)", exitCode: 65)
    case let error as FlowError: self.init("\(error)", exitCode: 65)
    case let error as PlanError: self.init("\(error)", exitCode: 65)
    case let error as ModelError: self.init("\(error)", exitCode: 65)
    case SamplingError.cancelled: self.init("interrupted", exitCode: 130)
    case let error as SamplingError: self.init("\(error)", exitCode: 70)
    default: self.init("\(error)", exitCode: 70)
    }
  }
}
