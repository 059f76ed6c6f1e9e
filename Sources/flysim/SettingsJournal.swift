// The settings that were changed while a simulator ran, kept in a file: a simulator that is started again with the same
// flags and the same file goes on as if nothing had happened.
//
// One JSON object a line: `at_ns` and `order`. A last line that was cut by a crash is left out.

import FoundationEssentials
import Glibc
import Simulator

/// A change of settings and its instant.
struct JournaledOrder: Codable, Sendable {
    let at: Int64
    let order: SettingsOrder

    enum CodingKeys: String, CodingKey {
        case at = "at_ns"
        case order
    }
}

/// Why a journal cannot be used.
struct JournalError: Error, CustomStringConvertible {
    /// EX_CANTCREAT of sysexits.
    static let exitCode: Int32 = 73

    /// One line, naming the file.
    let description: String
}

/// A file of changes.
package struct SettingsJournal: Sendable {
    private let path: String
    private let descriptor: Int32

    /// Opens or makes the file and reads what it holds.
    static func open(_ path: String) throws -> (journal: SettingsJournal, orders: [JournaledOrder]) {
        let descriptor = Glibc.open(path, O_RDWR | O_CREAT | O_APPEND | O_CLOEXEC, 0o644)
        guard descriptor >= 0 else {
            throw JournalError(description: "--journal \(path): \(String(cString: strerror(errno)))")
        }
        var text: [UInt8] = []
        var buffer = [UInt8](repeating: 0, count: 65_536)
        while true {
            let count = read(descriptor, &buffer, buffer.count)
            guard count > 0 else { break }
            text += buffer[..<count]
        }
        let whole = text.lastIndex(of: UInt8(ascii: "\n")).map { $0 + 1 } ?? 0
        guard ftruncate(descriptor, off_t(whole)) == 0 else {
            throw JournalError(description: "--journal \(path): \(String(cString: strerror(errno)))")
        }
        let decoder = JSONDecoder()
        let orders = try text[..<whole].split(separator: UInt8(ascii: "\n")).map { line in
            do {
                return try decoder.decode(JournaledOrder.self, from: Data(line))
            } catch {
                throw JournalError(description: "--journal \(path): not a journal of flysim; name another file")
            }
        }
        return (SettingsJournal(path: path, descriptor: descriptor), orders)
    }

    /// Adds a change.
    func append(_ order: SettingsOrder, at instant: Int64) throws {
        let line = try JSONEncoder().encode(JournaledOrder(at: instant, order: order))
        guard writeAll([UInt8](line) + [UInt8(ascii: "\n")], to: descriptor) else {
            throw JournalError(description: "\(path): \(String(cString: strerror(errno)))")
        }
    }
}
