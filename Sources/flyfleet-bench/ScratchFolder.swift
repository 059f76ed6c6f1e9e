// A folder for one measurement's files, gone when the measurement is.

import FoundationEssentials
import Glibc

/// A temporary folder that removes itself.
final class ScratchFolder {
    let path: String

    /// - Parameter base: where; nil for the place of temporary files.
    init(in base: String? = nil) throws(BenchError) {
        let base = base ?? getenv("TMPDIR").map { String(cString: $0) } ?? "/tmp"
        var template = Array("\(base)/flyfleet-bench.XXXXXX".utf8CString)
        guard mkdtemp(&template) != nil else { throw BenchError.system("make a folder in \(base)", errno) }
        path = String(decoding: template.dropLast().map(UInt8.init(bitPattern:)), as: UTF8.self)
    }

    /// Makes a folder inside; its path.
    func folder(_ name: String) throws(BenchError) -> String {
        let folder = "\(path)/\(name)"
        guard mkdir(folder, 0o700) == 0 else { throw BenchError.system("make \(folder)", errno) }
        return folder
    }

    /// Makes a file inside.
    func file(_ name: String, _ text: String) throws(BenchError) {
        try writeFile("\(path)/\(name)", text, mode: 0o600)
    }

    /// Makes a FIFO inside and opens it for reading.
    ///
    /// - Parameter keptOpen: Whether it must not end when its writers go.
    func fifo(_ name: String, keptOpen: Bool) throws(BenchError) -> LineReader {
        let fifo = "\(path)/\(name)"
        guard mkfifo(fifo, 0o600) == 0 else { throw BenchError.system("make \(fifo)", errno) }
        let descriptor = open(fifo, (keptOpen ? O_RDWR : O_RDONLY) | O_NONBLOCK | O_CLOEXEC)
        guard descriptor >= 0 else { throw BenchError.system("open \(fifo)", errno) }
        return LineReader(descriptor)
    }

    deinit { try? FileManager.default.removeItem(atPath: path) }
}
