// A child that a debugger holds: when it dies, its pidfd says so before wait(2) does.

import CLinux
import EventLoop
import Foundation
import Testing

/// A process that does nothing but trace another one, and never waits for it.
private enum Tracer {
    private typealias Fork = @convention(c) () -> Int32
    /// Variadic in C, which takes whole numbers as if it were not.
    private typealias Trace = @convention(c) (Int, Int, UnsafeRawPointer?, UnsafeRawPointer?) -> Int
    private static let seize = 0x4206

    /// The pid of one that holds `pid`; nil where that is not allowed.
    static func hold(_ pid: Int32) -> Int32? {
        // Neither is shown to Swift. What the child calls is found beforehand: it has one thread of the many.
        guard let forkSymbol = dlsym(nil, "fork"), let traceSymbol = dlsym(nil, "ptrace") else { return nil }
        let fork = unsafeBitCast(forkSymbol, to: Fork.self)
        let trace = unsafeBitCast(traceSymbol, to: Trace.self)
        var ends: [Int32] = [-1, -1]
        guard linux_pipe(&ends) == 0 else { return nil }
        let child = fork()
        if child == 0 {
            if trace(seize, Int(pid), nil, nil) != 0 { _exit(1) }
            var held: UInt8 = 1
            _ = write(ends[1], &held, 1)
            while true { pause() }
        }
        close(ends[1])
        var held: UInt8 = 0
        let count = read(ends[0], &held, 1)
        close(ends[0])
        if count == 1 { return child }
        if child > 0 { waitpid(child, nil, 0) }
        return nil
    }

    static let isAllowed: Bool = {
        let victim = spawnUnowned(["/bin/sleep", "1000"])
        let tracer = hold(victim)
        for pid in [tracer, victim].compactMap(\.self) {
            kill(pid, SIGKILL)
            waitpid(pid, nil, 0)
        }
        return tracer != nil
    }()
}

@Suite("ChildProcess in a debugger's hands") struct TracedChildTests {
    @Test(
        "while a debugger holds a dead child the loop rests, and the exit is reported when it lets go",
        .enabled(if: Tracer.isAllowed, "this user may not trace another process"))
    func heldZombie() async {
        await #expect(processExitsWith: .success) {
            let turner = try AdoptingLoop()
            let child = try WatchedChild(turner.loop, .shell("echo ready; exec sleep 1000"))
            turner.turn("a child") { child.output.contains("ready") }
            let tracer = try #require(Tracer.hold(child.pid))
            kill(child.pid, SIGKILL)
            turner.turn("a zombie") { processStat(child.pid).first == "Z" }
            let start = monotonicNanoseconds()
            var turns = 0
            turner.turn("300 ms") {
                turns += 1
                return monotonicNanoseconds() - start > 300_000_000
            }
            // The loop of the test wakes every 2 ms by itself.
            #expect(child.exit == nil && turns < 1000, "\(turns) turns")
            kill(tracer, SIGKILL)
            turner.turn("the exit") { child.exit != nil && child.isQuiet }
            #expect(child.exit == .signaled(signal: SIGKILL, coreDumped: false) && child.exits == 1, child.account)
            #expect(child.sessionEnd == .empty && !processExists(child.pid), child.account)
            child.closePipes()
            turner.turn("no tracer") { !processExists(tracer) }
            turner.close()
            #expect(hasNoChild(), childAccount())
        }
    }
}
