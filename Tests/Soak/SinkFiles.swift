// The files of one file sink, in the order in which they were written: PATH.000001, PATH.000002, …, PATH.

import Foundation

/// A file as it lies there now.
struct SinkFile: Equatable {
    let path: String
    let inode: UInt64
    let size: Int
}

/// Finding the files of a sink.
enum SinkFiles {
    /// Rotated files by their number, then the one that is written.
    static func inOrder(_ path: String) -> [SinkFile] {
        let folder = (path as NSString).deletingLastPathComponent
        let prefix = (path as NSString).lastPathComponent + "."
        let names = (try? FileManager.default.contentsOfDirectory(atPath: folder)) ?? []
        let rotated = names.compactMap { name -> (number: Int, name: String)? in
            guard name.hasPrefix(prefix), let number = Int(name.dropFirst(prefix.count)) else { return nil }
            return (number, name)
        }
        let paths = rotated.sorted { $0.number < $1.number }.map { "\(folder)/\($0.name)" } + [path]
        return paths.compactMap(look)
    }

    /// Splits a whole file into lines.
    ///
    /// - Returns: The bytes after the last line feed: a line without its end.
    static func lines(of path: String, _ body: (_ offset: Int, _ line: UnsafeRawBufferPointer) -> Void) throws -> Int {
        let content = try Data(contentsOf: URL(fileURLWithPath: path), options: .mappedIfSafe)
        return content.withUnsafeBytes { bytes in
            var start = 0
            while let end = memchrIndex(bytes, from: start) {
                body(start, UnsafeRawBufferPointer(rebasing: bytes[start..<end]))
                start = end + 1
            }
            return bytes.count - start
        }
    }

    private static func memchrIndex(_ bytes: UnsafeRawBufferPointer, from start: Int) -> Int? {
        guard start < bytes.count, let base = bytes.baseAddress,
            let found = memchr(base + start, 0x0A, bytes.count - start)
        else { return nil }
        return UnsafeRawPointer(found) - base
    }

    private static func look(_ path: String) -> SinkFile? {
        var status = stat()
        guard stat(path, &status) == 0 else { return nil }
        return SinkFile(path: path, inode: UInt64(status.st_ino), size: Int(status.st_size))
    }
}
