import Testing

@testable import Fleet

@Suite("Preflight")
struct PreflightTests {
    @Test("a limit of open files that all workers fit into is enough", arguments: [(1, 56), (20, 208), (100, 848)])
    func enough(apps: Int, allowed: UInt64) throws {
        try Preflight.checkDescriptors(apps: apps, allowed: allowed)
    }

    @Test(
        "a limit of open files that is one too small is refused, naming what to do",
        arguments: [(1, 55), (20, 207), (100, 847)])
    func tooFew(apps: Int, allowed: UInt64) throws {
        let error = try #require(throws: PreflightError.self) {
            try Preflight.checkDescriptors(apps: apps, allowed: allowed)
        }
        #expect(error.exitCode == 69)
        #expect(error.description.contains("ulimit -n \(allowed + 1)"))
    }
}
