import ImageFiles
import Judging
import Solving

extension InverseSolution {
  /// Writes the result folder that the commands leave: pictures, `posterior.safetensors`, `draws.nc`,
  /// `report.json` and `report.html`. It appears whole or not at all.
  /// - Parameter overwrite: whether an earlier result folder there may be replaced.
  /// - Returns: what `report.json` says.
  /// - Throws: `ImageFileError` when the folder is there or cannot be written; `PlanError` when plans cannot be
  ///   made.
  @discardableResult
  public func write(to path: String, overwrite: Bool = false) throws -> SolveReport {
    let folder = try OutputFolder(path: path, overwrite: overwrite)
    let judge = try SolutionJudge(batch)
    let report = try SolveReport(
      command: "solve", model: ReportedModel(batch.solver.model), solution: self,
      fit: judge.fit(of: self),
      misfit: judge.misfit(of: self))
    try SolutionFiles(solved: self, report: report).write(to: folder)
    try folder.commit()
    return report
  }
}
