// What the frame tests share: bytes written out by hand, and a decoder fed in pieces.
//
// Nothing here calls the encoder under test, so a mistake in it cannot hide behind itself.

import Framing

/// A frame as plain values, comparable as a whole.
struct PlainFrame: Equatable, CustomStringConvertible {
    var kind: FrameKind
    var id: UInt32
    var payload: [UInt8]

    init(_ kind: FrameKind, id: UInt32 = 0, payload: [UInt8] = []) {
        self.kind = kind
        self.id = id
        self.payload = payload
    }

    init(_ frame: Frame) {
        self.init(frame.kind, id: frame.id, payload: frame.payload)
    }

    /// The frame as the drawing of the wire format has it, byte by byte.
    var wire: [UInt8] {
        bigEndian(UInt32(5 + payload.count)) + [kind.rawValue] + bigEndian(id) + payload
    }

    var description: String { "\(kind) \(id), \(payload.count) bytes" }
}

/// The four bytes of `value`, most significant first.
func bigEndian(_ value: UInt32) -> [UInt8] {
    [24, 16, 8, 0].map { UInt8(truncatingIfNeeded: value >> UInt32($0)) }
}

/// Bytes that differ from their neighbours, so that a shifted copy does not compare equal.
func pattern(_ count: Int, seed: Int = 0) -> [UInt8] {
    (0..<count).map { UInt8(truncatingIfNeeded: $0 &* 31 &+ ($0 >> 8) &+ seed) }
}

extension FrameDecoder {
    /// Reads `bytes` the way a pipe would deliver them and takes every frame they complete.
    mutating func receive(_ bytes: ArraySlice<UInt8>) throws(FrameError) -> [Frame] {
        var rest = bytes
        var frames: [Frame] = []
        while !rest.isEmpty {
            let space = writableBytes()
            let piece = rest.prefix(space.count)
            space.copyBytes(from: piece)
            commit(piece.count)
            rest = rest.dropFirst(piece.count)
            while let frame = try next() { frames.append(frame) }
        }
        return frames
    }

    mutating func receive(_ bytes: [UInt8]) throws(FrameError) -> [Frame] {
        try receive(bytes[...])
    }
}

/// A generator with a fixed seed, so that a failing buffer can be made again.
struct SplitMix64: RandomNumberGenerator {
    private var state: UInt64

    init(seed: UInt64) { state = seed }

    mutating func next() -> UInt64 {
        state &+= 0x9e37_79b9_7f4a_7c15
        var mixed = state
        mixed = (mixed ^ (mixed >> 30)) &* 0xbf58_476d_1ce4_e5b9
        mixed = (mixed ^ (mixed >> 27)) &* 0x94d0_49bb_1331_11eb
        return mixed ^ (mixed >> 31)
    }
}
