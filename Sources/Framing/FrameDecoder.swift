// Bytes to frames, without a descriptor: the owner reads straight into the memory this hands out.
//
// Invariant: 0 <= readIndex <= writeIndex <= slab.capacity; bytes in readIndex..<writeIndex are received and not yet
// a frame. A slab is held only while a frame in it is incomplete, so an idle connection holds no memory. A frame keeps
// at most eight times its size in memory: a smaller one is copied out of its slab. A broken stream stays broken: every
// later call throws the same error.

/// Assembles frames from a byte stream that arrives in pieces of any size.
package struct FrameDecoder: ~Copyable {
    /// What a fresh slab holds, in bytes, where the frame at hand does not need more.
    package static let smallestSlab = 64 * 1024
    private static let largestReadAhead = 1024 * 1024
    /// A frame that waits holds its whole slab; this bounds what it may hold beyond its own size.
    private static let mostSlabPerFrameByte = 8

    private var slab: ByteSlab?
    private var readIndex = 0
    private var writeIndex = 0
    private var broken: FrameError?
    private var largestFrameSeen = 0

    package init() {}

    /// Whether bytes of an unfinished frame are held: an end of file now would cut a frame short.
    package var isMidFrame: Bool { writeIndex > readIndex }

    /// Bytes of memory held for frames that are not whole yet; 0 when idle, once ``next()`` returned nil.
    package var heldBytes: Int { slab?.capacity ?? 0 }

    /// Memory to read into.
    ///
    /// Fill it from the start and report the count to ``commit(_:)``.
    ///
    /// Valid until the next call of any mutating method.
    package mutating func writableBytes() -> UnsafeMutableRawBufferPointer {
        let pending = writeIndex - readIndex
        if let slab {
            let wanted = max(pendingFrameBytes - pending, 1)
            if slab.capacity - writeIndex >= wanted {
                return UnsafeMutableRawBufferPointer(start: slab.base + writeIndex, count: slab.capacity - writeIndex)
            }
        }
        let readAhead = min(max(Self.smallestSlab, 2 * largestFrameSeen), Self.largestReadAhead)
        let fresh = ByteSlab(capacity: max(readAhead, pendingFrameBytes, pending + Self.smallestSlab / 2))
        if let slab, pending > 0 {
            fresh.base.copyMemory(from: slab.base + readIndex, byteCount: pending)
        }
        slab = fresh
        readIndex = 0
        writeIndex = pending
        return UnsafeMutableRawBufferPointer(start: fresh.base + pending, count: fresh.capacity - pending)
    }

    /// Says how many bytes of ``writableBytes()`` were filled; 0 gives unused memory back.
    ///
    /// A broken stream's bytes are dropped.
    package mutating func commit(_ count: Int) {
        guard broken == nil else {
            slab = nil
            return
        }
        guard let slab else {
            precondition(count == 0, "bytes were committed without memory to hold them")
            return
        }
        precondition(count >= 0 && writeIndex + count <= slab.capacity, "more bytes were committed than there was room")
        writeIndex += count
        if count == 0 { releaseIfDrained() }
    }

    /// The next whole frame, or nil when more bytes are needed.
    ///
    /// - Throws: ``FrameError`` when the bytes are no frame; from then on every call throws it.
    package mutating func next() throws(FrameError) -> Frame? {
        if let broken { throw broken }
        guard let slab else { return nil }
        let available = writeIndex - readIndex
        guard available >= FrameLimits.lengthFieldBytes else {
            releaseIfDrained()
            return nil
        }
        let start = slab.base + readIndex
        let length = UInt32(bigEndian: start.loadUnaligned(as: UInt32.self))
        guard length >= FrameLimits.minimumLength, length <= FrameLimits.maximumLength else {
            throw fail(.lengthOutOfRange(length))
        }
        if available > FrameLimits.lengthFieldBytes {
            let byte = (start + 4).load(as: UInt8.self)
            guard FrameKind(rawValue: byte) != nil else { throw fail(.unknownKind(byte)) }
        }
        let total = FrameLimits.lengthFieldBytes + Int(length)
        guard available >= total, let kind = FrameKind(rawValue: (start + 4).load(as: UInt8.self)) else { return nil }
        let id = UInt32(bigEndian: (start + 5).loadUnaligned(as: UInt32.self))
        let place = Self.place(of: total, at: readIndex, in: slab)
        readIndex += total
        largestFrameSeen = max(largestFrameSeen, total)
        return Frame(
            kind: kind, id: id, slab: place.slab, offset: place.offset,
            payloadCount: total - FrameLimits.headerBytes)
    }

    /// Where a frame of `count` bytes shall live: where it is, or in memory of its own if it is small for its slab.
    private static func place(of count: Int, at offset: Int, in slab: ByteSlab) -> (slab: ByteSlab, offset: Int) {
        guard count * mostSlabPerFrameByte < slab.capacity else { return (slab, offset) }
        let own = ByteSlab(capacity: count)
        own.base.copyMemory(from: slab.base + offset, byteCount: count)
        return (own, 0)
    }

    /// Takes bytes that were received elsewhere.
    package mutating func append(_ bytes: some Collection<UInt8>) {
        var rest = bytes[...]
        while !rest.isEmpty {
            let space = writableBytes()
            let piece = rest.prefix(space.count)
            for (index, byte) in piece.enumerated() { space[index] = byte }
            commit(piece.count)
            rest = rest.dropFirst(piece.count)
        }
    }

    /// Bytes the frame at the read index takes in all, as far as its length field is known.
    private var pendingFrameBytes: Int {
        guard let slab, writeIndex - readIndex >= FrameLimits.lengthFieldBytes else { return FrameLimits.headerBytes }
        let length = UInt32(bigEndian: (slab.base + readIndex).loadUnaligned(as: UInt32.self))
        guard length <= FrameLimits.maximumLength else { return FrameLimits.headerBytes }
        return FrameLimits.lengthFieldBytes + Int(length)
    }

    private mutating func releaseIfDrained() {
        guard readIndex == writeIndex else { return }
        slab = nil
        readIndex = 0
        writeIndex = 0
    }

    private mutating func fail(_ error: FrameError) -> FrameError {
        broken = error
        slab = nil
        readIndex = 0
        writeIndex = 0
        return error
    }
}
