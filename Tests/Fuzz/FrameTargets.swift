// The frame decoder and the binary payloads.

import Framing

extension FuzzTarget {
    /// A stream of frames: the same frames and the same end however it is cut, and what was decoded is what was there.
    static let frames = FuzzTarget(name: "frames", seeds: streams, words: frameWords) {
        { input in
            let whole = Decoded(input, piece: { _ in input.count })
            var state = digest(input)
            let cut = Decoded(input) { left in
                state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
                return min(left, 1 + Int(state >> 33) % 24)
            }
            guard whole == cut else { return "cut into pieces it decodes to \(cut), whole to \(whole)" }
            guard input.starts(with: whole.wire) else { return "the frames do not encode to what was read" }
            let rest = input.count - whole.wire.count
            guard whole.error != nil || whole.isMidFrame == (rest > 0) else {
                return "\(rest) bytes are left unnoticed"
            }
            return whole.brokenLaw
        }
    }

    /// One payload behind a byte that chooses its kind.
    static let payloads = FuzzTarget(name: "payloads", seeds: payloadSeeds, words: frameWords) {
        { input in
            guard let first = input.first else { return nil }
            let kinds: [FrameKind] = [.entries, .ack, .memory, .commit]
            return payloadLaw(kinds[Int(first) % kinds.count], UnsafeRawBufferPointer(rebasing: input[1...]))
        }
    }

    /// What a payload decodes to encodes to the same bytes.
    fileprivate static func payloadLaw(_ kind: FrameKind, _ payload: UnsafeRawBufferPointer) -> String? {
        switch kind {
        case .entries, .replay:
            guard let (head, bodyOffset) = try? EntriesHead.decode(payload) else { return nil }
            guard bodyOffset == head.encodedCount else { return "the NDJSON begins at \(bodyOffset)" }
            return head.encode().elementsEqual(payload[..<bodyOffset]) ? nil : "\(head) encodes to other bytes"
        case .ack:
            guard let ack = try? Acknowledgement.decode(payload) else { return nil }
            return ack.encode().elementsEqual(payload) ? nil : "\(ack) encodes to other bytes"
        case .memory:
            guard let memory = try? BatchMemory.decode(payload) else { return nil }
            guard memory.encode().elementsEqual(payload) else { return "\(memory) encodes to other bytes" }
            let head = try? BatchMemory.decodeHead(payload)
            return head?.batch == memory.batch && head?.appName == memory.appName ? nil : "head and whole differ"
        case .commit:
            guard let commit = try? CommitPayload.decode(payload) else { return nil }
            return commit.encode().elementsEqual(payload) ? nil : "\(commit) encodes to other bytes"
        default:
            return nil
        }
    }
}

/// What a stream decoded to.
private struct Decoded: Equatable {
    /// The frames, encoded again.
    var wire: [UInt8] = []
    var error: FrameError?
    var isMidFrame = false
    var brokenLaw: String?

    /// - Parameter piece: the size of the next piece, given how much is left.
    init(_ input: UnsafeRawBufferPointer, piece: (Int) -> Int) {
        var decoder = FrameDecoder()
        var offset = 0
        while offset < input.count {
            let count = piece(input.count - offset)
            decoder.append(UnsafeRawBufferPointer(rebasing: input[offset..<(offset + count)]))
            offset += count
            do {
                while let frame = try decoder.next() { take(frame) }
            } catch {
                self.error = error
                let again = Result { () throws(FrameError) in try decoder.next() != nil }
                if again != .failure(error) { brokenLaw = "a broken stream was mended" }
                return
            }
        }
        isMidFrame = decoder.isMidFrame
        if !isMidFrame, decoder.heldBytes > 0 { brokenLaw = "an idle decoder holds \(decoder.heldBytes) bytes" }
    }

    private mutating func take(_ frame: Frame) {
        guard let encoded = try? FrameEncoder.encode(frame.kind, id: frame.id, payload: frame.payload) else {
            brokenLaw = "a frame of \(frame.payloadCount) bytes was decoded that cannot be encoded"
            return
        }
        wire += encoded
        withExtendedLifetime(frame.slab) {
            if let law = FuzzTarget.payloadLaw(frame.kind, frame.payloadBytes) { brokenLaw = law }
        }
    }
}

private let payloadsByKind: [(FrameKind, [UInt8])] = [
    (.entries, EntriesHead(appName: "web", batch: 7, count: 1, cursor: "178..179").encode() + Array("{}\n".utf8)),
    (.entries, EntriesHead(appName: "", batch: .max, count: 0, cursor: "").encode()),
    (.ack, Acknowledgement(appName: "web", batch: 7).encode()),
    (.ack, Acknowledgement(appName: "web", batch: 7, position: "1:5321:1024:1780608305152").encode()),
    (.memory, BatchMemory(appName: "web", batch: 7, chunk: 3, firstKept: 1, identities: [1, .max]).encode()),
    (
        .commit,
        CommitPayload(
            sinks: [.init(name: "/var/log/a.ndjson", position: "1:2:3:4")],
            apps: [
                .init(
                    name: "web", cursor: "1..2", firstKept: 1,
                    chunks: [.init(number: 2, identities: [1, 2, 3, 4, 5, 6, 7, 8])]),
                .init(name: "db", cursor: ""),
            ]
        ).encode()
    ),
    (.commit, CommitPayload().encode()),
]

private let payloadSeeds: [[UInt8]] = payloadsByKind.map { kind, payload in
    let kinds: [FrameKind] = [.entries, .ack, .memory, .commit]
    return [UInt8(kinds.firstIndex(of: kind) ?? 0)] + payload
}

private let streams: [[UInt8]] = {
    let frames = payloadsByKind.map { (try? FrameEncoder.encode($0.0, id: 1, payload: $0.1)) ?? [] }
    let controls = FrameKind.allCases.map { (try? FrameEncoder.encode($0, id: 9, payload: Array("{}".utf8))) ?? [] }
    let empty = (try? FrameEncoder.encode(.ping)) ?? []
    return frames + controls + [frames.flatMap { $0 }, empty + empty + frames[0], controls.flatMap { $0 }]
}()

private let frameWords: [[UInt8]] =
    FrameKind.allCases.map { [0, 0, 0, 5, $0.rawValue, 0, 0, 0, 0] } + [
        [0, 0, 0, 4], [0, 0, 0, 5], [1, 0, 0, 0], [1, 0, 0, 1], [0, 255, 255, 255], [0, 0, 255, 255],
        [255, 255, 255, 255], Array("\u{3}web".utf8), [0, 1, 0, 0],
    ]
