import Glibc
import Testing

@testable import Fleet

@Suite("StateDirectory")
struct StateDirectoryTests {
    private func temporaryFolder() throws -> String {
        var template = Array("/tmp/flyfleet-test-XXXXXX".utf8CString)
        let made = template.withUnsafeMutableBufferPointer { $0.baseAddress.flatMap { mkdtemp($0) } }
        return String(cString: try #require(made))
    }

    @Test("it is made with its parents, for its owner alone")
    func makes() throws {
        let path = try temporaryFolder() + "/a/b"
        let state = try StateDirectory(path: path)
        var facts = stat()
        #expect(stat(path, &facts) == 0)
        #expect(facts.st_mode & 0o777 == 0o700)
        _ = consume state
    }

    @Test("a second holder is refused and told who the first is; the lock ends with the first")
    func locks() throws {
        let path = try temporaryFolder()
        let first = try StateDirectory(path: path)
        #expect(throws: StateDirectoryError.inUse(path: path, holder: getpid())) { _ = try StateDirectory(path: path) }
        _ = consume first
        #expect(throws: Never.self) { _ = try StateDirectory(path: path) }
    }

    @Test("a folder that others use is refused and left as it is; an empty one is taken and closed")
    func leavesOthersAlone() throws {
        let path = try temporaryFolder()
        let file = path + "/somebodys"
        close(open(file, O_CREAT | O_WRONLY, 0o644))
        chmod(path, 0o755)
        #expect(throws: StateDirectoryError.notOurs(path: path)) { _ = try StateDirectory(path: path) }
        var facts = stat()
        #expect(stat(path, &facts) == 0 && facts.st_mode & 0o777 == 0o755)
        unlink(file)
        let state = try StateDirectory(path: path)
        #expect(stat(path, &facts) == 0 && facts.st_mode & 0o777 == 0o700)
        _ = consume state
    }

    @Test("a path that cannot be made is refused by name")
    func refuses() {
        #expect(throws: StateDirectoryError.self) { _ = try StateDirectory(path: "/proc/nowhere") }
    }
}
