// The files of one file sink, in the order in which they were written: PATH.000001, PATH.000002, …, PATH.
//
// A rotated file may be packed: PATH.000007.gz or PATH.000007.zst. A packed file has its name only once it is whole; its
// original goes after that, so a death in between leaves both, and then the original counts. What ends in .tmp is packing
// that was not finished.

import Foundation

/// A file as it lies there now.
struct SinkFile: Equatable {
    let path: String
    let inode: UInt64
    let size: Int
    /// Its place among the rotated ones; nil for the one that is written.
    let number: Int?
    /// How it is packed.
    let packing: Packing

    var name: String { (path as NSString).lastPathComponent }
}

/// All files of a sink.
struct SinkListing {
    /// Rotated files by their number, then the one that is written; of a file that is there twice, the original.
    var files: [SinkFile] = []
    /// Packed forms that lie beside their originals, with those.
    var doubles: [(original: SinkFile, packed: SinkFile)] = []
    /// Names of packing that was not finished.
    var unfinished: [String] = []

    /// Looks at the files of the sink at a path.
    init(_ path: String) {
        let folder = (path as NSString).deletingLastPathComponent
        let prefix = (path as NSString).lastPathComponent + "."
        let names = (try? FileManager.default.contentsOfDirectory(atPath: folder)) ?? []
        var forms: [Int: [SinkFile]] = [:]
        for name in names where name.hasPrefix(prefix) {
            if name.hasSuffix(".tmp") { unfinished.append(name) }
            guard let (number, packing) = Self.rotated(name.dropFirst(prefix.count)),
                let file = Self.look("\(folder)/\(name)", number: number, packing)
            else { continue }
            forms[number, default: []].append(file)
        }
        for (_, found) in forms.sorted(by: { $0.key < $1.key }) {
            guard let counting = found.first(where: { $0.packing == .none }) ?? found.first else { continue }
            files.append(counting)
            doubles += found.filter { $0 != counting }.map { (counting, $0) }
        }
        if let current = Self.look(path, number: nil, .none) { files.append(current) }
    }

    /// Original files, in their order.
    var originals: [SinkFile] { files.filter { $0.packing == .none } }

    private static func rotated(_ rest: Substring) -> (Int, Packing)? {
        let parts = rest.split(separator: ".", maxSplits: 1, omittingEmptySubsequences: false)
        guard let number = Int(parts[0]) else { return nil }
        guard parts.count == 2 else { return (number, .none) }
        return Packing.allCases.first { $0.suffix == "." + parts[1] }.map { (number, $0) }
    }

    private static func look(_ path: String, number: Int?, _ packing: Packing) -> SinkFile? {
        var status = stat()
        guard stat(path, &status) == 0 else { return nil }
        return SinkFile(
            path: path, inode: UInt64(status.st_ino), size: Int(status.st_size), number: number, packing: packing)
    }
}

extension SinkFile {
    /// Splits the whole file into lines, unpacked where it is packed.
    ///
    /// - Returns: The bytes after the last line feed: a line without its end.
    func lines(_ body: (_ offset: Int, _ line: UnsafeRawBufferPointer) -> Void) throws -> Int {
        let content = try content()
        return content.withUnsafeBytes { $0.count - LineSplitter.split($0, body) }
    }

    /// What was written to it.
    ///
    /// An original that is gone was packed since it was listed.
    func content() throws -> Data {
        guard packing == .none else { return try packing.unpack(path) }
        do {
            return try Data(contentsOf: URL(fileURLWithPath: path), options: .mappedIfSafe)
        } catch {
            for packing in Packing.allCases where packing != .none && access(path + packing.suffix, F_OK) == 0 {
                return try packing.unpack(path + packing.suffix)
            }
            throw error
        }
    }
}
