// A store that keeps nothing: every commit is answered at once, every question as on the first day.

import FoundationEssentials
import Framing

/// The store's stand-in.
enum UnwaitedStore {
    private struct Head: Decodable {
        var method: String
    }

    /// Lives as the worker until it is asked to stop.
    static func run() -> Int32 {
        var frames = BlockingFrames()
        while let frame = frames.next() {
            let isWell =
                switch frame.kind {
                case .configure: BlockingFrames.sendReady()
                case .commit: BlockingFrames.send(.reply, id: frame.id, payload: Array("{}".utf8))
                case .request: answer(frame)
                case .stop: false
                default: true
                }
            if frame.kind == .stop { return BlockingFrames.send(.goodbye) ? 0 : 69 }
            guard isWell else { return 69 }
        }
        return 69
    }

    private static func answer(_ frame: Frame) -> Bool {
        let method = try? JSONDecoder().decode(Head.self, from: Data(frame.payload)).method
        let reply =
            switch method {
            case "store.sink_position": #"{"missed_commits":false}"#
            case "store.exits": #"{"exits":[]}"#
            default: "{}"
            }
        return BlockingFrames.send(.reply, id: frame.id, payload: Array(reply.utf8))
    }
}
