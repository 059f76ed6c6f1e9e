// What the verifier wants of a line of the file: whose it is, its number, when it was emitted. A parser of its own, which
// accepts one whole JSON object with nothing before or behind it, so that a torn line is seen.

/// A line of the file.
struct ParsedLine {
    var type: [UInt8] = []
    var app: [UInt8] = []
    var timestamp: [UInt8] = []
    var message: [UInt8] = []
    var id: [UInt8] = []
}

/// Reads one JSON object, keeping five of its members.
struct LineParser {
    private let bytes: UnsafeRawBufferPointer
    private var place = 0

    /// The line without its line feed; nil when it is not a whole JSON object.
    static func parse(_ bytes: UnsafeRawBufferPointer) -> ParsedLine? {
        var parser = LineParser(bytes: bytes)
        var line = ParsedLine()
        guard parser.readObject(depth: 0, into: &line), parser.place == bytes.count else { return nil }
        return line
    }

    private init(bytes: UnsafeRawBufferPointer) { self.bytes = bytes }

    private mutating func take(_ byte: UInt8) -> Bool {
        guard place < bytes.count, bytes[place] == byte else { return false }
        place += 1
        return true
    }

    private mutating func readObject(depth: Int, into line: inout ParsedLine) -> Bool {
        guard depth < 32, take(UInt8(ascii: "{")) else { return false }
        if take(UInt8(ascii: "}")) { return true }
        repeat {
            guard let name = readString(), take(UInt8(ascii: ":")) else { return false }
            if depth == 0, place < bytes.count, bytes[place] == UInt8(ascii: "\"") {
                guard let text = readString() else { return false }
                keep(name, text, in: &line)
            } else if !skipValue(depth: depth) {
                return false
            }
        } while take(UInt8(ascii: ","))
        return take(UInt8(ascii: "}"))
    }

    private func keep(_ name: Range<Int>, _ text: Range<Int>, in line: inout ParsedLine) {
        func isCalled(_ word: StaticString) -> Bool {
            name.count == word.utf8CodeUnitCount
                && (0..<name.count).allSatisfy { bytes[name.lowerBound + $0] == word.utf8Start[$0] }
        }
        if isCalled("type") {
            line.type = Array(bytes[text])
        } else if isCalled("app_name") {
            line.app = Array(bytes[text])
        } else if isCalled("timestamp") {
            line.timestamp = Array(bytes[text])
        } else if isCalled("message") {
            line.message = Array(bytes[text])
        } else if isCalled("id") {
            line.id = Array(bytes[text])
        }
    }

    private mutating func skipValue(depth: Int) -> Bool {
        guard place < bytes.count else { return false }
        switch bytes[place] {
        case UInt8(ascii: "\""): return readString() != nil
        case UInt8(ascii: "{"):
            var ignored = ParsedLine()
            return readObject(depth: depth + 1, into: &ignored)
        case UInt8(ascii: "["): return skipArray(depth: depth + 1)
        default: return skipWord()
        }
    }

    private mutating func skipArray(depth: Int) -> Bool {
        guard depth < 32, take(UInt8(ascii: "[")) else { return false }
        if take(UInt8(ascii: "]")) { return true }
        repeat {
            guard skipValue(depth: depth) else { return false }
        } while take(UInt8(ascii: ","))
        return take(UInt8(ascii: "]"))
    }

    /// A number, true, false or null: its letters are enough to find its end.
    private mutating func skipWord() -> Bool {
        let start = place
        while place < bytes.count {
            switch bytes[place] {
            case UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "E"),
                UInt8(ascii: "-"), UInt8(ascii: "+"), UInt8(ascii: "."):
                place += 1
            default: return place > start
            }
        }
        return place > start
    }

    /// Where the inside of a string is; escapes stay as they are.
    private mutating func readString() -> Range<Int>? {
        guard take(UInt8(ascii: "\"")) else { return nil }
        let start = place
        while place < bytes.count {
            switch bytes[place] {
            case UInt8(ascii: "\""):
                place += 1
                return start..<place - 1
            case UInt8(ascii: "\\"): place += 2
            case 0..<0x20: return nil
            default: place += 1
            }
        }
        return nil
    }
}
