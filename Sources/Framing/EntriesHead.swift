// The binary payloads: the head of an `entries` frame and the whole of an `ack`.
//
//     entries: | app_name: u8 length, bytes | batch: u64 | count: u32 | cursor: u8 length, bytes | NDJSON … |
//     ack:     | app_name: u8 length, bytes | batch: u64 |
//
// All integers are big-endian. The NDJSON is passed on untouched.

/// What stands before the entries of one batch.
package struct EntriesHead: Equatable, Sendable {
    /// The most bytes an app name or a cursor may have: their length is one byte.
    package static let mostTextBytes = 255

    package var appName: String
    /// Counts up from 1 in each incarnation of a Streamer.
    package var batch: UInt64
    /// How many NDJSON lines follow.
    package var count: UInt32
    /// Where reading goes on once this batch is safe; empty when the batch does not move the cursor.
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

    package init(appName: String, batch: UInt64) {
        self.appName = appName
        self.batch = batch
    }

    /// The payload of an `ack` frame.
    package func encode() -> [UInt8] {
        var bytes: [UInt8] = []
        bytes.appendShort(appName)
        bytes.appendBigEndian(batch)
        return bytes
    }

    /// Reads the payload of an `ack` frame.
    ///
    /// - Throws: ``FrameError/malformedPayload(_:reason:)`` when it is cut short or has bytes left over.
    package static func decode(_ payload: UnsafeRawBufferPointer) throws(FrameError) -> Acknowledgement {
        var reader = PayloadReader(payload, kind: .ack)
        let ack = Acknowledgement(appName: try reader.shortText("app_name"), batch: try reader.integer("batch"))
        guard reader.offset == payload.count else {
            throw .malformedPayload(.ack, reason: "\(payload.count - reader.offset) bytes too many")
        }
        return ack
    }
}

/// Walks over a payload and never past its end.
private struct PayloadReader {
    private let bytes: UnsafeRawBufferPointer
    private let kind: FrameKind
    private(set) var offset = 0

    init(_ bytes: UnsafeRawBufferPointer, kind: FrameKind) {
        self.bytes = bytes
        self.kind = kind
    }

    mutating func integer<I: FixedWidthInteger & BitwiseCopyable>(_ name: String) throws(FrameError) -> I {
        let width = MemoryLayout<I>.size
        guard bytes.count - offset >= width else { throw .malformedPayload(kind, reason: "it ends before \(name)") }
        defer { offset += width }
        return I(bigEndian: bytes.loadUnaligned(fromByteOffset: offset, as: I.self))
    }

    mutating func shortText(_ name: String) throws(FrameError) -> String {
        let count = Int(try integer("the length of \(name)") as UInt8)
        guard bytes.count - offset >= count else { throw .malformedPayload(kind, reason: "it ends within \(name)") }
        let slice = bytes[offset..<(offset + count)]
        guard let text = String(validating: slice, as: UTF8.self) else {
            throw .malformedPayload(kind, reason: "\(name) is not UTF-8")
        }
        offset += count
        return text
    }
}

extension [UInt8] {
    fileprivate mutating func appendShort(_ text: String) {
        let utf8 = text.utf8
        precondition(
            utf8.count <= EntriesHead.mostTextBytes, "a text of \(utf8.count) bytes does not fit a one-byte length")
        append(UInt8(utf8.count))
        append(contentsOf: utf8)
    }

    fileprivate mutating func appendBigEndian(_ value: some FixedWidthInteger) {
        Swift.withUnsafeBytes(of: value.bigEndian) { append(contentsOf: $0) }
    }
}
