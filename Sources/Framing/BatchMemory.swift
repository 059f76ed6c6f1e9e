// A `memory` frame: by what the entries of one batch are known when they come again.
//
//     | app_name: u8 length, bytes | batch: u64 | chunk: u64 | first_kept: u64 | identities: u64 … |
//
// A Streamer sends it directly before the batch it belongs to. Nobody on the way looks at the identities: they go to the
// store in the transaction that commits the batch, and back to the Streamer's next incarnation.

/// The identities of one batch's entries.
package struct BatchMemory: Equatable, Sendable {
    /// The most identities in one frame.
    package static let mostIdentities = (FrameLimits.maximumPayloadBytes - 512) / 8

    package var appName: String
    /// The batch that follows.
    package var batch: UInt64
    /// Names this chunk of the app's memory; counts up over all incarnations.
    package var chunk: UInt64
    /// Chunks before this one are no longer needed.
    package var firstKept: UInt64
    package var identities: [UInt64]

    package init(appName: String, batch: UInt64, chunk: UInt64, firstKept: UInt64, identities: [UInt64]) {
        self.appName = appName
        self.batch = batch
        self.chunk = chunk
        self.firstKept = firstKept
        self.identities = identities
    }

    /// The payload of a `memory` frame.
    ///
    /// Traps with more than ``mostIdentities``.
    package func encode() -> [UInt8] {
        precondition(identities.count <= Self.mostIdentities, "\(identities.count) identities do not fit a frame")
        var bytes: [UInt8] = []
        bytes.reserveCapacity(1 + appName.utf8.count + 24 + 8 * identities.count)
        bytes.appendShort(appName)
        bytes.appendBigEndian(batch)
        bytes.appendBigEndian(chunk)
        bytes.appendBigEndian(firstKept)
        IdentityBytes.append(identities, to: &bytes)
        return bytes
    }

    /// What stands before the identities, and where they begin.
    package struct Head: Equatable, Sendable {
        package var appName: String
        package var batch: UInt64
        package var chunk: UInt64
        package var firstKept: UInt64
        /// Where the identities begin in the payload.
        package var bodyOffset: Int
    }

    /// Reads a payload's head; the identities are what follows it, eight bytes each.
    ///
    /// - Throws: ``FrameError/malformedPayload(_:reason:)``.
    package static func decodeHead(_ payload: UnsafeRawBufferPointer) throws(FrameError) -> Head {
        var reader = PayloadReader(payload, kind: .memory)
        var head = Head(
            appName: try reader.shortText("app_name"), batch: try reader.integer("batch"),
            chunk: try reader.integer("chunk"), firstKept: try reader.integer("first_kept"), bodyOffset: 0)
        head.bodyOffset = reader.offset
        guard (payload.count - reader.offset) % IdentityBytes.width == 0 else {
            throw .malformedPayload(.memory, reason: "it ends within an identity")
        }
        return head
    }

    /// Reads a whole payload.
    ///
    /// - Throws: ``FrameError/malformedPayload(_:reason:)``.
    package static func decode(_ payload: UnsafeRawBufferPointer) throws(FrameError) -> BatchMemory {
        let head = try decodeHead(payload)
        let body = UnsafeRawBufferPointer(rebasing: payload[head.bodyOffset...])
        return BatchMemory(
            appName: head.appName, batch: head.batch, chunk: head.chunk, firstKept: head.firstKept,
            identities: IdentityBytes.read(body))
    }
}

/// Identities as bytes: eight each, big-endian, nothing between them.
package enum IdentityBytes {
    /// Bytes of one identity.
    package static let width = 8

    /// Appends identities.
    package static func append(_ identities: [UInt64], to bytes: inout [UInt8]) {
        for identity in identities { bytes.appendBigEndian(identity) }
    }

    /// Reads as many identities as there are; a rest of less than eight bytes is left out.
    package static func read(_ bytes: UnsafeRawBufferPointer) -> [UInt64] {
        (0..<(bytes.count / width)).map { index in
            UInt64(bigEndian: bytes.loadUnaligned(fromByteOffset: index * width, as: UInt64.self))
        }
    }
}
