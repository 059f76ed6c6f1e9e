// The frame on a worker's stdin and stdout, and the limits it must keep.
//
//     | length: u32 big-endian, bytes after this field | kind: u8 | id: u32 big-endian | payload |
//
// A frame refers to the slab it was read into; its bytes are never copied on the way through the parent.
// Not here: what a payload means (WorkerProtocol) and how bytes arrive (EventLoop).

/// What a frame says.
///
/// The raw value is the byte on the wire.
package enum FrameKind: UInt8, Sendable, CaseIterable {
    case configure = 1
    case ready = 2
    case request = 3
    case reply = 4
    case failure = 5
    case entries = 6
    case ack = 7
    case telemetry = 8
    case ping = 9
    case pong = 10
    case stop = 11
    case goodbye = 12
    case replay = 13
    case memory = 14
    case commit = 15
}

/// The sizes every frame keeps, in bytes.
package enum FrameLimits {
    /// The length field itself, which its own value does not count.
    package static let lengthFieldBytes = 4
    /// Kind and id: the least a length field may say.
    package static let minimumLength = 5
    /// The most a length field may say: 16 MiB.
    package static let maximumLength = 16 * 1024 * 1024
    /// Everything before the payload.
    package static let headerBytes = lengthFieldBytes + minimumLength
    /// The most a payload may hold.
    package static let maximumPayloadBytes = maximumLength - minimumLength
}

/// Why bytes are not a frame.
///
/// Sticky: a stream that broke the protocol once is never read again.
package enum FrameError: Error, Equatable, CustomStringConvertible {
    case lengthOutOfRange(UInt32)
    case unknownKind(UInt8)
    case malformedPayload(FrameKind, reason: String)
    case payloadTooLarge(Int)

    package var description: String {
        switch self {
        case .lengthOutOfRange(let length):
            "frame length \(length) is outside \(FrameLimits.minimumLength)…\(FrameLimits.maximumLength) bytes"
        case .unknownKind(let byte):
            "frame kind \(byte) is unknown"
        case .malformedPayload(let kind, let reason):
            "payload of a \(kind) frame is malformed: \(reason)"
        case .payloadTooLarge(let count):
            "payload of \(count) bytes is over the limit of \(FrameLimits.maximumPayloadBytes) bytes"
        }
    }
}

/// One whole frame, by reference to the slab that holds its bytes.
package struct Frame {
    package let kind: FrameKind
    /// Pairs a reply with its request; 0 where there is none.
    package let id: UInt32
    /// Keeps the bytes alive.
    package let slab: ByteSlab
    /// Where the length field begins in the slab.
    let offset: Int
    package let payloadCount: Int

    init(kind: FrameKind, id: UInt32, slab: ByteSlab, offset: Int, payloadCount: Int) {
        self.kind = kind
        self.id = id
        self.slab = slab
        self.offset = offset
        self.payloadCount = payloadCount
    }

    /// Builds a frame from its parts, copying the payload once.
    ///
    /// - Throws: ``FrameError/payloadTooLarge(_:)`` above ``FrameLimits/maximumPayloadBytes``.
    package init(kind: FrameKind, id: UInt32 = 0, payload: [UInt8] = []) throws(FrameError) {
        guard payload.count <= FrameLimits.maximumPayloadBytes else { throw .payloadTooLarge(payload.count) }
        let slab = ByteSlab(capacity: FrameLimits.headerBytes + payload.count)
        FrameEncoder.writeHeader(kind: kind, id: id, payloadCount: payload.count, to: slab.base)
        payload.withUnsafeBytes { bytes in
            guard let source = bytes.baseAddress else { return }
            (slab.base + FrameLimits.headerBytes).copyMemory(from: source, byteCount: bytes.count)
        }
        self.init(kind: kind, id: id, slab: slab, offset: 0, payloadCount: payload.count)
    }

    /// The frame as it stands on the wire, header included.
    ///
    /// Valid while ``slab`` is.
    package var wireBytes: UnsafeRawBufferPointer {
        UnsafeRawBufferPointer(start: slab.base + offset, count: FrameLimits.headerBytes + payloadCount)
    }

    /// The payload in place.
    ///
    /// Valid while ``slab`` is.
    package var payloadBytes: UnsafeRawBufferPointer {
        UnsafeRawBufferPointer(start: slab.base + offset + FrameLimits.headerBytes, count: payloadCount)
    }

    /// The payload as a copy, for control frames.
    package var payload: [UInt8] {
        withExtendedLifetime(slab) { [UInt8](payloadBytes) }
    }
}

/// A fixed piece of raw memory, shared by the frames that were read into it and freed with the last of them.
package final class ByteSlab {
    package let base: UnsafeMutableRawPointer
    package let capacity: Int
    private let release: @convention(c) (UnsafeMutableRawPointer?) -> Void

    package init(capacity: Int) {
        self.capacity = capacity
        self.base = .allocate(byteCount: max(capacity, 1), alignment: 16)
        release = { $0?.deallocate() }
    }

    /// Takes over memory that was built elsewhere; `release` frees it, as `free` does for malloc's.
    package init(
        adopting memory: UnsafeMutableRawBufferPointer,
        release: @escaping @convention(c) (UnsafeMutableRawPointer?) -> Void
    ) {
        guard let base = memory.baseAddress else { preconditionFailure("a slab was made of no memory") }
        self.base = base
        capacity = memory.count
        self.release = release
    }

    deinit {
        release(base)
    }
}
