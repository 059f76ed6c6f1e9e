import Testing

@testable import ConfigurationFiles

@Suite("KeyLines")
struct KeyLinesTests {
    @Test("the line of a key is found behind every kind of value")
    func linesBehindValues() {
        let document = #"""
            # a comment with = and "
            text = "a \" b = c" # trailing
            literal = 'C:\'
            long = """
            fake = 1
            \""" still "" inside"""
            long_literal = '''
            also_fake = 2
            '''
            list = [
              "x", # ] in a comment
              "]",
            ]
            inline = { a = "}", b = [1, 2] }
            "quoted key" = 1
            dotted.key = 2

            [table]
            inside = 1
            [[tables]]
            after = 1
            """#
        #expect(
            KeyLines(Array(document.utf8)).lines == [
                "text": 2, "literal": 3, "long": 4, "long_literal": 7, "list": 10, "inline": 14, "quoted key": 15,
                "dotted": 16, "table": 18, "tables": 20,
            ])
    }

    @Test("line ends of Windows and a byte order mark change nothing")
    func windows() {
        let document: [UInt8] = [0xEF, 0xBB, 0xBF] + Array("a = 1\r\nb = 'x'\r\n".utf8)
        #expect(KeyLines(document).lines == ["a": 1, "b": 2])
    }

    @Test("it ends on every prefix of a document, and on garbage", arguments: 0..<80)
    func ends(length: Int) {
        let document =
            Array(#"a = "b\"c" # d"#.utf8) + Array("\nlong = '''\n'''\n[x]\ny = [ { z = \"\"\"w\"\"\" }, ]\n".utf8)
        _ = KeyLines(Array(document.prefix(length)))
        var generator = UInt64(length) &+ 1
        let garbage = (0..<200).map { _ in
            generator = generator &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
            return Array("a='\"[]{}#\n\\ \t\u{0}".utf8)[Int(generator >> 33) % 14]
        }
        #expect(KeyLines(garbage).lines.values.allSatisfy { $0 >= 1 && $0 <= 201 })
    }
}
