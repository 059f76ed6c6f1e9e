// The decoder against bytes nobody meant as frames.

import Framing
import Testing

@Suite("FrameDecoder and garbage") struct FrameDecoderGarbageTests {
    /// What the wire format says of some bytes, found without the decoder: the frames, and the error they end in.
    private static func reference(_ bytes: [UInt8]) -> (frames: [PlainFrame], error: FrameError?) {
        var frames: [PlainFrame] = []
        var rest = bytes[...]
        while rest.count >= 4 {
            let length = rest.prefix(4).reduce(UInt32(0)) { $0 << 8 | UInt32($1) }
            guard (5...16_777_216).contains(length) else { return (frames, .lengthOutOfRange(length)) }
            guard let kindByte = rest.dropFirst(4).first else { break }
            guard let kind = FrameKind(rawValue: kindByte) else { return (frames, .unknownKind(kindByte)) }
            guard rest.count >= 4 + Int(length) else { break }
            let id = rest.dropFirst(5).prefix(4).reduce(UInt32(0)) { $0 << 8 | UInt32($1) }
            frames.append(PlainFrame(kind, id: id, payload: Array(rest.dropFirst(9).prefix(Int(length) - 5))))
            rest = rest.dropFirst(4 + Int(length))
        }
        return (frames, nil)
    }

    private static func decoded(_ bytes: [UInt8], pieces: Int) -> (frames: [PlainFrame], error: FrameError?) {
        var decoder = FrameDecoder()
        var frames: [PlainFrame] = []
        for start in stride(from: 0, to: bytes.count, by: pieces) {
            decoder.append(bytes[start..<min(start + pieces, bytes.count)])
            do {
                while let frame = try decoder.next() { frames.append(PlainFrame(frame)) }
            } catch {
                return (frames, error)
            }
        }
        return (frames, nil)
    }

    @Test("a hundred thousand random buffers give exactly the frames and the error the format has for them")
    func randomBuffers() {
        var random = SplitMix64(seed: 7)
        var whole = 0
        var broken = 0
        for round in 0..<100_000 {
            let bytes = Self.buffer(round, &random)
            let wanted = Self.reference(bytes)
            let got = Self.decoded(bytes, pieces: Int.random(in: 1...80, using: &random))
            whole += got.frames.count
            broken += got.error == nil ? 0 : 1
            if got.frames != wanted.frames || got.error != wanted.error {
                Issue.record("buffer \(round): \(bytes) gave \(got), not \(wanted)")
                return
            }
        }
        // Noise that never makes a frame, or never breaks, would test one half of the decoder.
        #expect(whole > 10_000)
        #expect(broken > 10_000)
    }

    /// Every other buffer begins as frames would, so that the bytes behind the header are reached.
    private static func buffer(_ round: Int, _ random: inout SplitMix64) -> [UInt8] {
        let noise = (0..<Int.random(in: 0...60, using: &random)).map { _ in UInt8.random(in: 0...255, using: &random) }
        guard round % 2 == 0 else { return noise }
        var bytes: [UInt8] = []
        for _ in 0..<Int.random(in: 1...4, using: &random) {
            let length = UInt32.random(in: 3...20, using: &random)
            bytes += bigEndian(length) + [UInt8.random(in: 0...13, using: &random)]
            bytes += (0..<max(0, Int(length) - 1)).map { _ in UInt8.random(in: 0...255, using: &random) }
        }
        return bytes + noise
    }
}
