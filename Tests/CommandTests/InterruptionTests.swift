import Foundation
import Testing

/// SIGINT, SIGTERM and SIGHUP end a command with 130, 143 and 129, and what was half-written goes.
///
/// Seen to fail: `removeAll` removing nothing; now and then a dispatch source as the handler;
/// sigwait without a handler.
@Suite struct InterruptionTests {
  private let folder = TemporaryFolder()

  @Test(arguments: [SIGINT, SIGTERM, SIGHUP])
  func interruptedSolversLeaveNothing(signal: Int32) throws {
    folder.put("a.png", TestPicture.png())
    let before = folder.listing()
    // Far more draws than there is time for.
    let program = try RunningProgram(
      ["denoise", "a.png", "-m", TestModel.grey, "--chains", "16", "--draws", "300000"], in: folder)
    #expect(program.wait { folder.listing() != before })
    program.send(signal)
    let outcome = program.wait()
    #expect(outcome.status == 128 + Int(signal) && outcome.output.isEmpty)
    #expect(folder.listing() == before)
  }
}
