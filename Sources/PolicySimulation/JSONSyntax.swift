// Finds where a text is not JSON (RFC 8259, with unique keys). It reads nothing: the decoder does, which says that a text
// is bad and not where, and lets trailing commas and repeated keys pass.

/// Checks the syntax of JSON.
struct JSONSyntax {
    /// Where a text stops being JSON.
    struct Fault: Error, Hashable {
        let line: Int
        /// In bytes, from 1.
        let column: Int
        let reason: String
    }

    /// Deepest nesting of arrays and objects; more than the deepest tree needs.
    static let depth = 256

    private let bytes: [UInt8]
    private var position = 0
    private var nesting = 0

    /// The first fault of a whole text; nil when it is JSON.
    static func firstFault(in bytes: [UInt8]) -> Fault? {
        guard String(validating: bytes, as: UTF8.self) != nil else {
            return Fault(line: 1, column: 1, reason: "the text is not UTF-8")
        }
        var syntax = JSONSyntax(bytes: bytes)
        do throws(Fault) {
            try syntax.value()
            guard syntax.position == bytes.count else { throw syntax.fault("there is more after the end") }
            return nil
        } catch {
            return error
        }
    }

    private init(bytes: [UInt8]) {
        self.bytes = bytes
    }

    private var next: UInt8? { position < bytes.count ? bytes[position] : nil }

    private func fault(_ reason: String) -> Fault {
        let before = bytes[..<position]
        let newline = UInt8(ascii: "\n")
        let start = before.lastIndex(of: newline).map { $0 + 1 } ?? 0
        return Fault(
            line: 1 + before.count { $0 == newline }, column: 1 + position - start,
            reason: next == nil ? "it ends too early" : reason)
    }

    /// A value with the space around it.
    private mutating func value() throws(Fault) {
        skipSpace()
        switch next {
        case UInt8(ascii: "{"):
            var keys: Set<ArraySlice<UInt8>> = []
            try members(until: "}") { (syntax) throws(Fault) in try syntax.member(&keys) }
        case UInt8(ascii: "["): try members(until: "]") { (syntax) throws(Fault) in try syntax.value() }
        case UInt8(ascii: "\""): try string()
        case UInt8(ascii: "t"): try word("true")
        case UInt8(ascii: "f"): try word("false")
        case UInt8(ascii: "n"): try word("null")
        default: try number()
        }
        skipSpace()
    }

    private mutating func members(
        until end: Unicode.Scalar, _ member: (inout JSONSyntax) throws(Fault) -> Void
    ) throws(Fault) {
        guard nesting < JSONSyntax.depth else { throw fault("it is nested too deeply") }
        nesting += 1
        position += 1
        skipSpace()
        if !skip(end) {
            repeat { try member(&self) } while skip(",")
            guard skip(end) else { throw fault("a comma or \(end) belongs here") }
        }
        nesting -= 1
    }

    /// A key that no other of its object has, and its value.
    private mutating func member(_ keys: inout Set<ArraySlice<UInt8>>) throws(Fault) {
        skipSpace()
        guard next == UInt8(ascii: "\"") else { throw fault("a key in quotes belongs here") }
        let start = position
        try string()
        guard keys.insert(bytes[start..<position]).inserted else {
            position = start
            throw fault("this key is there twice")
        }
        skipSpace()
        guard skip(":") else { throw fault("a colon belongs here") }
        try value()
    }

    private mutating func string() throws(Fault) {
        position += 1
        while !skip("\"") {
            guard let byte = next, byte >= 0x20 else { throw fault("a control character in a text; escape it") }
            guard skip("\\") else {
                position += 1
                continue
            }
            if skip("u") {
                for _ in 0..<4 {
                    guard let digit = next, isHexadecimal(digit) else { throw fault("four digits belong after \\u") }
                    position += 1
                }
            } else {
                guard let byte = next, #""\/bfnrt"#.utf8.contains(byte) else { throw fault("no such escape") }
                position += 1
            }
        }
    }

    private mutating func number() throws(Fault) {
        let start = position
        _ = skip("-")
        guard let first = next, isDigit(first) else {
            position = start
            throw fault("a value belongs here")
        }
        if !skip("0") { skipDigits() }
        if skip(".") { try digits() }
        if skip("e") || skip("E") {
            _ = skip("+") || skip("-")
            try digits()
        }
    }

    private mutating func digits() throws(Fault) {
        guard let digit = next, isDigit(digit) else { throw fault("a digit belongs here") }
        skipDigits()
    }

    private mutating func word(_ word: String) throws(Fault) {
        guard bytes[position...].starts(with: word.utf8) else { throw fault("a value belongs here") }
        position += word.utf8.count
    }

    private mutating func skipDigits() {
        while let byte = next, isDigit(byte) { position += 1 }
    }

    private mutating func skipSpace() {
        while let byte = next, byte == 0x20 || byte == 0x09 || byte == 0x0a || byte == 0x0d { position += 1 }
    }

    private mutating func skip(_ scalar: Unicode.Scalar) -> Bool {
        guard next == UInt8(ascii: scalar) else { return false }
        position += 1
        return true
    }

    private func isDigit(_ byte: UInt8) -> Bool {
        (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte)
    }

    private func isHexadecimal(_ byte: UInt8) -> Bool {
        isDigit(byte) || (UInt8(ascii: "a")...UInt8(ascii: "f")).contains(byte | 0x20)
    }
}
