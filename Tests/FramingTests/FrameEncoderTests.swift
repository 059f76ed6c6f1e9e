// The wire format, byte by byte, and the encoder's limit.

import Framing
import Testing

@Suite("FrameEncoder") struct FrameEncoderTests {
    @Test(
        "every kind has the bytes of the wire format",
        arguments: [
            (FrameKind.configure, UInt8(1)), (.ready, 2), (.request, 3), (.reply, 4), (.failure, 5), (.entries, 6),
            (.ack, 7),
            (.telemetry, 8), (.ping, 9), (.pong, 10), (.stop, 11), (.goodbye, 12),
        ])
    func goldenBytes(kind: FrameKind, byte: UInt8) throws {
        #expect(try FrameEncoder.encode(kind) == [0, 0, 0, 5, byte, 0, 0, 0, 0])
        #expect(
            try FrameEncoder.encode(kind, id: 0x0102_a3b4, payload: [0xfe, 0x00, 0x7f])
                == [0, 0, 0, 8, byte, 0x01, 0x02, 0xa3, 0xb4, 0xfe, 0x00, 0x7f])
    }

    @Test("the kinds are 1 to 12 and no others")
    func kinds() {
        #expect((0...255).compactMap { FrameKind(rawValue: UInt8($0)) } == FrameKind.allCases)
        #expect(FrameKind.allCases.map(\.rawValue) == Array(1...15))
    }

    @Test("the largest id fills its four bytes")
    func largestID() throws {
        #expect(try FrameEncoder.encode(.reply, id: .max) == [0, 0, 0, 5, 4, 0xff, 0xff, 0xff, 0xff])
    }

    @Test("a payload at the limit is encoded and one byte more is refused")
    func payloadLimit() throws {
        let largest = try FrameEncoder.encode(.entries, payload: [UInt8](repeating: 7, count: 16_777_216 - 5))
        #expect(largest.count == 16_777_220)
        #expect(Array(largest[..<9]) == [0x01, 0x00, 0x00, 0x00, 6, 0, 0, 0, 0])
        #expect(throws: FrameError.payloadTooLarge(16_777_212)) {
            try FrameEncoder.encode(.entries, payload: [UInt8](repeating: 7, count: 16_777_212))
        }
    }

    @Test("a frame shows its header, its payload and both together")
    func views() throws {
        let frame = try Frame(kind: .telemetry, id: 9, payload: [1, 2, 3])
        withExtendedLifetime(frame.slab) {
            #expect(Array(frame.wireBytes) == [0, 0, 0, 8, 8, 0, 0, 0, 9, 1, 2, 3])
            #expect(Array(frame.payloadBytes) == [1, 2, 3])
        }
        #expect(frame.payload == [1, 2, 3])
    }
}
