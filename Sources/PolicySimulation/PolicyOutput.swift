// The output: NDJSON, one line for each thing that happened, keys in a fixed order, so that two runs can be compared
// with `diff`. Lines gather here until there are enough of them to be worth a write.

/// Builds lines of NDJSON.
struct PolicyOutput: Sendable {
    /// Lines are handed on when they are more than this many bytes together.
    static let chunkBytes = 1 << 16

    /// Whole lines that have not been handed on.
    private(set) var bytes: [UInt8] = []

    /// Adds a line.
    mutating func add(at milliseconds: Int64, _ action: String, _ fields: (inout Fields) -> Void = { _ in }) {
        bytes += #"{"at_ms":\#(milliseconds),"action":"\#(action)""#.utf8
        var line = Fields(bytes: bytes)
        bytes = []
        fields(&line)
        bytes = line.bytes
        bytes += "}\n".utf8
    }

    /// Takes all lines.
    mutating func take() -> [UInt8] {
        defer { bytes = [] }
        return bytes
    }

    /// What follows the time and the action in a line.
    struct Fields {
        fileprivate(set) var bytes: [UInt8]

        mutating func add(_ key: String, _ value: String) {
            begin(key)
            appendQuoted(value)
        }

        mutating func add(_ key: String, _ value: Bool) {
            begin(key)
            bytes += (value ? "true" : "false").utf8
        }

        mutating func add(_ key: String, _ value: Int64) {
            begin(key)
            bytes += String(value).utf8
        }

        /// Adds an object of texts.
        mutating func add(_ key: String, _ values: [(String, String)]) {
            begin(key)
            bytes.append(UInt8(ascii: "{"))
            for (index, (name, value)) in values.enumerated() {
                if index > 0 { bytes.append(UInt8(ascii: ",")) }
                appendQuoted(name)
                bytes.append(UInt8(ascii: ":"))
                appendQuoted(value)
            }
            bytes.append(UInt8(ascii: "}"))
        }

        private mutating func begin(_ key: String) {
            bytes += #","\#(key)":"#.utf8
        }

        /// Names hold no control characters: ids and names that do are refused.
        private mutating func appendQuoted(_ text: String) {
            let (quote, backslash) = (UInt8(ascii: "\""), UInt8(ascii: "\\"))
            bytes.append(quote)
            for byte in text.utf8 {
                if byte == quote || byte == backslash { bytes.append(backslash) }
                bytes.append(byte)
            }
            bytes.append(quote)
        }
    }
}
