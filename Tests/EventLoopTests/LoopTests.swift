// The loop itself: when it ends, what it says of itself, and whose thread it is.

import EventLoop
import Foundation
import Testing
import WorkerHarness

@Suite("Loop") struct LoopTests {
    @Test("a loop with nothing to wait for ends at once and is empty")
    func empty() async throws {
        let isEmpty = try await onLoopThread { loop in
            let timer = LoopTimer(loop)
            timer.close()
            return { loop.isEmpty }
        }
        #expect(isEmpty)
    }

    @Test("a loop whose handle is open but idle has ended and yet is not empty")
    func idleHandle() async throws {
        let seen = Box<[Bool]>([])
        nonisolated(unsafe) let states = seen
        try await onLoopThread { loop in
            let timer = LoopTimer(loop)
            loop.run()
            states.value.append(loop.isEmpty)
            timer.close()
            loop.run()
            return {}
        }
        #expect(seen.value == [false])
    }

    @Test("stop makes run return although something is waited for")
    func stop() async throws {
        let reached = try await onLoopThread { loop in
            let never = LoopTimer(loop)
            never.start(after: 1_000_000) {}
            let soon = LoopTimer(loop)
            soon.start(after: 0) { loop.stop() }
            loop.run()
            never.close()
            soon.close()
            return { true }
        }
        #expect(reached)
    }

    @Test("a loop used on a thread that is not its own traps")
    func wrongThread() async {
        await #expect(processExitsWith: .failure) {
            nonisolated(unsafe) let loop = try Loop()
            await withCheckedContinuation { continuation in
                Thread {
                    _ = loop.now
                    continuation.resume()
                }.start()
            }
        }
    }

    @Test("a process started without stdin and stdout gets /dev/null for both before a pipe can take their place")
    func missingDescriptors() async {
        await #expect(processExitsWith: .success) {
            // A thread of the runtime may take the number first, once in a while; not every time.
            let standard = (0..<20).lazy.map { _ in
                close(STDIN_FILENO)
                close(STDOUT_FILENO)
                openMissingStandardDescriptors()
                return openDescriptors().filter { $0.hasPrefix("0 ") || $0.hasPrefix("1 ") }
            }
            #expect(standard.contains(["0 /dev/null", "1 /dev/null"]))
        }
    }

    @Test("an error of libuv names what was being done and why it failed")
    func errorText() {
        let error = UVError(code: UVError.noSuchFile, operation: "start flyfleet-store")
        #expect("\(error)" == "could not start flyfleet-store: no such file or directory (ENOENT)")
        #expect(!error.isEndOfStream)
        #expect(UVError(code: UVError.endOfFile, operation: "read").isEndOfStream)
        #expect(UVError(code: UVError.brokenPipe, operation: "write").isEndOfStream)
    }
}

@Suite("LoopTimer") struct LoopTimerTests {
    @Test("timers fire in the order of their times, not of their making, and never early")
    func order() async throws {
        let (fired, elapsed) = try await onLoopThread { loop in
            let fired = Box<[Int64]>([])
            let begin = monotonicNanoseconds()
            loop.updateTime()
            for delay: Int64 in [30, 10, 20, 0, -5] {
                let timer = LoopTimer(loop)
                timer.start(after: delay) {
                    fired.value.append(delay)
                    timer.close()
                }
            }
            return { (fired.value, monotonicNanoseconds() - begin) }
        }
        #expect(fired.filter { $0 > 0 } == [10, 20, 30])
        #expect(Set(fired) == [-5, 0, 10, 20, 30])
        // The loop's clock counts whole milliseconds, rounded down.
        #expect(elapsed >= 29_000_000)
    }

    @Test("a repeating timer goes on until it is closed from within its own callback")
    func repeating() async throws {
        let count = try await onLoopThread { loop in
            let count = Box(0)
            let timer = LoopTimer(loop)
            timer.start(after: 0, repeating: 1) {
                count.value += 1
                if count.value == 5 { timer.close() }
            }
            return { count.value }
        }
        #expect(count == 5)
    }

    @Test("starting again replaces what the timer was armed for, and stop disarms it")
    func restart() async throws {
        let fired = try await onLoopThread { loop in
            let fired = Box<[String]>([])
            let (replaced, stopped, end) = (LoopTimer(loop), LoopTimer(loop), LoopTimer(loop))
            replaced.start(after: 1) { fired.value.append("first") }
            replaced.start(after: 2) { fired.value.append("second") }
            stopped.start(after: 1) { fired.value.append("stopped") }
            stopped.stop()
            stopped.stop()
            end.start(after: 10) { [replaced, stopped, end].forEach { $0.close() } }
            return { fired.value }
        }
        #expect(fired == ["second"])
    }

    @Test("an unreferenced timer does not hold the loop, and a closed one takes every further word")
    func unreferenced() async throws {
        try await onLoopThread { loop in
            let timer = LoopTimer(loop)
            timer.start(after: 1_000_000) {}
            timer.unreference()
            loop.run()
            timer.close()
            timer.close()
            timer.stop()
            loop.run()
            timer.unreference()
            return {}
        }
    }

    @Test("a closed timer lets go of its closure at once")
    func closureReleased() async throws {
        let released = try await onLoopThread { loop in
            let timer = LoopTimer(loop)
            weak var watched: Box<Int>?
            do {
                let box = Box(1)
                watched = box
                timer.start(after: 1000) { box.value += 1 }
            }
            timer.close()
            let released = watched == nil
            return { released }
        }
        #expect(released)
    }
}
