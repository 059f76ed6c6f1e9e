// The binary payloads of a batch: the head of an `entries` or `replay` frame and the whole of an `ack`.
//
//     entries: | app_name: u8 length, bytes | batch: u64 | count: u32 | cursor: u8 length, bytes | NDJSON … |
//     ack:     | app_name: u8 length, bytes | batch: u64 |                                from sinks without a position
//              | app_name: u8 length, bytes | batch: u64 | position: u8 length, bytes |   from sinks that keep one
//
// All integers are big-endian. The NDJSON is passed on untouched.

/// What stands before the entries of one batch.
package struct EntriesHead: Equatable, Sendable {
    /// The most bytes an app name or a cursor may have: their length is one byte.
    package static let mostTextBytes = 255

    package var appName: String
    /// Counts up from 1 in each incarnation of a Streamer.
    package var batch: UInt64
    /// How many NDJSON lines follow; none in a batch that only moves the cursor.
    package var count: UInt32
    /// Where reading goes on once this batch is safe; empty when the batch does not move the cursor.
    ///
    /// Of a `replay`: up to when lines were shown again, in ns since 1970, which is never committed.
    package var cursor: String

    package init(appName: String, batch: UInt64, count: UInt32, cursor: String) {
        self.appName = appName
        self.batch = batch
        self.count = count
        self.cursor = cursor
    }

    /// Bytes the head takes on the wire.
    package var encodedCount: Int { 1 + appName.utf8.count + 8 + 4 + 1 + cursor.utf8.count }

    /// The head as bytes.
    ///
    /// App name and cursor must each fit a one-byte length.
    package func encode() -> [UInt8] {
        var bytes: [UInt8] = []
        bytes.reserveCapacity(encodedCount)
        bytes.appendShort(appName)
        bytes.appendBigEndian(batch)
        bytes.appendBigEndian(count)
        bytes.appendShort(cursor)
        return bytes
    }

    /// Reads the head of an `entries` payload; the second value says where the NDJSON begins.
    ///
    /// - Throws: ``FrameError/malformedPayload(_:reason:)`` when the payload ends too soon or a text is not UTF-8.
    package static func decode(
        _ payload: UnsafeRawBufferPointer
    ) throws(FrameError) -> (head: EntriesHead, bodyOffset: Int) {
        var reader = PayloadReader(payload, kind: .entries)
        let appName = try reader.shortText("app_name")
        let batch: UInt64 = try reader.integer("batch")
        let count: UInt32 = try reader.integer("count")
        let cursor = try reader.shortText("cursor")
        return (EntriesHead(appName: appName, batch: batch, count: count, cursor: cursor), reader.offset)
    }
}

/// Says that a sink has a batch safe.
package struct Acknowledgement: Equatable, Sendable {
    package var appName: String
    package var batch: UInt64
    /// Where the sink stands behind this batch, in words of its own; nil from a sink that keeps no position.
    package var position: String?

    package init(appName: String, batch: UInt64, position: String? = nil) {
        self.appName = appName
        self.batch = batch
        self.position = position
    }

    /// The payload of an `ack` frame.
    package func encode() -> [UInt8] {
        var bytes: [UInt8] = []
        bytes.appendShort(appName)
        bytes.appendBigEndian(batch)
        if let position { bytes.appendShort(position) }
        return bytes
    }

    /// Reads the payload of an `ack` frame.
    ///
    /// - Throws: ``FrameError/malformedPayload(_:reason:)`` when it is cut short or has bytes left over.
    package static func decode(_ payload: UnsafeRawBufferPointer) throws(FrameError) -> Acknowledgement {
        var reader = PayloadReader(payload, kind: .ack)
        var ack = Acknowledgement(appName: try reader.shortText("app_name"), batch: try reader.integer("batch"))
        if !reader.isAtEnd { ack.position = try reader.shortText("position") }
        try reader.expectEnd()
        return ack
    }
}
