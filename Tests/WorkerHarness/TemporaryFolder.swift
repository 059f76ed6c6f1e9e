// A folder for one test, gone with it.

internal import Foundation

/// A fresh, private folder under the system's temporary one.
package final class TemporaryFolder {
    package let path: String

    package init() throws {
        let url = FileManager.default.temporaryDirectory.appendingPathComponent("flyfleet-test-\(UUID().uuidString)")
        try FileManager.default.createDirectory(
            at: url, withIntermediateDirectories: true, attributes: [.posixPermissions: 0o700])
        path = url.path
    }

    deinit {
        try? FileManager.default.removeItem(atPath: path)
    }

    /// Writes a file and says where.
    @discardableResult
    package func write(_ name: String, _ content: String, executable: Bool = false) throws -> String {
        let file = path + "/" + name
        try Data(content.utf8).write(to: URL(fileURLWithPath: file))
        if executable {
            try FileManager.default.setAttributes([.posixPermissions: 0o700], ofItemAtPath: file)
            try waitForWriters(file)
        }
        return file
    }

    /// Waits until nobody has the file open for writing, which would keep it from being run.
    ///
    /// A child that another test is just spawning holds our descriptors between its fork and its exec. The kernel
    /// grants a read lease only when there is no writer left.
    private func waitForWriters(_ file: String) throws {
        let descriptor = open(file, O_RDONLY | O_CLOEXEC)
        defer { close(descriptor) }
        for _ in 0..<10_000 {
            if fcntl(descriptor, Self.setLease, Int32(F_RDLCK)) == 0 {
                _ = fcntl(descriptor, Self.setLease, Int32(F_UNLCK))
                return
            }
            usleep(500)
        }
        throw HarnessError(description: "\(file) is still being written")
    }

    /// `F_SETLEASE`, whose name needs _GNU_SOURCE.
    private static let setLease: Int32 = 1024

    /// A file's bytes; nil where there is none.
    package func read(_ name: String) -> [UInt8]? {
        FileManager.default.contents(atPath: path + "/" + name).map { [UInt8]($0) }
    }
}
