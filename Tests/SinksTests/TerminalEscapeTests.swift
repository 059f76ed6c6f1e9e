import Testing

@testable import Sinks

@Suite("TerminalEscape")
struct TerminalEscapeTests {
    private func escaped(_ bytes: [UInt8], _ style: TerminalEscape.Style = .readable) -> [UInt8] {
        let room = bytes.count * TerminalEscape.growth(style)
        // Four bytes of a pattern behind the room show whether it was overrun.
        let target = UnsafeMutableRawBufferPointer.allocate(byteCount: room + 4, alignment: 1)
        defer { target.deallocate() }
        for index in 0..<4 { target[room + index] = 0xA5 }
        let count = bytes.withUnsafeBytes { source in
            target.baseAddress.map { TerminalEscape.copy(source, to: $0, style) } ?? 0
        }
        #expect(count <= room)
        #expect(target[room...].allSatisfy { $0 == 0xA5 })
        return Array(target[..<count])
    }

    private func escaped(_ text: String, _ style: TerminalEscape.Style = .readable) -> String {
        String(decoding: escaped(Array(text.utf8), style), as: UTF8.self)
    }

    @Test("every ASCII byte at every position is kept, or escaped when it is a control character", arguments: 0..<20)
    func everyByte(position: Int) {
        for byte in UInt8(0)..<0x80 {
            var text = [UInt8](repeating: UInt8(ascii: "x"), count: 20)
            text[position] = byte
            let expected: String
            switch byte {
            case 0x09: expected = "\\t"
            case 0x0A: expected = "\\n"
            case 0x0D: expected = "\\r"
            case 0x20..<0x7F: expected = String(UnicodeScalar(byte))
            default: expected = "\\x" + (byte < 16 ? "0" : "") + String(byte, radix: 16)
            }
            let around = [UInt8](repeating: UInt8(ascii: "x"), count: 20)
            #expect(
                escaped(text) == Array(around[..<position]) + Array(expected.utf8) + Array(around[(position + 1)...]))
        }
    }

    @Test(
        "characters that drive a terminal or reorder text are escaped, others are not",
        arguments: [
            ("\u{85}", #"\u0085"#), ("\u{9B}31m", #"\u009b31m"#), ("\u{A0}", "\u{A0}"), ("\u{61C}", #"\u061c"#),
            ("\u{200C}\u{200D}", "\u{200C}\u{200D}"), ("\u{200E}\u{200F}", #"\u200e\u200f"#), ("\u{2027}", "\u{2027}"),
            ("\u{2028}\u{202A}\u{202E}\u{202F}", #"\u2028\u202a\u202e"# + "\u{202F}"),
            ("\u{2066}\u{2069}", #"\u2066\u2069"#),
            ("\u{FEFF}", #"\ufeff"#), ("\u{FFFD}", "\u{FFFD}"), ("\u{E0041}", #"\u{e0041}"#),
            ("\u{E0080}", "\u{E0080}"),
            ("Größe 日本 👩‍👧 é", "Größe 日本 👩‍👧 é"), ("", ""), ("a\\nb", "a\\nb"),
        ])
    func scalars(text: String, expected: String) {
        #expect(escaped(text) == expected)
    }

    @Test(
        "bytes that are not UTF-8 are escaped one by one",
        arguments: [
            ([0x9B], #"\x9b"#), ([0xC2], #"\xc2"#), ([0xC0, 0x80], #"\xc0\x80"#),
            ([0xED, 0xA0, 0x80], #"\xed\xa0\x80"#),
            ([0xE2, 0x80], #"\xe2\x80"#), ([0xF5, 0x80, 0x80, 0x80], #"\xf5\x80\x80\x80"#), ([0xC2, 0x41], #"\xc2A"#),
            ([0xF4, 0x90, 0x80, 0x80], #"\xf4\x90\x80\x80"#),
        ] as [([UInt8], String)])
    func invalid(bytes: [UInt8], expected: String) {
        #expect(String(decoding: escaped(bytes), as: UTF8.self) == expected)
    }

    @Test("in JSON the escapes are JSON's, and line feeds stay")
    func json() {
        #expect(
            escaped("{\"a\":\"\u{7F}\u{9B}\u{202E}\u{E0041}\u{1B}\"}\n", .json)
                == "{\"a\":\"\\u007f\\u009b\\u202e\\udb40\\udc41\\u001b\"}\n")
        #expect(String(decoding: escaped([0xFF], .json), as: UTF8.self) == #"\ufffd"#)
    }

    @Test("whatever the bytes are, the result is printable and within its room", arguments: [1 as UInt64, 2, 3])
    func garbage(seed: UInt64) {
        var state = seed
        for _ in 0..<20_000 {
            let bytes = (0..<Int(state >> 59)).map { _ -> UInt8 in
                state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
                return UInt8(truncatingIfNeeded: state >> 40)
            }
            state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
            let result = escaped(bytes)
            let text = String(validating: result, as: UTF8.self)
            #expect(text?.unicodeScalars.allSatisfy { !TerminalEscape.isUnsafe($0.value) } == true)
        }
    }
}
