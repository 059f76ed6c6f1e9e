// Memory for lines and frames, and the hash whose results are stored.
import Glibc
import LogPages
import Testing

@Suite("ByteBuffer")
struct ByteBufferTests {
    private func bytes(_ buffer: borrowing ByteBuffer) -> [UInt8] { buffer.withUnsafeBytes { Array($0) } }

    @Test("appends of every size keep all bytes in order")
    func appends() {
        var buffer = ByteBuffer()
        var expected: [UInt8] = []
        for size in [0, 1, 255, 256, 257, 5000, 1, 70_000] {
            let part = (0..<size).map { UInt8(truncatingIfNeeded: $0 &* 31 &+ size) }
            buffer.append(part)
            expected += part
        }
        #expect(bytes(buffer) == expected)
        #expect(buffer.count == expected.count)
        #expect(buffer.capacity >= buffer.count)
    }

    @Test("integers are written big-endian, and can be filled in later")
    func integers() {
        var buffer = ByteBuffer()
        buffer.appendBigEndian(UInt32(0))
        buffer.append("é")
        buffer.appendBigEndian(UInt16(0x0102))
        buffer.storeBigEndian(UInt32(0xDEAD_BEEF), at: 0)
        #expect(bytes(buffer) == [0xDE, 0xAD, 0xBE, 0xEF, 0xC3, 0xA9, 1, 2])
    }

    @Test("bytes can be dropped from either end")
    func dropping() {
        var buffer = ByteBuffer()
        buffer.append([1, 2, 3, 4, 5])
        buffer.truncate(to: 4)
        buffer.removeFirst(1)
        #expect(bytes(buffer) == [2, 3, 4])
        buffer.removeAll()
        #expect(buffer.count == 0)
        #expect(buffer.capacity > 0)
        buffer.removeAll(keptCapacity: 0)
        #expect(buffer.capacity == 0)
    }

    @Test("detached memory belongs to the caller and leaves an empty buffer")
    func detach() {
        var buffer = ByteBuffer()
        buffer.append([7, 8])
        let memory = buffer.detach()
        defer { free(memory.baseAddress) }
        #expect(Array(memory) == [7, 8])
        #expect(buffer.count == 0)
        buffer.append([9])
        #expect(bytes(buffer) == [9])
    }
}

@Suite("StableHash")
struct StableHashTests {
    private func hash(_ bytes: [UInt8], seed: UInt64 = 0) -> UInt64 {
        bytes.withUnsafeBytes { StableHash.hash($0, seed: seed) }
    }

    @Test("equal bytes hash equally wherever they lie, and each prefix differs")
    func prefixes() {
        let text = (0..<200).map { UInt8(truncatingIfNeeded: $0 &* 7) }
        var seen: Set<UInt64> = []
        for length in 0...text.count {
            let value = hash(Array(text[..<length]))
            #expect(seen.insert(value).inserted)
            let shifted = [0xAA] + text[..<length]
            shifted.withUnsafeBytes { raw in
                #expect(StableHash.hash(UnsafeRawBufferPointer(rebasing: raw[1...])) == value)
            }
        }
    }

    @Test("every single bit of the input changes about half of the output")
    func avalanche() {
        for length in [1, 3, 4, 8, 15, 16, 17, 36, 64] {
            let base = (0..<length).map { UInt8(truncatingIfNeeded: $0 &* 37 &+ 11) }
            let reference = hash(base)
            var flipped = 0
            for bit in 0..<(length * 8) {
                var changed = base
                changed[bit / 8] ^= UInt8(1 << (bit % 8))
                let distance = (hash(changed) ^ reference).nonzeroBitCount
                #expect(distance > 8)
                flipped += distance
            }
            #expect((24...40).contains(flipped / (length * 8)))
        }
    }

    @Test("a million numbered ids do not collide")
    func collisions() {
        var seen: Set<UInt64> = []
        seen.reserveCapacity(1_000_000)
        for number in 0..<1_000_000 { seen.insert(hash(Array("01J\(number)".utf8))) }
        #expect(seen.count == 1_000_000)
    }
}
