// What frames and decoders hold in memory: nothing when idle, and nothing out of proportion when frames wait.

import Framing
import Testing

@Suite("FrameDecoder's memory") struct FrameMemoryTests {
    /// Keeps an eye on a slab without keeping it.
    private final class Watch {
        weak var slab: ByteSlab?
        init(_ frame: Frame?) { slab = frame?.slab }
    }

    @Test("an idle decoder holds no memory, whatever it read before", arguments: [0, 100, 70_000, 3_000_000])
    func idle(payload: Int) throws {
        var decoder = FrameDecoder()
        var frames = try decoder.receive(PlainFrame(.entries, payload: pattern(payload)).wire)
        let watch = Watch(frames.first)
        #expect(watch.slab != nil)
        frames = []
        #expect(watch.slab == nil, "the decoder still holds the slab of a frame that was taken")
        #expect(decoder.heldBytes == 0)
    }

    @Test("a decoder asked for memory that then read nothing gives it back")
    func emptyRead() throws {
        var decoder = FrameDecoder()
        _ = decoder.writableBytes()
        #expect(decoder.heldBytes > 0)
        decoder.commit(0)
        #expect(try decoder.next() == nil)
        #expect(decoder.heldBytes == 0)
    }

    @Test("a broken decoder holds no memory")
    func broken() throws {
        var decoder = FrameDecoder()
        decoder.append([0, 0, 0, 0])
        #expect(throws: FrameError.self) { try decoder.next() }
        #expect(decoder.heldBytes == 0)
    }

    @Test("small frames that arrive one by one and wait do not each hold a slab")
    func dribble() throws {
        var decoder = FrameDecoder()
        _ = try decoder.receive(PlainFrame(.entries, payload: pattern(400_000)).wire)
        var waiting: [Frame] = []
        for index in 0..<1000 {
            waiting += try decoder.receive(PlainFrame(.entries, id: UInt32(index), payload: pattern(500)).wire)
        }
        var slabs: [ObjectIdentifier: Int] = [:]
        for frame in waiting { slabs[ObjectIdentifier(frame.slab)] = frame.slab.capacity }
        let held = slabs.values.reduce(0, +)
        let used = waiting.reduce(0) { $0 + $1.payloadCount }
        #expect(held <= 8 * used, "\(held) bytes are held for \(used) bytes of frames")
    }

    @Test("frames read together share their slab instead of being copied")
    func sharing() throws {
        var decoder = FrameDecoder()
        let wire = (0..<4).flatMap { PlainFrame(.entries, id: $0, payload: pattern(15_000)).wire }
        let frames = try decoder.receive(wire)
        #expect(frames.count == 4)
        #expect(Set(frames.map { ObjectIdentifier($0.slab) }).count == 1)
    }
}
