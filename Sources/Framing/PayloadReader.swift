// Binary payloads, field by field: the reading side checks every length against what is there.

/// Walks over a payload and never past its end.
struct PayloadReader {
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

    var isAtEnd: Bool { offset == bytes.count }

    /// - Throws: ``FrameError/malformedPayload(_:reason:)`` when bytes are left.
    func expectEnd() throws(FrameError) {
        guard isAtEnd else { throw .malformedPayload(kind, reason: "\(bytes.count - offset) bytes too many") }
    }

    /// Text behind a one-byte length.
    mutating func shortText(_ name: String) throws(FrameError) -> String {
        try text(Int(try integer("the length of \(name)") as UInt8), name)
    }

    /// Text behind a two-byte length.
    mutating func longText(_ name: String) throws(FrameError) -> String {
        try text(Int(try integer("the length of \(name)") as UInt16), name)
    }

    /// The next `count` bytes, in place.
    mutating func slice(_ count: Int, _ name: String) throws(FrameError) -> UnsafeRawBufferPointer {
        guard count >= 0, bytes.count - offset >= count else {
            throw .malformedPayload(kind, reason: "it ends within \(name)")
        }
        defer { offset += count }
        return UnsafeRawBufferPointer(rebasing: bytes[offset..<(offset + count)])
    }

    private mutating func text(_ count: Int, _ name: String) throws(FrameError) -> String {
        guard let text = String(validating: try slice(count, name), as: UTF8.self) else {
            throw .malformedPayload(kind, reason: "\(name) is not UTF-8")
        }
        return text
    }
}

/// Builds payloads.
extension [UInt8] {
    mutating func appendShort(_ text: String) {
        let utf8 = text.utf8
        precondition(
            utf8.count <= EntriesHead.mostTextBytes, "a text of \(utf8.count) bytes does not fit a one-byte length")
        append(UInt8(utf8.count))
        append(contentsOf: utf8)
    }

    mutating func appendLong(_ text: String) {
        let utf8 = text.utf8
        precondition(utf8.count <= Int(UInt16.max), "a text of \(utf8.count) bytes does not fit a two-byte length")
        appendBigEndian(UInt16(utf8.count))
        append(contentsOf: utf8)
    }

    mutating func appendBigEndian(_ value: some FixedWidthInteger) {
        Swift.withUnsafeBytes(of: value.bigEndian) { append(contentsOf: $0) }
    }
}
