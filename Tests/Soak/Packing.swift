// How rotated files are packed, and the system's own programs that unpack them: gzip and zstd check what they read.

import Foundation

/// A form of a rotated file.
enum Packing: String, CaseIterable, Codable, Sendable {
    case none
    case gzip
    case zstd

    /// What is behind the name of the original.
    var suffix: String {
        switch self {
        case .none: ""
        case .gzip: ".gz"
        case .zstd: ".zst"
        }
    }

    private static let folders = ["/usr/local/bin", "/usr/bin", "/bin"]

    /// The program that unpacks it; nil where it is not installed.
    var program: String? {
        Self.folders.map { "\($0)/\(rawValue)" }.first { access($0, X_OK) == 0 }
    }

    /// The content of a packed file.
    ///
    /// - Throws: ``UnpackError`` for a file that is not whole, ``SoakError`` where there is no program.
    func unpack(_ path: String) throws -> Data {
        guard let program else { throw SoakError("\(path) cannot be read: \(rawValue) is not installed") }
        var ends: [Int32] = [-1, -1]
        guard pipe(&ends) == 0 else { throw SoakError("no pipe: \(String(cString: strerror(errno)))") }
        defer { close(ends[0]) }
        for end in ends { _ = fcntl(end, F_SETFD, FD_CLOEXEC) }
        let child: LaunchedProcess
        do {
            defer { close(ends[1]) }
            child = try LaunchedProcess(
                program, ["-dc", path], environment: [:], output: .descriptor(ends[1]), errors: "/dev/null")
        }
        var content = Data()
        var chunk = [UInt8](repeating: 0, count: 1 << 18)
        while true {
            let count = read(ends[0], &chunk, chunk.count)
            if count < 0, errno == EINTR { continue }
            guard count > 0 else { break }
            content += chunk[..<count]
        }
        guard let ending = child.ending(within: 10) else {
            child.send(SIGKILL)
            _ = child.ending(within: 10)
            throw UnpackError(path: path, ending: "no end")
        }
        guard ending == .code(0) else { throw UnpackError(path: path, ending: "\(ending)") }
        return content
    }
}

/// A packed file that the system's program refuses.
struct UnpackError: Error, CustomStringConvertible {
    let path: String
    let ending: String

    var description: String { "\((path as NSString).lastPathComponent) does not unpack: \(ending)" }
}
