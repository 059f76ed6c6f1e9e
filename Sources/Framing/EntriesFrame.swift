// An `entries` frame made of NDJSON that stays where it was written: the writer leaves room in front, and header and
// head go there, right-aligned, once count and cursor are known.

/// Builds `entries` frames without moving the entries.
package enum EntriesFrame {
    /// Bytes to leave in front of the NDJSON, enough for a frame's header and the longest head.
    package static let headroom = FrameLimits.headerBytes + 255 + 255 + 14

    /// Makes the frame of `slab`, whose bytes from ``headroom`` up to `end` are the NDJSON.
    ///
    /// - Parameter kind: `entries`, or `replay` for what only people get.
    /// - Throws: ``FrameError/payloadTooLarge(_:)`` above ``FrameLimits/maximumPayloadBytes``.
    package static func build(
        _ head: EntriesHead, kind: FrameKind = .entries, slab: ByteSlab, end: Int
    ) throws(FrameError) -> Frame {
        precondition(end >= headroom && end <= slab.capacity, "the entries do not lie behind the headroom")
        let encoded = head.encode()
        let payloadCount = encoded.count + end - headroom
        guard payloadCount <= FrameLimits.maximumPayloadBytes else { throw .payloadTooLarge(payloadCount) }
        let offset = headroom - encoded.count - FrameLimits.headerBytes
        FrameEncoder.writeHeader(kind: kind, id: 0, payloadCount: payloadCount, to: slab.base + offset)
        (slab.base + offset + FrameLimits.headerBytes).copyMemory(from: encoded, byteCount: encoded.count)
        return Frame(kind: kind, id: 0, slab: slab, offset: offset, payloadCount: payloadCount)
    }
}
