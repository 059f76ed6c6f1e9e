import Foundation
import Testing
import WorkerHarness

@Suite("A fleet that does not start")
struct StartFailureTests {
    @Test(
        "a fixed process that fails before it was ever ready stops everything; the last line says what to do",
        arguments: [
            (
                "#!/bin/sh\nexec cat > /dev/null\n",
                "store was not ready within --start-timeout; everything is stopped: mend the cause, or allow it more time"
            ),
            ("#!/bin/false\n", "store did not start: exit code 1; everything is stopped: see the lines above"),
        ])
    func fixedProcess(store: String, words: String) async throws {
        let folder = try TemporaryFolder()
        let libexec = try Libexec(folder, behaviour: "good")
        try FileManager.default.removeItem(atPath: libexec.path + "/flyfleet-store")
        try folder.write("libexec/flyfleet-store", store, executable: true)
        let arguments = ["--apps", "web", "--state-dir", folder.path + "/state", "--libexec", libexec.path]
        let fleet = try FleetProcess(
            arguments + ["--start-timeout", "2s"], environment: ["FLY_ACCESS_TOKEN": "fm2_test"])
        defer { fleet.dispose() }
        #expect(try await fleet.program.end() == .code(70))
        #expect(fleet.program.errors.lines.last == "flyfleet: \(words)")
        #expect(fleet.left().isEmpty)
    }
}
