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

        /// Control characters are escaped, those of C1 included: the id of a child that the tree refuses holds anything.
        private mutating func appendQuoted(_ text: String) {
            let (quote, backslash) = (UInt8(ascii: "\""), UInt8(ascii: "\\"))
            bytes.append(quote)
            for scalar in text.unicodeScalars {
                switch scalar.value {
                case 0x22, 0x5c: bytes += [backslash, UInt8(scalar.value)]
                case ..<0x20, 0x7f...0x9f:
                    bytes += (scalar.value < 0x10 ? #"\u000"# : #"\u00"#).utf8
                    bytes += String(scalar.value, radix: 16).utf8
                default: bytes += scalar.utf8
                }
            }
            bytes.append(quote)
        }
    }
}
