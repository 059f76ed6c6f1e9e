// The binary payloads of `entries` and `ack`, byte by byte and cut at every byte.

import Framing
import Testing

@Suite("EntriesHead") struct EntriesHeadTests {
    static let head = EntriesHead(
        appName: "web", batch: 0x0102_0304_0506_0708, count: 0x0a0b_0c0d, cursor: "1780608000000000000")
    static let bytes: [UInt8] =
        [3, 0x77, 0x65, 0x62, 1, 2, 3, 4, 5, 6, 7, 8, 0x0a, 0x0b, 0x0c, 0x0d, 19] + Array("1780608000000000000".utf8)

    private func decode(_ bytes: [UInt8]) throws -> (head: EntriesHead, bodyOffset: Int) {
        try bytes.withUnsafeBytes { try EntriesHead.decode($0) }
    }

    @Test("has the bytes of the wire format")
    func golden() throws {
        #expect(Self.head.encode() == Self.bytes)
        #expect(Self.head.encodedCount == Self.bytes.count)
        #expect(
            EntriesHead(appName: "", batch: 0, count: 0, cursor: "").encode()
                == [0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0])
    }

    @Test("is read back with the offset of the lines behind it")
    func roundTrip() throws {
        let decoded = try decode(Self.bytes + Array("{}\n".utf8))
        #expect(decoded.head == Self.head)
        #expect(decoded.bodyOffset == Self.bytes.count)
    }

    @Test("texts of 255 bytes fit", arguments: [0, 1, 254, 255])
    func textLengths(count: Int) throws {
        let head = EntriesHead(
            appName: String(repeating: "a", count: count), batch: .max, count: .max,
            cursor: String(repeating: "9", count: count))
        #expect(head.encodedCount == 14 + 2 * count)
        #expect(try decode(head.encode()).head == head)
    }

    @Test("a text of 256 bytes is our own mistake and traps")
    func textTooLong() async {
        await #expect(processExitsWith: .failure) {
            _ = EntriesHead(appName: "web", batch: 1, count: 0, cursor: String(repeating: "9", count: 256)).encode()
        }
    }

    @Test("every truncation is an error of its own payload kind")
    func truncations() {
        for end in 0..<Self.bytes.count {
            do {
                let decoded = try decode(Array(Self.bytes[..<end]))
                Issue.record("cut at \(end) it was read as \(decoded.head)")
            } catch FrameError.malformedPayload(.entries, _) {
                continue
            } catch {
                Issue.record("cut at \(end) it threw \(error)")
            }
        }
    }

    @Test(
        "texts that are not UTF-8 are refused",
        arguments: [[0xff], [0xc0, 0x80], [0xed, 0xa0, 0x80], [0xe2, 0x82], [0xf4, 0x90, 0x80, 0x80]] as [[UInt8]])
    func badText(text: [UInt8]) {
        let badName: [UInt8] = [UInt8(text.count)] + text + [UInt8](repeating: 0, count: 13)
        #expect(throws: FrameError.malformedPayload(.entries, reason: "app_name is not UTF-8")) { try decode(badName) }
        let badCursor: [UInt8] = [UInt8](repeating: 0, count: 13) + [UInt8(text.count)] + text
        #expect(throws: FrameError.malformedPayload(.entries, reason: "cursor is not UTF-8")) { try decode(badCursor) }
    }
}

@Suite("Acknowledgement") struct AcknowledgementTests {
    static let bytes: [UInt8] = [3, 0x61, 0x70, 0x69, 0, 0, 0, 0, 0, 0, 1, 2]

    private func decode(_ bytes: [UInt8]) throws -> Acknowledgement {
        try bytes.withUnsafeBytes { try Acknowledgement.decode($0) }
    }

    @Test("has the bytes of the wire format and is read back")
    func golden() throws {
        let acknowledgement = Acknowledgement(appName: "api", batch: 258)
        #expect(acknowledgement.encode() == Self.bytes)
        #expect(try decode(Self.bytes) == acknowledgement)
    }

    @Test("every truncation is an error, and so is a byte too many")
    func truncations() {
        for end in 0..<Self.bytes.count {
            #expect(throws: FrameError.self, "cut at \(end)") { try decode(Array(Self.bytes[..<end])) }
        }
        #expect(throws: FrameError.malformedPayload(.ack, reason: "1 bytes too many")) {
            try decode(Self.bytes + [0, 0])
        }
    }

    @Test("a name that is not UTF-8 is refused")
    func badText() {
        #expect(throws: FrameError.malformedPayload(.ack, reason: "app_name is not UTF-8")) {
            try decode([1, 0xff, 0, 0, 0, 0, 0, 0, 0, 1])
        }
    }
}
