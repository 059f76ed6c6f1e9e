// One JSON object as one line, keys in the order they are added. For the events file, whose readers are people with
// `grep` and programs that rely on stable keys.

/// Builds one line of NDJSON.
struct JSONLine {
    private var text = "{"

    /// Adds a text, or null.
    mutating func add(_ key: String, _ value: String?) {
        begin(key)
        if let value { appendQuoted(value) } else { text += "null" }
    }

    /// Adds a whole number, or null.
    mutating func add(_ key: String, _ value: Int64?) {
        begin(key)
        text += value.map { String($0) } ?? "null"
    }

    mutating func add(_ key: String, _ value: Bool) {
        begin(key)
        text += value ? "true" : "false"
    }

    mutating func add(_ key: String, _ values: [String]) {
        begin(key)
        text += "["
        for (index, value) in values.enumerated() {
            if index > 0 { text += "," }
            appendQuoted(value)
        }
        text += "]"
    }

    /// Adds an object.
    mutating func add(_ key: String, _ build: (inout JSONLine) -> Void) {
        begin(key)
        var inner = JSONLine()
        build(&inner)
        text += inner.text + "}"
    }

    /// The line with its end.
    func finished() -> [UInt8] { [UInt8]((text + "}\n").utf8) }

    private mutating func begin(_ key: String) {
        if text.utf8.count > 1 { text += "," }
        appendQuoted(key)
        text += ":"
    }

    private mutating func appendQuoted(_ value: String) {
        text += "\""
        for scalar in value.unicodeScalars {
            switch scalar {
            case "\"": text += "\\\""
            case "\\": text += "\\\\"
            case "\n": text += "\\n"
            case "\r": text += "\\r"
            case "\t": text += "\\t"
            case "\u{0}"..."\u{1f}":
                let digits = String(scalar.value, radix: 16)
                text += "\\u" + String(repeating: "0", count: 4 - digits.count) + digits
            default: text.unicodeScalars.append(scalar)
            }
        }
        text += "\""
    }
}
