// What a sink costs that promises nothing: it acknowledges every batch when it comes, and writes it afterwards, or not
// at all. No position is kept, nothing is cut back, what was acknowledged may be lost.

import FoundationEssentials
import Framing
import Glibc

/// A console or file sink that makes nobody wait.
enum UnwaitedSink {
    private struct Configure: Decodable {
        struct Settings: Decodable {
            var path: String?
        }
        var settings: Settings
    }

    /// The console's descriptor, as the product hands it down.
    private static let console: Int32 = 3

    /// Lives as the worker until it is asked to stop.
    static func run(writes: Bool) -> Int32 {
        var frames = BlockingFrames()
        var output = console
        var isFile = false
        var offset = 0
        while let frame = frames.next() {
            switch frame.kind {
            case .configure:
                let settings = try? JSONDecoder().decode(Configure.self, from: Data(frame.payload)).settings
                if let path = settings?.path {
                    isFile = true
                    output = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0o600)
                    guard output >= 0 else { return 73 }
                }
                guard BlockingFrames.sendReady() else { return 69 }
            case .entries, .replay:
                let position = isFile ? "1:1:\(offset):0" : nil
                guard let count = take(frame, position, output: writes ? output : nil) else { return 69 }
                offset += count
                if isFile, writes, offset > SinkFile.rotateBytes {
                    // As much disk as the product's rotation keeps, at the price of no rename.
                    ftruncate(output, 0)
                    lseek(output, 0, SEEK_SET)
                    offset = 0
                }
            case .stop:
                return BlockingFrames.send(.goodbye) ? 0 : 69
            default: break
            }
        }
        return 69
    }

    /// Acknowledges, then writes; the entries' bytes, or nil when something is broken.
    private static func take(_ frame: Frame, _ position: String?, output: Int32?) -> Int? {
        withExtendedLifetime(frame.slab) {
            let payload = frame.payloadBytes
            guard let (head, bodyOffset) = try? EntriesHead.decode(payload) else { return nil }
            let ack = Acknowledgement(appName: head.appName, batch: head.batch, position: position)
            guard BlockingFrames.send(.ack, payload: ack.encode()) else { return nil }
            let body = UnsafeRawBufferPointer(rebasing: payload[bodyOffset...])
            if let output, !BlockingFrames.writeWhole(output, body) { return nil }
            return body.count
        }
    }
}
