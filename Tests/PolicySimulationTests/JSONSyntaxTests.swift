// What is JSON, and where what is not stops being it.

import FoundationEssentials
import Testing

@testable import PolicySimulation

@Suite("JSONSyntax") struct JSONSyntaxTests {
    @Test(
        "JSON has no fault",
        arguments: [
            "{}", "[]", "0", "-0", "1.5e-3", "10E+2", "true", "false", "null", #""""#, #""\"\\\/\b\f\n\r\t\u00fF""#,
            " [ 1 , {\t\"a\" :\r\n [ ] } ] ", #"{"a":{"b":[1,2,{"c":null}]}}"#, "\"é\u{1f600}\"",
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
            ("{} {}", 1, 4, "there is more after the end"), ("\u{feff}{}", 1, 1, "a value belongs here"),
        ])
    func refused(_ text: String, line: Int, column: Int, reason: String) {
        let fault = JSONSyntax.firstFault(in: Array(text.utf8))
        #expect(fault == JSONSyntax.Fault(line: line, column: column, reason: reason))
    }

    @Test("bytes that are no UTF-8 are no JSON")
    func notUTF8() {
        #expect(JSONSyntax.firstFault(in: [0x22, 0xff, 0x22])?.reason == "the text is not UTF-8")
    }

    @Test("nesting has a bound", arguments: [0, 1])
    func depth(beyond: Int) {
        let count = JSONSyntax.depth + beyond
        let text = String(repeating: "[", count: count) + String(repeating: "]", count: count)
        #expect(JSONSyntax.firstFault(in: Array(text.utf8))?.reason == (beyond == 0 ? nil : "it is nested too deeply"))
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
