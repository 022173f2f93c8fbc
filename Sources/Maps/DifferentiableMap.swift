import Tensors

/// Why a plan could not be made: sizes that do not fit, or a library's refusal.
public enum PlanError: Error, Equatable, CustomStringConvertible {
  /// The codomain of one map is not the domain of the next.
  case shapesDiffer(expected: Shape, found: Shape)
  /// The work would need more elements than can be addressed.
  case tooLarge(String)
  /// A system library refused; its name and what it said.
  case library(String, String)
  /// A covariance, kernel or matrix that cannot be used; which one and why.
  case unusable(String)

  public var description: String {
    switch self {
    case .shapesDiffer(let expected, let found):
      "the maps do not fit together: expected \(expected), found \(found)"
    case .tooLarge(let what): "too large to plan: \(what)"
    case .library(let name, let message): "\(name): \(message)"
    case .unusable(let what): what
    }
  }
}

/// A differentiable function y = m(x) between arrays of fixed shapes: a layer, a decoder, a flow's
/// generating direction, a blur, a mask. A value; `makePlan` does everything that can fail.
///
/// Law (tested by `checkVectorJacobianProduct`): ⟨vjp(dy), v⟩ = d/dt ⟨dy, m(x + t·v)⟩ at t = 0.
public protocol DifferentiableMap: Sendable {
  /// Shape of one x (one lane).
  var domain: Shape { get }
  /// Shape of one y (one lane).
  var codomain: Shape { get }
  /// A plan that maps `lanes` items at once.
  func makePlan(lanes: Int) throws(PlanError) -> any MapPlan
}

/// The execution of a map on `lanes` items: owns its buffers, allocates nothing, cannot throw.
/// One owner, one thread at a time.
public protocol MapPlan: AnyObject {
  /// y = m(x). `x`: lanes × domain, `y`: lanes × codomain, row-major.
  func apply(_ x: Span<Float>, into y: inout MutableSpan<Float>)
  /// dx = Jᵀ dy at the x of the latest `apply`. `dy`: lanes × codomain, `dx`: lanes × domain.
  func vjp(_ dy: Span<Float>, into dx: inout MutableSpan<Float>)
}

/// A linear map y = A x. Law: its vjp is Aᵀ, whatever x was: ⟨A x, y⟩ = ⟨x, Aᵀ y⟩.
public protocol LinearOperator: DifferentiableMap {}
