// Finds where a text is not JSON (RFC 8259, with unique keys). It reads nothing: the decoder does, which says that a text
// is bad and not where, and lets trailing commas and repeated keys pass.

/// Checks the syntax of JSON.
struct JSONSyntax {
    /// Where a text stops being JSON that is read here.
    struct Fault: Error, Hashable {
        let line: Int
        /// In bytes, from 1.
        let column: Int
        let problem: PolicyFileError.Problem
    }

    /// Deepest nesting of arrays and objects; more than the deepest tree needs.
    static let depth = 256

    private let bytes: [UInt8]
    private var position = 0
    private var nesting = 0

    /// The first fault of a whole text; nil when it is JSON.
    static func firstFault(in bytes: [UInt8]) -> Fault? {
        guard String(validating: bytes, as: UTF8.self) != nil else {
            return Fault(line: 1, column: 1, problem: .notJSON("the text is not UTF-8"))
        }
        if bytes.starts(with: [0xef, 0xbb, 0xbf]) { return Fault(line: 1, column: 1, problem: .byteOrderMark) }
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
        fault(.notJSON(next == nil ? "it ends too early" : reason))
    }

    private func fault(_ problem: PolicyFileError.Problem) -> Fault {
        let before = bytes[..<position]
        let newline = UInt8(ascii: "\n")
        let start = before.lastIndex(of: newline).map { $0 + 1 } ?? 0
        return Fault(line: 1 + before.count { $0 == newline }, column: 1 + position - start, problem: problem)
    }

    /// A value with the space around it.
    private mutating func value() throws(Fault) {
        skipSpace()
        switch next {
        case UInt8(ascii: "{"):
            var keys: Set<String> = []
            try members(until: "}") { (syntax) throws(Fault) in try syntax.member(&keys) }
        case UInt8(ascii: "["): try members(until: "]") { (syntax) throws(Fault) in try syntax.value() }
        case UInt8(ascii: "\""): _ = try string()
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
        guard nesting < JSONSyntax.depth else { throw fault(.tooDeep) }
        nesting += 1
        position += 1
        skipSpace()
        if !skip(end) {
            repeat { try member(&self) } while skip(",")
            guard skip(end) else { throw fault("a comma or \(end) belongs here") }
        }
        nesting -= 1
    }

    /// A key that no other of its object has, however it is escaped, and its value.
    private mutating func member(_ keys: inout Set<String>) throws(Fault) {
        skipSpace()
        guard next == UInt8(ascii: "\"") else { throw fault("a key in quotes belongs here") }
        let start = position
        guard keys.insert(try string()).inserted else {
            position = start
            throw fault("this key is there twice")
        }
        skipSpace()
        guard skip(":") else { throw fault("a colon belongs here") }
        try value()
    }

    /// A text, of which the escapes are undone.
    private mutating func string() throws(Fault) -> String {
        position += 1
        var text: [UInt8] = []
        while !skip("\"") {
            guard let byte = next, byte >= 0x20 else { throw fault("a control character in a text; escape it") }
            position += 1
            if byte == UInt8(ascii: "\\") {
                text += String(try escaped()).utf8
            } else {
                text.append(byte)
            }
        }
        return String(decoding: text, as: UTF8.self)
    }

    /// What stands after a backslash.
    private mutating func escaped() throws(Fault) -> Unicode.Scalar {
        if skip("u") { return try escapedScalar() }
        let scalar: Unicode.Scalar
        switch next {
        case UInt8(ascii: "b"): scalar = "\u{8}"
        case UInt8(ascii: "f"): scalar = "\u{c}"
        case UInt8(ascii: "n"): scalar = "\n"
        case UInt8(ascii: "r"): scalar = "\r"
        case UInt8(ascii: "t"): scalar = "\t"
        case .some(let byte) where #""\/"#.utf8.contains(byte): scalar = Unicode.Scalar(byte)
        default: throw fault("no such escape")
        }
        position += 1
        return scalar
    }

    /// What stands after `\u`; beyond the basic plane, that and a second escape.
    private mutating func escapedScalar() throws(Fault) -> Unicode.Scalar {
        let start = position - 2
        var value = UInt32(try codeUnit())
        if (0xd800..<0xdc00).contains(value), skip("\\"), skip("u") {
            let trail = UInt32(try codeUnit())
            if (0xdc00..<0xe000).contains(trail) { value = 0x10000 + ((value & 0x3ff) << 10 | trail & 0x3ff) }
        }
        guard let scalar = Unicode.Scalar(value) else {
            position = start
            throw fault("half of a surrogate pair")
        }
        return scalar
    }

    private mutating func codeUnit() throws(Fault) -> UInt16 {
        let start = position
        for _ in 0..<4 {
            guard let digit = next, isHexadecimal(digit) else { throw fault("four digits belong after \\u") }
            position += 1
        }
        return UInt16(String(decoding: bytes[start..<position], as: UTF8.self), radix: 16) ?? 0
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
