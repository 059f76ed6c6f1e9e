// Pages of the platform dialect: the documented sample and every tolerance that its description names.
import FlyAPI
import LogPages
import Testing

@Suite("PageReader, platform dialect")
struct PlatformPageTests {
    @Test("the documented page becomes one line in the documented format")
    func sample() throws {
        let page = try readPage(platformSample, .platform)
        let meta =
            #"{"instance":"d896d7c609dd68","region":"iad","event":{"provider":"app"},"http":{"request":{"id":"","#
            + #""method":"","version":""},"response":{"status_code":0}},"error":{"code":0,"message":""},"#
            + #""url":{"full":""}}"#
        let line =
            #"{"type":"log","app_name":"web","timestamp":"2026-06-04T21:25:05.152Z","level":"info","region":"iad","#
            + #""instance":"d896d7c609dd68","provider":"app","id":"…","message":"one physical line","meta":"#
        #expect(page.lines == [line + meta + "}\n"])
        #expect(page.timestamps == [1_780_608_305_152_000_000])
        #expect(
            page.contents
                == PageContents(
                    entryCount: 1, nextToken: .cursor(LogCursor(nanoseconds: 1_780_608_313_161_890_637)),
                    firstTimestamp: 1_780_608_305_152_000_000, latestTimestamp: 1_780_608_305_152_000_000))
    }

    @Test(
        "the token may be a string, a number above 2^53, empty, null, missing or nonsense",
        arguments: [
            (#""meta":{"next_token":"9007199254740993"}"#, .cursor(LogCursor(nanoseconds: 9_007_199_254_740_993))),
            (#""meta":{"next_token":9007199254740993}"#, .cursor(LogCursor(nanoseconds: 9_007_199_254_740_993))),
            (
                #""meta":{"next_token":1780608313161890637 }"#,
                .cursor(LogCursor(nanoseconds: 1_780_608_313_161_890_637))
            ),
            (#""meta":{"next_token":""}"#, .empty), (#""meta":{"next_token":null}"#, .absent), (#""meta":{}"#, .absent),
            (#""meta":null"#, .absent), (#""meta":[1]"#, .absent), (#""other":1"#, .absent),
            (#""meta":{"next_token":"abc"}"#, .unreadable), (#""meta":{"next_token":1.5}"#, .unreadable),
            (#""meta":{"next_token":-1}"#, .unreadable), (#""meta":{"next_token":1e18}"#, .unreadable),
            (#""meta":{"next_token":true}"#, .unreadable), (#""meta":{"next_token":{"a":1}}"#, .unreadable),
            (#""meta":{"next_token":"99999999999999999999"}"#, .unreadable),
            (#""meta":{"next_token":"1"},"meta":{"next_token":"2"}"#, .cursor(LogCursor(nanoseconds: 2))),
        ] as [(String, PageToken)])
    func tokens(member: String, expected: PageToken) throws {
        #expect(try readPage(#"{"data":[],\#(member)}"#, .platform).contents.nextToken == expected)
        #expect(try readPage(#"{\#(member),"data":[]}"#, .platform).contents.nextToken == expected)
    }

    @Test(
        "what the API did not give is null, and a missing meta is {}",
        arguments: [
            "{}", "null", "[]", "7", #""text""#, #"{"meta":null}"#, #"{"meta":{}}"#, #"{"meta":"x"}"#, #"{"meta":[1]}"#,
            #"{"message":null,"timestamp":null,"level":null}"#, #"{"unknown":{"deep":[1,{"a":[]}]}}"#,
        ])
    func missing(attributes: String) throws {
        let page = try readPage(platformPage(attributes: attributes), .platform)
        let line =
            #"{"type":"log","app_name":"web","timestamp":null,"level":null,"region":null,"instance":null,"#
            + #""provider":null,"id":"a","message":null,"meta":{}}"#
        #expect(page.lines == [line + "\n"])
        #expect(page.timestamps == [nil])
    }

    @Test("a record without attributes or id is still handed out")
    func bareRecords() throws {
        let page = try readPage(#"{"data":[{},{"id":null},{"attributes":{"message":"m"}}]}"#, .platform)
        #expect(page.contents.entryCount == 3)
        #expect(page.lines.allSatisfy { $0.contains(#""id":null"#) && isEntryLine($0) })
    }

    @Test("region, instance and provider are taken from meta where the attributes lack them")
    func fallback() throws {
        let meta = #""meta":{"region":"ams","instance":"m1","event":{"provider":"proxy"}}"#
        let page = try readPage(platformPage(attributes: #"{"region":null,\#(meta)}"#), .platform)
        #expect(page.lines[0].contains(#""region":"ams","instance":"m1","provider":"proxy""#))
        let own = try readPage(platformPage(attributes: #"{\#(meta),"region":"iad","instance":"m2"}"#), .platform)
        #expect(own.lines[0].contains(#""region":"iad","instance":"m2","provider":"proxy""#))
    }

    @Test(
        "a message of another type is kept as text",
        arguments: [
            ("42", "42"), ("-1.5e3", "-1.5e3"), ("true", "true"), (#"{"a":"b\n"}"#, #"{\"a\":\"b\\n\"}"#),
            (#"["x", 1]"#, #"[\"x\", 1]"#), ("[\n1]", #"[\n1]"#), (#""""#, ""),
        ])
    func otherTypes(message: String, expected: String) throws {
        let page = try readPage(platformPage(attributes: #"{"message":\#(message)}"#), .platform)
        #expect(page.lines[0].contains("\"message\":\"\(expected)\""))
        #expect(isEntryLine(page.lines[0]))
    }

    @Test("a timestamp given as a number becomes RFC 3339 text")
    func numericTimestamp() throws {
        let page = try readPage(platformPage(attributes: #"{"timestamp":1780608305152}"#), .platform)
        #expect(page.lines[0].contains(#""timestamp":"2026-06-04T21:25:05.152Z""#))
        #expect(page.timestamps == [1_780_608_305_152_000_000])
    }

    @Test("an unreadable timestamp passes through as text", arguments: [#""yesterday""#, "1e99", #"{"s":1}"#, "true"])
    func unreadableTimestamp(value: String) throws {
        let page = try readPage(platformPage(attributes: #"{"timestamp":\#(value)}"#), .platform)
        #expect(page.timestamps == [nil])
        #expect(isEntryLine(page.lines[0]))
        #expect(!page.lines[0].contains(#""timestamp":null"#))
    }

    @Test("escapes, ANSI sequences and non-ASCII text pass through byte for byte")
    func passThrough() throws {
        let message = #"\u001b[31mred\u001b[0m \"quoted\" back\\slash \ud83d\ude00 ü 😀 \/ \t\r\n\u0000 end\\"#
        let page = try readPage(platformPage(attributes: #"{"message":"\#(message)"}"#), .platform)
        #expect(page.lines[0].contains("\"message\":\"\(message)\",\"meta\""))
        #expect(isEntryLine(page.lines[0]))
        #expect(page.contents.repairedCount == 0)
    }

    @Test("null or empty data is an empty page", arguments: ["null", "[]", "[ ]"])
    func emptyData(data: String) throws {
        let page = try readPage(#"{"data":\#(data),"meta":{"next_token":""}}"#, .platform)
        #expect(page.contents == PageContents(nextToken: .empty))
    }

    @Test("elements of data that are no objects are skipped and counted")
    func oddElements() throws {
        let page = try readPage(#"{"data":[null,1,"x",[{"id":"no"}],{"id":"yes"}]}"#, .platform)
        #expect(page.contents.entryCount == 1)
        #expect(page.contents.malformedCount == 4)
    }

    @Test("of a repeated member the last one counts")
    func duplicates() throws {
        let page = try readPage(platformPage(attributes: #"{"message":"one","message":"two"}"#), .platform)
        #expect(page.lines[0].contains(#""message":"two""#))
    }

    @Test("the order of members does not matter")
    func order() throws {
        let members = [
            #""timestamp":"2026-06-04T21:25:05Z""#, #""message":"m""#, #""level":"info""#, #""instance":"i""#,
            #""region":"r""#, #""meta":{"event":{"provider":"app"},"region":"x"}"#,
        ]
        var generator = SplitMix64(state: 3)
        let expected = try readPage(
            platformPage(attributes: "{\(members.joined(separator: ","))}"), .platform)
        for _ in 0..<50 {
            let attributes = "\"attributes\":{\(members.shuffled(using: &generator).joined(separator: ","))}"
            let record = [attributes, #""id":"a""#, #""type":"t""#].shuffled(using: &generator)
            let page = ["\"data\":[{\(record.joined(separator: ","))}]", #""meta":{"next_token":"5"}"#]
                .shuffled(using: &generator)
            let result = try readPage("{\(page.joined(separator: ","))}", .platform)
            #expect(result.lines == expected.lines)
            #expect(result.contents == expected.contents)
        }
    }

    @Test("the identity is the id alone")
    func identity() throws {
        let page = try readPage(
            #"{"data":[{"id":"a","attributes":{"message":"x"}},{"id":"a"},{"id":"b"},{"id":"a "}]}"#, .platform)
        #expect(page.identities[0] == page.identities[1])
        #expect(Set(page.identities).count == 3)
    }
}
