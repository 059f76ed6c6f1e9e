// A hundred thousand random mutations of real pages, from a fixed seed. Laws: no crash; every line written is JSON with
// all keys; a page taken without mending is one that another JSON parser takes, too.
import FlyAPI
import Foundation
import LogPages
import Testing

@Suite("PageReader, mutations")
struct PageMutationTests {
    private static let seeds: [(Dialect, String)] = [
        (.platform, platformSample),
        (
            .platform,
            #"{"data":[{"id":"a","attributes":{"message":"\u001b[1m\ud83d\ude00\"x\\","timestamp":1780608305152,"#
                + #""meta":{"event":{"provider":"app"}}}},{"id":7}],"meta":{"next_token":12}}"#
        ),
        (.machines, machinesSample + "\n" + machinesSample + "\n"),
        (.machines, #"{"message":"a\u0000b","timestamp":"2024-01-01T00:00:00Z","x":[1,{"y":-1.5e3}]}"# + "\n{}\n"),
    ]
    private static let alphabet: [UInt8] =
        Array("{}[]\":,\\\n\r\t 0123456789-+.eEtrufalsn/x".utf8) + [
            0, 0x1B, 0x7F, 0x80, 0xC3, 0xE2, 0xED, 0xF0, 0xFF,
        ]

    private static func mutate(_ page: [UInt8], using generator: inout SplitMix64) -> [UInt8] {
        var bytes = page
        for _ in 0..<Int.random(in: 1...4, using: &generator) where !bytes.isEmpty {
            let place = Int.random(in: 0..<bytes.count, using: &generator)
            let end = min(bytes.count, place + Int.random(in: 1...12, using: &generator))
            switch Int.random(in: 0..<6, using: &generator) {
            case 0: bytes[place] = UInt8.random(in: 0...255, using: &generator)
            case 1: bytes[place] = alphabet.randomElement(using: &generator) ?? 0
            case 2: bytes.insert(alphabet.randomElement(using: &generator) ?? 0, at: place)
            case 3: bytes.removeSubrange(place..<end)
            case 4: bytes.insert(contentsOf: bytes[place..<end], at: Int.random(in: 0...bytes.count, using: &generator))
            default: bytes.swapAt(place, Int.random(in: 0..<bytes.count, using: &generator))
            }
        }
        return bytes
    }

    @Test("no mutation crashes the reader or yields a line that is not JSON", arguments: 0..<4)
    func mutations(seed: Int) throws {
        let (dialect, text) = Self.seeds[seed]
        let original = Array(text.utf8)
        var generator = SplitMix64(state: UInt64(seed) + 1)
        let reader = try PageReader()
        var readable = 0
        for round in 0..<25_000 {
            let bytes = Self.mutate(original, using: &generator)
            guard let page = try? readPage(bytes, dialect, with: reader) else { continue }
            readable += 1
            // Foundation's parser is the slow part: it looks at every tenth page.
            guard round % 10 == 0 else { continue }
            for line in page.lines where !Self.isBeyondFoundation(line) {
                #expect(isEntryLine(line), "round \(round): \(line)")
            }
            let isUntouched = page.contents.replacedCount == 0 && page.contents.repairedCount == 0
            if dialect == .platform, isUntouched, !Self.isBeyondFoundation(String(decoding: bytes, as: UTF8.self)) {
                let other = try? JSONSerialization.jsonObject(with: Data(bytes))
                #expect(other != nil, "round \(round): \(String(decoding: bytes, as: UTF8.self))")
            }
        }
        #expect(readable > 1000, "the mutations are too wild to test anything")
    }

    /// Foundation refuses numbers that no Double holds, and invalid escapes where our reader never looks (in keys and
    /// values that it drops).
    private static func isBeyondFoundation(_ text: String) -> Bool {
        text.contains(#/\d[eE]\+?\d{2,}|\d{300}/#) || text.contains(#/\\(?!["\\/bfnrt]|u[0-9a-fA-F]{4})|\\u[dD]/#)
    }

    @Test("random bytes never crash the reader", arguments: Dialect.allCases)
    func noise(dialect: Dialect) throws {
        var generator = SplitMix64(state: 77)
        let reader = try PageReader()
        for _ in 0..<20_000 {
            let size = Int.random(in: 0...300, using: &generator)
            let bytes = (0..<size).map { _ in Self.alphabet.randomElement(using: &generator) ?? 0 }
            if let page = try? readPage(bytes, dialect, with: reader) {
                #expect(page.lines.count == page.contents.entryCount)
            }
        }
    }
}
