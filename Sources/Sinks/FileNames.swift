// What the files of one sink are called, all of them in the folder of the file itself.
//
//     app.ndjson              the file
//     app.ndjson.000007       rotated away, the seventh
//     app.ndjson.000007.zst   the same, packed; .gz with gzip
//     app.ndjson.000007.zst.tmp    packing is under way, or was when somebody pulled the plug
//     .app.ndjson.flyfleet    the lock, and in it the notes
//     .app.ndjson.new         the next file, before it takes the place

package import WorkerProtocol

/// The names of one sink's files.
package struct FileNames: Equatable, Sendable {
    /// Bytes of the longest name that leaves room for what is put around it.
    static let mostNameBytes = 255 - 40
    /// Digits of a sequence in a name; larger ones have more.
    static let sequenceDigits = 6

    package let folder: String
    package let name: String

    /// The names around an absolute path; nil for one that ends in a slash.
    package init?(path: String) {
        guard path.hasPrefix("/"), let slash = path.lastIndex(of: "/") else { return nil }
        let name = path[path.index(after: slash)...]
        guard !name.isEmpty, name != ".", name != "..", name.utf8.count <= Self.mostNameBytes else { return nil }
        let folder = path[..<slash]
        self.folder = folder.isEmpty ? "/" : String(folder)
        self.name = String(name)
    }

    private var prefix: String { folder == "/" ? "/" : folder + "/" }

    package var path: String { prefix + name }
    package var lock: String { prefix + "." + name + ".flyfleet" }
    package var next: String { prefix + "." + name + ".new" }

    /// Where the file of a sequence goes when it is rotated away.
    package func rotated(_ sequence: UInt64) -> String {
        let digits = String(sequence)
        let zeros = String(repeating: "0", count: max(0, Self.sequenceDigits - digits.utf8.count))
        return path + "." + zeros + digits
    }

    /// The same, packed.
    package func packed(_ sequence: UInt64, _ compression: FileCompression) -> String {
        rotated(sequence) + compression.suffix
    }

    /// What a name in the folder is to this sink; nil for what is none of its business.
    package func role(of entry: String) -> Role? {
        guard entry.hasPrefix(name + ".") else { return nil }
        let rest = entry.dropFirst(name.count + 1)
        let digits = rest.prefix { $0.isASCII && $0.isNumber }
        guard let sequence = UInt64(digits), sequence > 0, entry.hasPrefix(Self.lastPart(rotated(sequence))) else {
            return nil
        }
        switch rest.dropFirst(digits.count) {
        case "": return .rotated(sequence)
        case ".gz": return .packed(sequence, .gzip)
        case ".zst": return .packed(sequence, .zstd)
        case ".gz.tmp", ".zst.tmp": return .leftover
        default: return nil
        }
    }

    /// What a name says.
    package enum Role: Equatable, Sendable {
        case rotated(UInt64)
        case packed(UInt64, FileCompression)
        /// Packing that was not finished.
        case leftover
    }

    private static func lastPart(_ path: String) -> Substring {
        path[path.index(after: path.lastIndex(of: "/") ?? path.startIndex)...]
    }
}

extension FileCompression {
    /// What a packed file's name ends in.
    package var suffix: String {
        switch self {
        case .none: ""
        case .gzip: ".gz"
        case .zstd: ".zst"
        }
    }
}
