// A JSON reader (RFC 8259) that shares nothing with the product's: byte by byte, recursive, slow, obvious.
//
// Not a parser that keeps values: it says whether a text is JSON and what stands on its top level. `strict` also demands
// valid UTF-8 and escapes (with surrogates in pairs); the other form leaves both out, as the product's input may.

/// Walks over one JSON text.
struct StrictJSON {
    /// The keys of the outermost object, as spelled.
    private(set) var keys: [ArraySlice<UInt8>] = []
    /// Elements of all arrays that are members of the outermost object, by the member's index in ``keys``; nil otherwise.
    private(set) var elements: [Int?] = []
    private(set) var deepest = 0

    private let bytes: [UInt8]
    private let strict: Bool
    private var at = 0

    /// Nil when the bytes are not exactly one JSON text.
    init?(_ bytes: some Sequence<UInt8>, strict: Bool) {
        self.bytes = Array(bytes)
        self.strict = strict
        if strict, String(validating: self.bytes, as: UTF8.self) == nil { return nil }
        blanks()
        guard value(depth: 0) else { return nil }
        blanks()
        guard at == self.bytes.count else { return nil }
    }

    /// Whether the text is an object.
    var isObject: Bool { bytes.first { ![0x20, 0x09, 0x0A, 0x0D].contains($0) } == UInt8(ascii: "{") }

    private var head: UInt8 { at < bytes.count ? bytes[at] : 0 }

    private mutating func blanks() {
        while at < bytes.count, bytes[at] == 0x20 || bytes[at] == 0x09 || bytes[at] == 0x0A || bytes[at] == 0x0D {
            at += 1
        }
    }

    private mutating func eat(_ text: StaticString) -> Bool {
        for offset in 0..<text.utf8CodeUnitCount
        where at + offset >= bytes.count || bytes[at + offset] != text.utf8Start[offset] {
            return false
        }
        at += text.utf8CodeUnitCount
        return true
    }

    private mutating func value(depth: Int) -> Bool {
        deepest = max(deepest, depth)
        guard depth < 2000 else { return false }
        switch head {
        case UInt8(ascii: "{"): return object(depth: depth)
        case UInt8(ascii: "["): return array(depth: depth) != nil
        case UInt8(ascii: "\""): return string()
        case UInt8(ascii: "t"): return eat("true")
        case UInt8(ascii: "f"): return eat("false")
        case UInt8(ascii: "n"): return eat("null")
        default: return number()
        }
    }

    private mutating func object(depth: Int) -> Bool {
        at += 1
        blanks()
        if eat("}") { return true }
        while true {
            let start = at
            guard string() else { return false }
            let key = bytes[(start + 1)..<(at - 1)]
            blanks()
            guard eat(":") else { return false }
            blanks()
            var count: Int?
            if head == UInt8(ascii: "[") {
                guard let elements = array(depth: depth + 1) else { return false }
                count = elements
            } else {
                guard value(depth: depth + 1) else { return false }
            }
            if depth == 0 {
                keys.append(key)
                elements.append(count)
            }
            blanks()
            if eat("}") { return true }
            guard eat(",") else { return false }
            blanks()
        }
    }

    /// The number of elements; nil when it is no array.
    private mutating func array(depth: Int) -> Int? {
        deepest = max(deepest, depth)
        at += 1
        blanks()
        if eat("]") { return 0 }
        var count = 0
        while true {
            guard value(depth: depth + 1) else { return nil }
            count += 1
            blanks()
            if eat("]") { return count }
            guard eat(",") else { return nil }
            blanks()
        }
    }

    private mutating func string() -> Bool {
        guard eat("\"") else { return false }
        while at < bytes.count {
            let byte = bytes[at]
            at += 1
            if byte == UInt8(ascii: "\"") { return true }
            if byte < 0x20 { return false }
            if byte == UInt8(ascii: "\\") {
                guard at < bytes.count, !strict || escape() else { return false }
                if !strict { at += 1 }
            }
        }
        return false
    }

    /// Behind a backslash.
    private mutating func escape() -> Bool {
        let letter = head
        at += 1
        if "\"\\/bfnrt".utf8.contains(letter) { return true }
        guard letter == UInt8(ascii: "u"), let unit = hexadecimal() else { return false }
        if (0xDC00...0xDFFF).contains(unit) { return false }
        guard (0xD800...0xDBFF).contains(unit) else { return true }
        guard eat("\\u"), let low = hexadecimal() else { return false }
        return (0xDC00...0xDFFF).contains(low)
    }

    private mutating func hexadecimal() -> UInt32? {
        guard at + 4 <= bytes.count else { return nil }
        var unit: UInt32 = 0
        for byte in bytes[at..<(at + 4)] {
            guard let digit = Character(Unicode.Scalar(byte)).hexDigitValue else { return nil }
            unit = unit << 4 | UInt32(digit)
        }
        at += 4
        return unit
    }

    private mutating func digits() -> Bool {
        let start = at
        while (0x30...0x39).contains(head) { at += 1 }
        return at > start
    }

    private mutating func number() -> Bool {
        _ = eat("-")
        guard eat("0") || digits() else { return false }
        if eat("."), !digits() { return false }
        if eat("e") || eat("E") {
            if !eat("+") { _ = eat("-") }
            return digits()
        }
        return true
    }
}
