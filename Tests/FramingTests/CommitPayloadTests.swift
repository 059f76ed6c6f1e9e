import Testing

@testable import Framing

@Suite("CommitPayload, BatchMemory and Acknowledgement")
struct CommitPayloadTests {
    private func decode(_ bytes: [UInt8]) throws -> CommitPayload {
        try bytes.withUnsafeBytes { raw in try CommitPayload.decode(raw) }
    }

    private static let full = CommitPayload(
        sinks: [.init(name: "/var/log/a", position: "1:2:3:4"), .init(name: "/b", position: "")],
        apps: [
            .init(
                name: "web", cursor: "1..2", firstKept: 7,
                chunks: [.init(number: 7, identities: [1, 2, 3, 4, 5, 6, 7, 8]), .init(number: 8, identities: [])]),
            .init(name: "api", cursor: ""),
        ])

    @Test("a commit's bytes are those of the contract")
    func bytes() {
        let small = CommitPayload(
            sinks: [.init(name: "/f", position: "p")],
            apps: [.init(name: "w", cursor: "9", firstKept: 2, chunks: [.init(number: 3, identities: Array(0..<8))])])
        #expect(
            small.encode()
                == [0, 1, 0, 2, 47, 102, 1, 112] + [0, 0, 0, 1, 1, 119, 1, 57, 0, 0, 0, 0, 0, 0, 0, 2]
                + [0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 3, 0, 0, 0, 1, 0, 1, 2, 3, 4, 5, 6, 7])
    }

    @Test("what was encoded is read back", arguments: [CommitPayload(), CommitPayloadTests.full])
    func roundTrip(commit: CommitPayload) throws {
        #expect(try decode(commit.encode()) == commit)
    }

    @Test("a commit cut short anywhere, or with a byte more, is malformed")
    func cut() {
        let bytes = Self.full.encode()
        for count in 0..<bytes.count {
            #expect(throws: FrameError.self) { try decode(Array(bytes.prefix(count))) }
        }
        #expect(throws: FrameError.self) { try decode(bytes + [0]) }
    }

    @Test("counts that promise more than there is reserve nothing")
    func hostileCounts() {
        #expect(throws: FrameError.self) { try decode([0, 0, 255, 255, 255, 255]) }
        let identities: [UInt8] = [0, 0, 0, 0, 0, 1, 0, 0] + [UInt8](repeating: 0, count: 8) + [0, 0, 0, 1]
        #expect(throws: FrameError.self) {
            try decode(identities + [UInt8](repeating: 0, count: 8) + [255, 255, 255, 255])
        }
    }

    @Test("a memory frame is read back, with no identity and with many", arguments: [0, 1, 1000])
    func memory(count: Int) throws {
        let memory = BatchMemory(
            appName: "web", batch: 5, chunk: .max, firstKept: 3, identities: (0..<count).map { UInt64($0) << 40 })
        let bytes = memory.encode()
        try bytes.withUnsafeBytes { raw in
            let decoded = try BatchMemory.decode(raw)
            #expect(decoded == memory)
            let head = try BatchMemory.decodeHead(raw)
            #expect(raw.count - head.bodyOffset == 8 * count)
        }
    }

    @Test("a memory frame that ends within an identity is malformed")
    func cutMemory() {
        let bytes = BatchMemory(appName: "web", batch: 5, chunk: 1, firstKept: 1, identities: [1, 2]).encode()
        for count in 0..<bytes.count where count != bytes.count - 8 && count != bytes.count - 16 {
            #expect(throws: FrameError.self) {
                try Array(bytes.prefix(count)).withUnsafeBytes { raw in try BatchMemory.decode(raw) }
            }
        }
    }

    @Test("an acknowledgement carries a position or none", arguments: [nil, "", "1:2:3:4"])
    func acknowledgement(position: String?) throws {
        let acknowledgement = Acknowledgement(appName: "web", batch: 7, position: position)
        let bytes = acknowledgement.encode()
        #expect(bytes.count == 12 + (position.map { $0.utf8.count + 1 } ?? 0))
        try bytes.withUnsafeBytes { raw in
            let decoded = try Acknowledgement.decode(raw)
            #expect(decoded == acknowledgement)
        }
        #expect(throws: FrameError.self) {
            try (bytes + [1, 1, 1]).withUnsafeBytes { raw in try Acknowledgement.decode(raw) }
        }
    }

    @Test("a replay frame is an entries frame of another kind")
    func replay() throws {
        let head = EntriesHead(appName: "web", batch: 1, count: 1, cursor: "")
        let slab = ByteSlab(capacity: EntriesFrame.headroom + 3)
        (slab.base + EntriesFrame.headroom).copyMemory(from: [123, 125, 10] as [UInt8], byteCount: 3)
        let frame = try EntriesFrame.build(head, kind: .replay, slab: slab, end: slab.capacity)
        #expect(frame.kind == .replay)
        #expect(frame.wireBytes[4] == 13)
        let decoded = try EntriesHead.decode(frame.payloadBytes).head
        #expect(decoded == head)
    }
}
