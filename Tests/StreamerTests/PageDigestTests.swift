import FlyAPI
import Framing
import LogPages
import Testing

@testable import Streamer

@Suite("PageDigest")
struct PageDigestTests {
    static func platform(_ ids: Range<Int>, message: String = "hello", next: String = "5") -> [UInt8] {
        let records = ids.map {
            #"{"id":"r\#($0)","type":"log","attributes":{"timestamp":"2026-06-04T21:25:05Z","message":"\#(message)"}}"#
        }
        return [UInt8](#"{"data":[\#(records.joined(separator: ","))],"meta":{"next_token":"\#(next)"}}"#.utf8)
    }

    static func machines(_ messages: [String]) -> [UInt8] {
        [UInt8](
            messages.map {
                #"{"timestamp":"2024-01-01T00:00:00Z","fly":{"app":{"instance":"a"}},"message":"\#($0)"}"# + "\n"
            }.joined().utf8)
    }

    /// The batches' frames decoded again, as a sink would see them.
    static func lines(_ page: DigestedPage) throws -> [[String]] {
        try page.batches.map { batch in
            let head = EntriesHead(appName: "web", batch: 1, count: batch.count, cursor: "77")
            let frame = try EntriesFrame.build(head, slab: batch.slab, end: batch.end)
            return try withExtendedLifetime(frame.slab) {
                var decoder = FrameDecoder()
                decoder.append([UInt8](frame.wireBytes))
                let received = try #require(try decoder.next())
                let (decoded, offset) = try EntriesHead.decode(received.payloadBytes)
                #expect(received.kind == .entries && decoded == head)
                let text = String(decoding: received.payloadBytes[offset...], as: UTF8.self)
                #expect(text.hasSuffix("\n"))
                let lines = text.split(separator: "\n").map(String.init)
                #expect(lines.count == Int(batch.count))
                return lines
            }
        }
    }

    static func read(_ bytes: [UInt8], _ digest: inout PageDigest) -> DigestedPage {
        bytes.withUnsafeBytes { digest.read($0) }
    }

    @Test("entries come out as lines in the page's order, those seen before left out")
    func repeated() throws {
        var digest = try PageDigest(app: try AppName("web"), dialect: .platform)
        let first = Self.read(Self.platform(0..<3), &digest)
        #expect(try Self.lines(first).reduce([], +).map { $0.contains(#""app_name":"web""#) } == [true, true, true])
        let second = Self.read(Self.platform(2..<5), &digest)
        #expect(second.repeated == 1 && second.unseen == 2 && second.contents.entryCount == 3)
        let ids = try Self.lines(second).reduce([], +).map { $0.contains(#""id":"r3""#) }
        #expect(ids == [true, false])
        #expect(second.contents.nextToken == .cursor(LogCursor(nanoseconds: 5)))
        let third = Self.read(Self.platform(2..<5), &digest)
        #expect(third.batches.isEmpty && third.repeated == 3)
    }

    @Test("equal entries of the machines dialect are told apart by counting them, and known again when read again")
    func occurrences() throws {
        var digest = try PageDigest(app: try AppName("web"), dialect: .machines)
        #expect(Self.read(Self.machines(["a", "b", "a"]), &digest).unseen == 3)
        let again = Self.read(Self.machines(["a", "b", "a", "a", "b", "c"]), &digest)
        #expect(again.repeated == 3 && again.unseen == 3)
        #expect(try Self.lines(again).reduce([], +).count == 3)
        #expect(Self.read(Self.machines(["a", "b", "a", "a", "b", "c"]), &digest).unseen == 0)
    }

    @Test(
        "a page of more than 1 MiB is cut into batches of at most that, none of its lines lost",
        arguments: [1, 2, 3, 7])
    func cutting(thousands: Int) throws {
        var digest = try PageDigest(app: try AppName("web"), dialect: .platform)
        let page = Self.read(
            Self.platform(0..<(thousands * 1000), message: String(repeating: "m", count: 900)), &digest)
        let batches = try Self.lines(page)
        #expect(page.batches.allSatisfy { $0.bytes <= 1024 * 1024 })
        #expect(batches.count == page.batches.reduce(0) { $0 + $1.bytes } / (1024 * 1024) + 1)
        let ids = batches.reduce([], +).enumerated().allSatisfy { $1.contains(#""id":"r\#($0)""#) }
        #expect(ids && batches.reduce([], +).count == thousands * 1000)
    }

    @Test("a line longer than a batch goes alone, between its neighbours")
    func longLine() throws {
        var digest = try PageDigest(app: try AppName("web"), dialect: .machines)
        let long = String(repeating: "x", count: 3 << 20)
        let page = Self.read(Self.machines(["a", long, "b"]), &digest)
        #expect(page.batches.map(\.count) == [1, 1, 1])
        #expect(try Self.lines(page).map { $0[0].count > 1 << 20 } == [false, true, false])
        #expect(page.oversized == 0)
    }

    @Test("a line too long for a frame is left out and counted, its neighbours stay")
    func oversized() throws {
        var digest = try PageDigest(app: try AppName("web"), dialect: .machines)
        let long = String(repeating: "x", count: (16 << 20) - 600)
        let page = Self.read(Self.machines(["a", long, "b"]), &digest)
        #expect(page.oversized == 1)
        #expect(try Self.lines(page).reduce([], +).count == 2)
    }

    @Test("a page that breaks off gives its entries and its error; read again, nothing comes twice")
    func broken() throws {
        var digest = try PageDigest(app: try AppName("web"), dialect: .platform)
        let whole = Self.platform(0..<10)
        for end in stride(from: 0, to: whole.count - 1, by: 7) {
            #expect(Self.read(Array(whole[..<end]), &digest).error != nil, "cut at \(end)")
        }
        let page = Self.read(whole, &digest)
        #expect(page.error == nil && page.unseen + page.repeated == 10)
    }

    @Test(
        "hostile pages are errors or nothing, never a trap",
        arguments: [
            "", "null", "[]", "{}", #"{"data":null}"#, "<html>no</html>", #"{"data":[1,2,null,"x"]}"#,
        ])
    func hostile(text: String) throws {
        for dialect in Dialect.allCases {
            var digest = try PageDigest(app: try AppName("web"), dialect: dialect)
            let page = Self.read([UInt8](text.utf8), &digest)
            #expect(page.unseen == 0 && page.batches.isEmpty)
        }
    }
}
