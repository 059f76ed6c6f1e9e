// Frames to bytes. The header is written in place, so that a payload built behind it is never moved.

/// Writes frames as bytes.
package enum FrameEncoder {
    /// Writes the nine header bytes at `target`, which must have room for them.
    package static func writeHeader(
        kind: FrameKind, id: UInt32, payloadCount: Int, to target: UnsafeMutableRawPointer
    ) {
        let length = UInt32(FrameLimits.minimumLength + payloadCount)
        target.storeBytes(of: length.bigEndian, as: UInt32.self)
        target.storeBytes(of: kind.rawValue, toByteOffset: 4, as: UInt8.self)
        target.storeBytes(of: id.bigEndian, toByteOffset: 5, as: UInt32.self)
    }

    /// One whole frame as an array.
    ///
    /// - Throws: ``FrameError/payloadTooLarge(_:)`` above ``FrameLimits/maximumPayloadBytes``.
    package static func encode(
        _ kind: FrameKind, id: UInt32 = 0, payload: [UInt8] = []
    ) throws(FrameError) -> [UInt8] {
        let frame = try Frame(kind: kind, id: id, payload: payload)
        return withExtendedLifetime(frame.slab) { [UInt8](frame.wireBytes) }
    }
}
