// What a worker process is, seen from outside: started by hand, orphaned, or misbehaving as TestWorker can be told to.

import EventLoop
import Foundation
import Framing
import Testing
import WorkerProtocol

@Suite("Worker process") struct WorkerProcessTests {
    @Test(
        "started by hand it exits with 64 and one line",
        arguments: [[], ["--help"], ["--worker"], ["--worker", "a", "b"]])
    func byHand(arguments: [String]) async throws {
        let story = try await converse(.init(arguments: arguments), begin: { _ in })
        #expect(story.exit == .exited(code: 64))
        #expect(story.frames.isEmpty)
        #expect(
            story.errorText == "testworker: it is started by flyfleet and has no use by hand; run `flyfleet start`\n")
    }

    @Test("without pipes to speak through it exits with 64 and one line")
    func withoutPipes() async throws {
        let script = #"exec "$0" --worker x </dev/null"#
        let launch = WorkerConversation.Launch(executable: "/bin/sh", arguments: ["-c", script, testWorkerPath])
        let story = try await converse(launch, begin: { _ in })
        #expect(story.exit == .exited(code: 64))
        #expect(story.errorText == "stdin and stdout must be flyfleet's pipes\n")
    }

    @Test("with another parent than it was told of it ends at once")
    func wrongParent() async throws {
        let story = try await converse(.init(parentPid: 1), begin: { _ in })
        #expect(story.exit == .exited(code: WorkerExit.parentGone))
    }

    @Test("it dies with the process that started it, although somebody else holds its stdin open")
    func parentDeath() async throws {
        // A shell starts the worker with its own pipes and is killed once the worker is ready: the worker's stdin is
        // then still open here, and only the parent-death signal can end it.
        let script = #"export FLYFLEET_PARENT_PID=$$; "$0" --worker x <&3 3<&- & wait"#
        let launch = WorkerConversation.Launch(
            executable: "/bin/sh", arguments: ["-c", "exec 3<&0; " + script, testWorkerPath])
        let story = try await converse(launch) { worker, frame in
            if frame.kind == .ready { worker.signal(SIGKILL) }
        }
        // The conversation ends only when the worker's end of stdout is closed too.
        #expect(story.kinds == [.ready])
        #expect(story.exit == .signaled(signal: SIGKILL, coreDumped: false))
    }

    @Test("a stray print goes to stderr and not into frames")
    func strayPrint() async throws {
        let story = try await converse(begin: { $0.configure("stray_print") }) { worker, frame in
            if frame.kind == .ready { worker.send(.ping) }
            if frame.kind == .pong { worker.signal(SIGKILL) }
        }
        #expect(story.kinds == [.ready, .pong])
        #expect(story.brokenBy == nil)
        #expect(story.errorText == "a stray print\n")
    }

    @Test("a worker holds its frames' descriptors, its stderr twice, an empty stdin, and nothing of its parent's")
    func surroundings() async throws {
        let story = try await converse(.init(environment: [("LANG", "C")])) { worker, frame in
            if frame.kind == .ready { worker.send(.request, id: 1, json: #"{"method":"test.surroundings"}"#) }
            if frame.kind == .reply { worker.send(.stop) }
        }
        struct Surroundings: Codable {
            var environment: [String]
            var descriptors: [String]
        }
        let reply = try #require(story.frames.first { $0.kind == .reply })
        let found = try MessageCoding.decode(Surroundings.self, from: reply.payload)
        #expect(found.environment == ["FLYFLEET_PARENT_PID=\(getpid())", "LANG=C"])
        #expect(found.descriptors.first == "0 /dev/null")
        let pipes = found.descriptors.filter { $0.contains(" pipe:") }
        // stdout and stderr are one pipe; frames come in and go out by two more; the rest is libuv's own.
        let targets = Dictionary(grouping: pipes) { $0.split(separator: " ").last.map(String.init) ?? "" }
        let lowest = pipes.filter { $0.hasPrefix("1 ") || $0.hasPrefix("2 ") }.compactMap {
            $0.split(separator: " ").last
        }
        #expect(lowest.count == 2)
        #expect(Set(lowest).count == 1)
        #expect(targets[lowest.first.map(String.init) ?? ""]?.count == 2)
    }

    @Test("an overlong log line is cut to what a pipe takes in one piece, and stays UTF-8")
    func longLine() async throws {
        let long = String(repeating: "é", count: 3000)
        let story = try await converse(begin: { $0.configure(long) })
        #expect(story.exit == .exited(code: 78))
        #expect(story.errors.count <= 4096)
        #expect(story.errors.count > 4090)
        #expect(String(validating: story.errors, as: UTF8.self)?.hasSuffix("é…\n") == true)
    }

    @Test("what it is told to do wrong, it does", arguments: Self.misdeeds)
    func misdeed(misdeed: Misdeed) async throws {
        let story = try await converse(begin: { $0.configure(misdeed.behaviour) })
        #expect(story.kinds == misdeed.kinds)
        #expect(story.exit == misdeed.exit)
        #expect(story.cutShort == misdeed.cutShort)
        #expect(story.brokenBy == misdeed.brokenBy)
    }

    struct Misdeed: Sendable, CustomTestStringConvertible {
        var behaviour: String
        var kinds: [FrameKind] = [.ready]
        var exit: ProcessExit
        var cutShort = false
        var brokenBy: FrameError?
        var testDescription: String { behaviour }
    }

    static let misdeeds = [
        Misdeed(behaviour: "exit_before_ready", kinds: [], exit: .exited(code: 1)),
        Misdeed(behaviour: "exit_before_ready 0", kinds: [], exit: .exited(code: 0)),
        Misdeed(behaviour: "exit_before_ready 81", kinds: [], exit: .exited(code: 81)),
        Misdeed(behaviour: "crash_before_ready 9", kinds: [], exit: .signaled(signal: SIGKILL, coreDumped: false)),
        Misdeed(behaviour: "exit_after_ready", exit: .exited(code: 0)),
        Misdeed(behaviour: "exit_after_ready 255", exit: .exited(code: 255)),
        Misdeed(behaviour: "crash_after_ready 15", exit: .signaled(signal: SIGTERM, coreDumped: false)),
        Misdeed(behaviour: "goodbye", kinds: [.ready, .goodbye], exit: .exited(code: 0)),
        Misdeed(behaviour: "half_frame", exit: .exited(code: 0), cutShort: true),
        Misdeed(
            behaviour: "garbage", exit: .signaled(signal: SIGKILL, coreDumped: false),
            brokenBy: .lengthOutOfRange(0xffff_ffff)),
        Misdeed(
            behaviour: "length", exit: .signaled(signal: SIGKILL, coreDumped: false),
            brokenBy: .lengthOutOfRange(16_777_217)),
        Misdeed(
            behaviour: "length 4", exit: .signaled(signal: SIGKILL, coreDumped: false), brokenBy: .lengthOutOfRange(4)),
    ]

    @Test("flooding stderr delays no frame and loses no byte while somebody reads")
    func flood() async throws {
        let story = try await converse(begin: { $0.configure("flood_stderr 1000000") }) { worker, frame in
            if frame.kind == .ready { worker.send(.stop) }
        }
        #expect(story.kinds == [.ready, .goodbye])
        #expect(story.errors.count == 1_000_000)
    }

    @Test("a worker that ignores stop is still there after it, and answers")
    func ignoreStop() async throws {
        let story = try await converse(begin: { $0.configure("ignore_stop") }) { worker, frame in
            if frame.kind == .ready {
                worker.send(.stop)
                worker.signal(SIGTERM)
                worker.send(.ping)
            }
            if frame.kind == .pong { worker.signal(SIGKILL) }
        }
        #expect(story.kinds == [.ready, .pong])
        #expect(story.exit == .signaled(signal: SIGKILL, coreDumped: false))
    }

    @Test("a behaviour can be limited to the first starts of one path")
    func limited() async throws {
        for incarnation in 1...2 {
            let story = try await converse(begin: { worker in
                worker.configure("exit_before_ready 9 path=tests/worker incarnations=1", incarnation: incarnation)
            }) { worker, frame in
                if frame.kind == .ready { worker.send(.stop) }
            }
            #expect(story.exit == .exited(code: incarnation == 1 ? 9 : 0))
        }
    }
}
