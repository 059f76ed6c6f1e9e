// The decoder against every split, every truncation, every limit, and bytes that are no frames at all.

import Framing
import Testing

@Suite("FrameDecoder") struct FrameDecoderTests {
    /// One frame of every kind, with ids and payloads of every awkward length, ends at both edges of the first slab.
    static let mixed: [PlainFrame] = FrameKind.allCases.enumerated().map { index, kind in
        PlainFrame(
            kind, id: UInt32(index) &* 0x1001_0101,
            payload: pattern([0, 1, 2, 3, 4, 5, 17, 255, 256][index % 9], seed: index))
    }

    @Test("a stream of every kind comes out whole at every split into two reads")
    func everySplit() throws {
        let wire = Self.mixed.flatMap(\.wire)
        for split in 0...wire.count {
            var decoder = FrameDecoder()
            let frames = try decoder.receive(wire[..<split]) + decoder.receive(wire[split...])
            #expect(frames.map(PlainFrame.init) == Self.mixed, "split at \(split)")
        }
    }

    @Test("a stream comes out whole in reads of any one size", arguments: [1, 2, 3, 4, 5, 7, 8, 9, 10, 64, 1000])
    func everyReadSize(size: Int) throws {
        let wire = Self.mixed.flatMap(\.wire)
        var decoder = FrameDecoder()
        var frames: [Frame] = []
        for start in stride(from: 0, to: wire.count, by: size) {
            frames += try decoder.receive(wire[start..<min(start + size, wire.count)])
        }
        #expect(frames.map(PlainFrame.init) == Self.mixed)
        #expect(decoder.isMidFrame == false)
    }

    @Test("every truncation yields the whole frames before it and says whether one was cut")
    func everyTruncation() throws {
        let wire = Self.mixed.flatMap(\.wire)
        let ends = Self.mixed.reduce(into: [0]) { ends, frame in ends.append((ends.last ?? 0) + frame.wire.count) }
        for end in 0...wire.count {
            var decoder = FrameDecoder()
            let frames = try decoder.receive(wire[..<end])
            let whole = ends.lastIndex { $0 <= end } ?? 0
            #expect(frames.map(PlainFrame.init) == Array(Self.mixed[..<whole]), "cut at \(end)")
            #expect(decoder.isMidFrame == !ends.contains(end), "cut at \(end)")
        }
    }

    @Test(
        "frames that cross slabs come out whole however they are cut",
        arguments: [1000, 4096, 65_527, 65_535, 65_536, 65_537, 300_000])
    func largeFrames(piece: Int) throws {
        let sizes = [10, 65_527, 65_528, 65_526, 0, 300_000, 1, 1_048_576, 70_000, 2_500_000, 5, 65_536 * 3]
        let frames = sizes.enumerated().map { PlainFrame(.entries, id: UInt32($0), payload: pattern($1, seed: $0)) }
        let wire = frames.flatMap(\.wire)
        var decoder = FrameDecoder()
        var seen: [Frame] = []
        for start in stride(from: 0, to: wire.count, by: piece) {
            seen += try decoder.receive(wire[start..<min(start + piece, wire.count)])
        }
        #expect(seen.map(PlainFrame.init) == frames)
        #expect(decoder.isMidFrame == false)
    }

    @Test("a large frame comes out whole when it is cut at any byte around its header and the slab's edge")
    func splitsAroundEdges() throws {
        let frames = [PlainFrame(.ping), PlainFrame(.entries, payload: pattern(100_000)), PlainFrame(.pong, id: 3)]
        let wire = frames.flatMap(\.wire)
        let edges = Array(0...40) + Array(65_500...65_600) + Array((wire.count - 20)...wire.count)
        for split in edges {
            var decoder = FrameDecoder()
            let seen = try decoder.receive(wire[..<split]) + decoder.receive(wire[split...])
            #expect(seen.map(PlainFrame.init) == frames, "split at \(split)")
        }
    }

    @Test("a length of 5 and one of 16 MiB are frames", arguments: [UInt32(5), 6, 16_777_215, 16_777_216])
    func legalLengths(length: UInt32) throws {
        let frame = PlainFrame(.entries, id: 1, payload: pattern(Int(length) - 5))
        var decoder = FrameDecoder()
        let seen = try decoder.receive(frame.wire + PlainFrame(.ping).wire)
        #expect(seen.map(PlainFrame.init) == [frame, PlainFrame(.ping)])
    }

    @Test(
        "a length outside the limits breaks the stream as soon as it is read",
        arguments: [UInt32(0), 1, 4, 16_777_217, 0x7fff_ffff, 0x8000_0000, 0xffff_ffff])
    func illegalLengths(length: UInt32) throws {
        var decoder = FrameDecoder()
        decoder.append(bigEndian(length))
        #expect(throws: FrameError.lengthOutOfRange(length)) { try decoder.next() }
    }

    @Test(
        "a kind that is unknown breaks the stream before its payload came",
        arguments: [UInt8(0), 16, 17, 127, 128, 255])
    func unknownKinds(byte: UInt8) throws {
        var decoder = FrameDecoder()
        decoder.append([0, 1, 0, 0, byte])
        #expect(throws: FrameError.unknownKind(byte)) { try decoder.next() }
    }

    @Test("a broken stream stays broken, whatever comes after, and holds no bytes")
    func stickiness() throws {
        var decoder = FrameDecoder()
        decoder.append(PlainFrame(.ping).wire + [0, 0, 0, 4] + PlainFrame(.ping).wire)
        #expect(try decoder.next()?.kind == .ping)
        for _ in 0..<3 {
            #expect(throws: FrameError.lengthOutOfRange(4)) { try decoder.next() }
            #expect(decoder.isMidFrame == false)
            decoder.append(PlainFrame(.ping).wire)
        }
    }

    @Test("frames keep their bytes after the decoder moved on and ended")
    func framesOutliveTheDecoder() throws {
        let wanted = (0..<40).map { PlainFrame(.entries, id: UInt32($0), payload: pattern(20_000, seed: $0)) }
        var kept: [Frame] = []
        do {
            var decoder = FrameDecoder()
            for frame in wanted { kept += try decoder.receive(frame.wire) }
            _ = try decoder.receive(PlainFrame(.entries, payload: [UInt8](repeating: 0xaa, count: 400_000)).wire)
        }
        #expect(kept.map(PlainFrame.init) == wanted)
    }

    @Test("what a decoder made is what an encoder takes, for random frames in random pieces")
    func roundTrip() throws {
        var random = SplitMix64(seed: 20)
        for _ in 0..<200 {
            let frames = (0..<Int.random(in: 1...12, using: &random)).map { _ in
                PlainFrame(
                    FrameKind.allCases.randomElement(using: &random) ?? .ping,
                    id: UInt32.random(in: 0...UInt32.max, using: &random),
                    payload: pattern(
                        Int.random(in: 0...5000, using: &random), seed: Int.random(in: 0...255, using: &random)))
            }
            let wire = try frames.flatMap { try FrameEncoder.encode($0.kind, id: $0.id, payload: $0.payload) }
            #expect(wire == frames.flatMap(\.wire))
            var decoder = FrameDecoder()
            var seen: [Frame] = []
            var rest = wire[...]
            while !rest.isEmpty {
                let piece = rest.prefix(Int.random(in: 1...4000, using: &random))
                seen += try decoder.receive(piece)
                rest = rest.dropFirst(piece.count)
            }
            #expect(seen.map(PlainFrame.init) == frames)
        }
    }
}
