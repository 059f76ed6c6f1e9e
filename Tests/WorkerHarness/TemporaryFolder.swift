// A folder for one test, gone with it.

internal import Foundation

/// A fresh, private folder under the system's temporary one.
package final class TemporaryFolder: Sendable {
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
    ///
    /// A program is copied into place by a child that has ended when this returns. Had this process the file open for
    /// writing, a child that another test is just spawning would hold it open too, and it could not be run.
    @discardableResult
    package func write(_ name: String, _ content: String, executable: Bool = false) throws -> String {
        let file = path + "/" + name
        guard executable else {
            try Data(content.utf8).write(to: URL(fileURLWithPath: file))
            return file
        }
        let text = file + ".text"
        try Data(content.utf8).write(to: URL(fileURLWithPath: text))
        try FileManager.default.setAttributes([.posixPermissions: 0o700], ofItemAtPath: text)
        let copy = try Process.run(URL(fileURLWithPath: "/bin/cp"), arguments: ["--preserve=mode", text, file])
        copy.waitUntilExit()
        guard copy.terminationStatus == 0 else { throw HarnessError(description: "could not write \(file)") }
        return file
    }

    /// A file's bytes; nil where there is none.
    package func read(_ name: String) -> [UInt8]? {
        FileManager.default.contents(atPath: path + "/" + name).map { [UInt8]($0) }
    }
}
