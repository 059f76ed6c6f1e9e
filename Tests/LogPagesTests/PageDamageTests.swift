// Hostile and damaged pages: clear errors, mended bytes, never a crash, never a line that is not JSON.
import FlyAPI
import Foundation
import LogPages
import Testing

@Suite("PageReader, damaged pages")
struct PageDamageTests {
    @Test(
        "a page that cannot be followed is refused, saying why",
        arguments: [
            ("", .empty), ("  \n", .empty), ("[]", .notAnObject), ("null", .notAnObject),
            ("404 page not found", .notAnObject),
            ("<html>", .notAnObject), ("{}", .dataMissing), (#"{"meta":{"next_token":"1"}}"#, .dataMissing),
            (#"{"data":{}}"#, .dataNotAnArray), (#"{"data":"x"}"#, .dataNotAnArray), (#"{"data":1}"#, .dataNotAnArray),
            (#"{"data":[{]}"#, .notJSON), (#"{"data":[1 2]}"#, .notJSON), (#"{"data":[1,]}"#, .notJSON),
            (#"{"data":[]}}"#, .notJSON), (#"{"data":[]} x"#, .notJSON), (#"{"data":[],}"#, .notJSON),
            (#"{,"data":[]}"#, .notJSON), (#"{"data" []}"#, .notJSON), (#"{"data":nul}"#, .notJSON),
            (#"{"data":[{"id":01}]}"#, .notJSON), (#"{"data":[{"id":1.}]}"#, .notJSON),
            (#"{"data":[{"id":"a"b}]}"#, .notJSON), (#"{"data":[{"id":'a'}]}"#, .notJSON),
            (#"{"data":[{"attributes":{"meta":{abc}}}]}"#, .notJSON),
            (#"{"data":[{"x":[}}]}"#, .notJSON), (#"{"data":[{"x":{]}]}"#, .notJSON),
            (#"{"data":[{"x":[1}}]}"#, .notJSON), (#"{"data":[{"x":{"a":1]}]}"#, .notJSON),
            (#"{"data":[{"x":[{}}]}]}"#, .notJSON), (#"{"data":[{"id":"a"]]}"#, .notJSON),
            (#"{"data":[{"attributes":{"meta":{"a":tru}}}]}"#, .notJSON), (#"{"data":[{"id":"a]}"#, .truncated),
            ("{\"data\":[]\u{0}}", .notJSON), ("{\"data\":[]\u{0C}}", .notJSON),
            ("\u{FEFF}{\"data\":[]}", .notAnObject),
        ] as [(String, PageError.Code)])
    func refused(text: String, code: PageError.Code) {
        let error = #expect(throws: PageError.self) { try readPage(text, .platform) }
        #expect(error?.code == code)
        #expect(error?.description.hasPrefix("the") == true)
    }

    @Test("nesting is followed to the limit and refused beyond")
    func depth() throws {
        func page(_ depth: Int) -> String {
            let value = String(repeating: "[", count: depth) + String(repeating: "]", count: depth)
            return platformPage(attributes: #"{"meta":{"deep":\#(value)}}"#)
        }
        #expect(isEntryLine(try readPage(page(PageLimits.maximumDepth), .platform).lines[0]))
        let error = #expect(throws: PageError.self) { try readPage(page(PageLimits.maximumDepth + 1), .platform) }
        #expect(error?.code == .tooDeep)
        #expect(throws: PageError.self) { try readPage(String(repeating: "[", count: 1_000_000), .platform) }
        #expect(throws: PageError.self) {
            try readPage(#"{"data":"# + String(repeating: "[", count: 1_000_000), .platform)
        }
    }

    @Test("the largest page is read and one byte more is refused", arguments: Dialect.allCases)
    func size(dialect: Dialect) throws {
        let head = dialect == .platform ? #"{"data":[{"id":"a","attributes":{"message":""# : #"{"message":""#
        let tail = dialect == .platform ? #""}}]}"# : #""}"#
        var page = Array(head.utf8)
        page += [UInt8](
            repeating: UInt8(ascii: "x"), count: PageLimits.maximumBytes - head.utf8.count - tail.utf8.count)
        page += Array(tail.utf8)
        #expect(try readPage(page, dialect).contents.entryCount == 1)
        let error = #expect(throws: PageError.self) { try readPage(page + [0x20], dialect) }
        #expect(error?.code == .tooLarge)
    }

    @Test("invalid UTF-8 becomes U+FFFD and the page is read", arguments: Dialect.allCases)
    func invalidUTF8(dialect: Dialect) throws {
        let head = dialect == .platform ? #"{"data":[{"id":"a","attributes":{"message":"ü"# : #"{"message":"ü"#
        let tail = dialect == .platform ? #"ok"}}]}"# : "ok\"}\n{\"message\":\"next\"}"
        let cases: [([UInt8], String)] = [
            ([0xFF], "\u{FFFD}"), ([0xC3], "\u{FFFD}"), ([0xE2, 0x82], "\u{FFFD}"), ([0xC0, 0x80], "\u{FFFD}\u{FFFD}"),
            ([0xED, 0xA0, 0x80], "\u{FFFD}\u{FFFD}\u{FFFD}"),
            ([0xF4, 0x90, 0x80, 0x80], "\u{FFFD}\u{FFFD}\u{FFFD}\u{FFFD}"),
            ([0xF0, 0x9F, 0x98], "\u{FFFD}"), ([0x80, 0x41, 0x80], "\u{FFFD}A\u{FFFD}"),
        ]
        for (bytes, expected) in cases {
            let page = try readPage(Array(head.utf8) + bytes + Array(tail.utf8), dialect)
            #expect(page.lines[0].contains("\"message\":\"ü\(expected)ok\""))
            #expect(page.contents.replacedCount == UInt64(expected.unicodeScalars.filter { $0 == "\u{FFFD}" }.count))
            #expect(page.contents.entryCount == (dialect == .platform ? 1 : 2))
            #expect(page.lines.allSatisfy(isEntryLine))
        }
    }

    @Test("raw control characters in a string become escapes", arguments: [UInt8(0), 1, 9, 10, 13, 27, 31])
    func controlCharacters(byte: UInt8) throws {
        let page = Array(#"{"data":[{"id":"a","attributes":{"message":"x"#.utf8) + [byte] + Array(#"y"}}]}"#.utf8)
        let result = try readPage(page, .platform)
        let hex = String(byte, radix: 16)
        #expect(result.lines[0].contains(#""message":"x\u\#(String(repeating: "0", count: 4 - hex.count) + hex)y""#))
        #expect(isEntryLine(result.lines[0]))
        #expect(result.contents.replacedCount == 1)
    }

    @Test(
        "an invalid escape is repaired, so that the line stays JSON",
        arguments: [
            (#"a\xb"#, #"a\\xb"#), (#"\u12"#, #"\\u12"#), (#"\uZZZZ"#, #"\\uZZZZ"#), (#"\ud800"#, #"\ufffd"#),
            (#"\udc00x"#, #"\ufffdx"#), (#"\ud83d\u0041"#, #"\ufffd\u0041"#), (#"\\\q"#, #"\\\\q"#),
            (#"\ud800\ud800\udc00"#, #"\ufffd\ud800\udc00"#),
        ])
    func escapes(text: String, expected: String) throws {
        let page = try readPage(platformPage(attributes: #"{"message":"\#(text)"}"#), .platform)
        #expect(page.lines[0].contains("\"message\":\"\(expected)\""))
        #expect(page.contents.repairedCount == 1)
        let meta = try readPage(platformPage(attributes: #"{"meta":{"k\#(text)":"\#(text)"}}"#), .platform)
        #expect(meta.lines[0].contains(#""meta":{"k\#(expected)":"\#(expected)"}"#))
        for line in page.lines + meta.lines { #expect(isEntryLine(line)) }
    }

    @Test("every truncation of the documented pages gives an error or fewer entries", arguments: Dialect.allCases)
    func truncations(dialect: Dialect) throws {
        let sample = dialect == .platform ? platformSample : machinesSample + "\n" + machinesSample
        let whole = Array(sample.utf8)
        let complete = try readPage(whole, dialect).contents.entryCount
        let reader = try PageReader()
        for length in 0..<whole.count {
            let part = Array(whole[..<length])
            do {
                let page = try readPage(part, dialect, with: reader)
                #expect(page.contents.entryCount < complete)
                #expect(dialect == .machines)
                #expect(page.lines.allSatisfy(isEntryLine))
            } catch is PageError {
                #expect(dialect == .platform)
            }
        }
    }

    @Test("a reader that met a bad page reads the next one")
    func reuse() throws {
        let reader = try PageReader()
        for bad in ["{", "{\"data\":[{\"id\":\"a\"},", "\"", "", platformSample + "}"] {
            #expect(throws: PageError.self) { try readPage(Array(bad.utf8), .platform, with: reader) }
            #expect(try readPage(Array(platformSample.utf8), .platform, with: reader).contents.entryCount == 1)
            #expect(try readPage(Array(machinesSample.utf8), .machines, with: reader).contents.entryCount == 1)
        }
    }
}
