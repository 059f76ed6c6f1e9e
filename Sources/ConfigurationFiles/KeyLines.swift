// On which line of a TOML document each top-level key stands. TOMLKit keeps positions for syntax errors only, and a
// message about a wrong value must name its line too.
//
// Not a parser: the document was parsed before, so this only keeps in step with strings, brackets and comments, and
// ends at the end of the bytes whatever they are.

/// The lines of the top-level keys of a valid TOML document.
struct KeyLines {
    private(set) var lines: [String: Int] = [:]

    private let bytes: [UInt8]
    private var position = 0
    private var line = 1

    /// Scans a document that TOMLKit accepted.
    init(_ document: [UInt8]) {
        bytes = document
        // Windows editors put a byte order mark first.
        if bytes.starts(with: [0xEF, 0xBB, 0xBF]) { position = 3 }
        var isTopLevel = true
        while skipBlank() {
            let start = line
            if current == Character.openBracket {
                isTopLevel = false
                while current == Character.openBracket { advance() }
                note(readKey(), start)
                // The bracket is closed again before the line ends.
                skipToEndOfLine()
            } else {
                let key = readKey()
                if isTopLevel { note(key, start) }
                skipStatement()
            }
        }
    }

    private enum Character {
        static let lineFeed = UInt8(ascii: "\n")
        static let hash = UInt8(ascii: "#")
        static let quote = UInt8(ascii: "\"")
        static let apostrophe = UInt8(ascii: "'")
        static let backslash = UInt8(ascii: "\\")
        static let openBracket = UInt8(ascii: "[")
    }

    private var current: UInt8? { position < bytes.count ? bytes[position] : nil }

    private mutating func note(_ key: String, _ line: Int) {
        if lines[key] == nil { lines[key] = line }
    }

    private mutating func advance() {
        if current == Character.lineFeed { line += 1 }
        position += 1
    }

    /// Moves to the next statement; false at the end.
    private mutating func skipBlank() -> Bool {
        while let byte = current {
            if byte == Character.hash {
                skipToEndOfLine()
            } else if byte <= UInt8(ascii: " ") {
                advance()
            } else {
                return true
            }
        }
        return false
    }

    private mutating func skipToEndOfLine() {
        while let byte = current, byte != Character.lineFeed { advance() }
    }

    /// The first part of a dotted key, quotes taken off.
    private mutating func readKey() -> String {
        while let byte = current, byte == UInt8(ascii: " ") || byte == UInt8(ascii: "\t") { advance() }
        if let quote = current, quote == Character.quote || quote == Character.apostrophe {
            let start = position + 1
            skipString(quote)
            return String(decoding: bytes[min(start, position)..<max(start, position - 1)], as: UTF8.self)
        }
        let start = position
        while let byte = current, Self.isBare(byte) { advance() }
        if position == start { advance() }
        return String(decoding: bytes[start..<min(position, bytes.count)], as: UTF8.self)
    }

    private static func isBare(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
            UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "_"), UInt8(ascii: "-"):
            true
        default:
            false
        }
    }

    /// Moves behind the rest of the key, the equals sign and the value.
    private mutating func skipStatement() {
        var depth = 0
        while let byte = current {
            switch byte {
            case Character.quote, Character.apostrophe:
                skipString(byte)
                continue
            case Character.hash:
                skipToEndOfLine()
                continue
            case Character.openBracket, UInt8(ascii: "{"):
                depth += 1
            case UInt8(ascii: "]"), UInt8(ascii: "}"):
                depth -= 1
            case Character.lineFeed where depth <= 0:
                return
            default:
                break
            }
            advance()
        }
    }

    /// Moves behind a string of one line or of several, with `quote` around it.
    private mutating func skipString(_ quote: UInt8) {
        let isLong = bytes[position...].starts(with: [quote, quote, quote])
        let closing = [UInt8](repeating: quote, count: isLong ? 3 : 1)
        for _ in closing { advance() }
        while let byte = current {
            if byte == Character.backslash, quote == Character.quote {
                advance()
                advance()
            } else if bytes[position...].starts(with: closing) {
                for _ in closing { advance() }
                // A long string may end in one or two quotes of its own.
                while isLong, current == quote { advance() }
                return
            } else {
                advance()
            }
        }
    }
}
