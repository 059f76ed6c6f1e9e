// A TOML file, parsed, with the line of each top-level key for messages.
//
// Texts go to TOMLKit as C strings, so a document with a NUL in it, spelled out or escaped, is refused before: what
// came after it would silently be dropped.

internal import TOMLKit

/// A parsed document and where it came from.
struct TOMLDocument {
    let path: String
    let table: TOMLTable
    private let keyLines: KeyLines
    /// How many dots a document may have; a configuration has no reason for more.
    ///
    /// Each dot of a dotted key nests one table more, and toml++ frees tables by recursion: half a million of them in
    /// one key overflow the stack. Brackets it bounds by itself.
    private static let mostDots = 10_000

    /// Parses the bytes of the file at `path`.
    ///
    /// - Throws: ``ConfigurationError`` with `invalid` that names file and line.
    init(path: String, bytes: [UInt8]) throws(ConfigurationError) {
        if let line = Self.firstLine(of: bytes, where: { String(validating: $0, as: UTF8.self) == nil }) {
            throw Self.error(path, line, "it is not UTF-8: save the file as UTF-8")
        }
        if let line = Self.firstLine(of: bytes, where: { Self.hasNul($0) }) {
            throw Self.error(path, line, "it holds a NUL character: delete it")
        }
        if let line = Self.lineBeyondDots(bytes) {
            throw Self.error(path, line, "it has over \(Self.mostDots) dots, so keys may nest too deep: shorten it")
        }
        do {
            table = try TOMLTable(string: String(decoding: bytes, as: UTF8.self))
        } catch let error as TOMLParseError {
            throw Self.error(
                path, error.source.begin.line, "it is not valid TOML: \(error.description): correct this line")
        } catch {
            throw ConfigurationError(.invalid, "\(path): it is not valid TOML: \(error): correct it")
        }
        self.path = path
        keyLines = KeyLines(bytes)
    }

    /// The line a top-level key or table stands on; 1 where that is not known.
    func line(of key: String) -> Int { keyLines.lines[key] ?? 1 }

    /// An error about a top-level key.
    func error(_ key: String, _ message: String) -> ConfigurationError {
        Self.error(path, line(of: key), message)
    }

    private static func error(_ path: String, _ line: Int, _ message: String) -> ConfigurationError {
        ConfigurationError(.invalid, "\(path):\(line): \(message)")
    }

    private static func firstLine(of bytes: [UInt8], where isWrong: (ArraySlice<UInt8>) -> Bool) -> Int? {
        bytes.split(separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false).firstIndex(where: isWrong)
            .map { $0 + 1 }
    }

    /// The line on which the document has one dot too many.
    private static func lineBeyondDots(_ bytes: [UInt8]) -> Int? {
        var dots = 0
        return firstLine(of: bytes) { line in
            dots += line.count { $0 == UInt8(ascii: ".") }
            return dots > mostDots
        }
    }

    private static func hasNul(_ line: ArraySlice<UInt8>) -> Bool {
        let text = String(decoding: line, as: UTF8.self)
        return line.contains(0) || text.contains(#"\u0000"#) || text.contains(#"\U00000000"#)
    }
}
