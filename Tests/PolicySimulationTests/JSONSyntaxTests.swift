// What is JSON, and where what is not stops being it.

import FoundationEssentials
import Testing

@testable import PolicySimulation

@Suite("JSONSyntax") struct JSONSyntaxTests {
    @Test(
        "JSON has no fault",
        arguments: [
            "{}", "[]", "0", "-0", "1.5e-3", "10E+2", "true", "false", "null", #""""#, #""\"\\\/\b\f\n\r\t\u00fF""#,
            #"{"a":1,"\u0062":2,"\ud83d\ude00":3,"\ud83d\ude01":4,"":5}"#, " [ 1 , {\t\"a\" :\r\n [ ] } ] ",
            #"{"a":{"b":[1,2,{"c":null}]}}"#, "\"é\u{1f600}\"",
        ])
    func accepted(_ text: String) {
        #expect(JSONSyntax.firstFault(in: Array(text.utf8)) == nil)
    }

    @Test(
        "the first fault has its line and column",
        arguments: [
            ("", 1, 1, "it ends too early"), ("{", 1, 2, "it ends too early"), ("[1,]", 1, 4, "a value belongs here"),
            ("[1 2]", 1, 4, "a comma or ] belongs here"), (#"{"a" 1}"#, 1, 6, "a colon belongs here"),
            ("{a:1}", 1, 2, "a key in quotes belongs here"), (#"{"a":1,}"#, 1, 8, "a key in quotes belongs here"),
            ("[\n\n  tru]", 3, 3, "a value belongs here"), ("01", 1, 2, "there is more after the end"),
            ("1.", 1, 3, "it ends too early"), ("[1.x]", 1, 4, "a digit belongs here"),
            ("[-]", 1, 2, "a value belongs here"),
            (#""\x""#, 1, 3, "no such escape"), (#""\u12g4""#, 1, 6, "four digits belong after \\u"),
            ("\"a\nb\"", 1, 3, "a control character in a text; escape it"), ("// no", 1, 1, "a value belongs here"),
            (#"{"a":1,"b":{"a":2},"a":3}"#, 1, 20, "this key is there twice"),
            (#"{"id":1,"\u0069d":2}"#, 1, 9, "this key is there twice"),
            (#"{"\n":1,"\u000A":2}"#, 1, 9, "this key is there twice"),
            ("{\"\u{1f600}\":1,\"\\ud83d\\uDE00\":2}", 1, 11, "this key is there twice"),
            (#"["\ud83d"]"#, 1, 3, "half of a surrogate pair"), (#"["\ude00"]"#, 1, 3, "half of a surrogate pair"),
            (#"["a\ud83d\u0041"]"#, 1, 4, "half of a surrogate pair"),
            (#"["\ud83dx"]"#, 1, 3, "half of a surrogate pair"),
            (#"["\ud83d\n"]"#, 1, 3, "half of a surrogate pair"), (#""\ud83d\u12"#, 1, 12, "it ends too early"),
            ("{} {}", 1, 4, "there is more after the end"), ("[\"\u{feff}\",\u{feff}]", 1, 8, "a value belongs here"),
        ])
    func refused(_ text: String, line: Int, column: Int, reason: String) {
        let fault = JSONSyntax.firstFault(in: Array(text.utf8))
        #expect(fault == JSONSyntax.Fault(line: line, column: column, problem: .notJSON(reason)))
    }

    @Test("bytes that are no UTF-8 are no JSON")
    func notUTF8() {
        #expect(JSONSyntax.firstFault(in: [0x22, 0xff, 0x22])?.problem == .notJSON("the text is not UTF-8"))
    }

    @Test("a byte order mark is called by its name", arguments: ["\u{feff}", "\u{feff}{}"])
    func byteOrderMark(text: String) {
        let fault = JSONSyntax.firstFault(in: Array(text.utf8))
        #expect(fault == JSONSyntax.Fault(line: 1, column: 1, problem: .byteOrderMark))
    }

    @Test("nesting has a bound", arguments: [0, 1])
    func depth(beyond: Int) {
        let count = JSONSyntax.depth + beyond
        let text = String(repeating: "[", count: count) + String(repeating: "]", count: count)
        #expect(JSONSyntax.firstFault(in: Array(text.utf8))?.problem == (beyond == 0 ? nil : .tooDeep))
    }

    @Test("the decoder refuses nothing that passes here, whatever is cut off or put in a policy file")
    func agreesWithTheDecoder() {
        struct Anything: Decodable { init(from decoder: any Decoder) throws {} }
        let bytes = Array(SimulatorTests.contract.utf8)
        for position in bytes.indices {
            let variants = [Array(bytes[..<position]), Array(bytes[..<position] + bytes[(position + 1)...])]
            for variant in variants {
                guard JSONSyntax.firstFault(in: variant) == nil else { continue }
                #expect(throws: Never.self) { try JSONDecoder().decode(Anything.self, from: Data(variant)) }
            }
        }
    }
}
