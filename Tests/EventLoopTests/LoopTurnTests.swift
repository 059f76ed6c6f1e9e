// One piece a turn, and everything else heard in between.

import EventLoop
import Foundation
import Testing
import WorkerHarness

@Suite("LoopTurn") struct LoopTurnTests {
    /// Counts how often `again` is called back until a byte that is in a pipe from the first call on has been read.
    private static func callsUntilRead(
        _ loop: Loop, _ again: @escaping (@escaping () -> Void) -> Void
    ) throws -> Int {
        let ends = PipeEnds()
        let collector = Collector()
        let reader = try PipeReader(loop, descriptor: ends.readEnd)
        reader.delegate = collector
        reader.resume()
        var calls = 0
        func next() {
            calls += 1
            loop.updateTime()
            if calls == 1 { precondition(write(ends.writeEnd, "x", 1) == 1) }
            if collector.reads == 0, calls < 100 { again(next) } else { loop.stop() }
        }
        let begin = LoopTimer(loop)
        begin.start(after: 0, next)
        loop.run()
        begin.close()
        reader.close()
        close(ends.writeEnd)
        return calls
    }

    @Test("between two turns the loop hears what came meanwhile") func hears() async throws {
        let calls = try await onLoopThread { loop in
            let turn = LoopTurn(loop)
            let calls = try Self.callsUntilRead(loop, turn.request)
            turn.close()
            return { calls }
        }
        #expect(calls == 2)
    }

    @Test("a timer of 0 ms is no such thing: it fires again and again before anything is heard") func timer()
        async throws
    {
        let calls = try await onLoopThread { loop in
            let timer = LoopTimer(loop)
            let calls = try Self.callsUntilRead(loop) { timer.start(after: 0, $0) }
            timer.close()
            return { calls }
        }
        #expect(calls == 100)
    }

    @Test("a request is one call; one that was taken back is none; the loop ends when nobody waits") func once()
        async throws
    {
        let calls = try await onLoopThread { loop in
            let turn = LoopTurn(loop)
            let cancelled = LoopTurn(loop)
            var calls: [String] = []
            turn.request { calls.append("replaced") }
            turn.request { calls.append("called") }
            cancelled.request { calls.append("cancelled") }
            cancelled.cancel()
            loop.run()
            let isRequested = turn.isRequested || cancelled.isRequested
            turn.close()
            turn.close()
            cancelled.close()
            let result = calls
            return { (result, isRequested) }
        }
        #expect(calls.0 == ["called"])
        #expect(!calls.1)
    }
}
