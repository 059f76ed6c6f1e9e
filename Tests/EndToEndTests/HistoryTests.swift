// `flyfleet history` as far as it is not `flyfleet-store --history`: which state directory it means.

import Foundation
import Testing
import WorkerHarness

@Suite("flyfleet history")
struct HistoryTests {
    @Test(
        "the state directory is that of 'flyfleet start' with the same flags and variables",
        arguments: [
            ([], nil, "flyfleet"), (["--sandbox"], nil, "flyfleet/sandbox"), ([], "yes", "flyfleet/sandbox"),
            ([], "off", "flyfleet"), (["--sandbox"], "off", "flyfleet/sandbox"),
        ])
    func stateDirectory(arguments: [String], variable: String?, directory: String) async throws {
        let folder = try TemporaryFolder()
        let environment = ["XDG_STATE_HOME": folder.path, "FLYFLEET_SANDBOX": variable ?? ""]
        let program = try Program(Built.path("flyfleet"), ["history"] + arguments, environment: environment)
        defer { program.dispose() }
        #expect(try await program.end() == .code(66))
        let words = "No such file or directory; name the state directory of a fleet"
        #expect(program.errors.lines == ["flyfleet: \(folder.path)/\(directory): \(words)"])
    }

    @Test("a variable that is neither true nor false is one line and 64")
    func badVariable() async throws {
        let program = try Program(Built.path("flyfleet"), ["history"], environment: ["FLYFLEET_SANDBOX": "maybe"])
        defer { program.dispose() }
        #expect(try await program.end() == .code(64))
        #expect(program.errors.lines == ["flyfleet: FLYFLEET_SANDBOX: 'maybe' is neither true nor false"])
    }
}
