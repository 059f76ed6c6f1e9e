// A worker's life on real processes: configured, ready, alive, stopped; and every way in which it must end at once.

import EventLoop
import Foundation
import Framing
import Testing
import WorkerHarness
import WorkerProtocol

@Suite("Worker life") struct WorkerLifeTests {
    @Test("configured it says ready with its pid, stopped it says goodbye and exits with 0")
    func life() async throws {
        let story = try await converse { worker, frame in
            if frame.kind == .ready { worker.send(.stop) }
        }
        #expect(
            story.frames == [
                PlainFrame(kind: .ready, payload: Array(#"{"pid":\#(story.pid),"protocol":1}"#.utf8)),
                PlainFrame(kind: .goodbye),
            ])
        #expect(story.exit == .exited(code: 0))
        #expect(story.errorText == "")
        #expect(!story.cutShort)
    }

    @Test("it answers pings with their ids, before it is configured too")
    func ping() async throws {
        let story = try await converse(begin: { worker in
            worker.send(.ping, id: 7)
            worker.configure()
        }) { worker, frame in
            if frame.kind == .ready { worker.send(.ping) }
            if frame == PlainFrame(kind: .pong) { worker.send(.stop) }
        }
        #expect(story.kinds == [.pong, .ready, .pong, .goodbye])
        #expect(story.frames.map(\.id) == [7, 0, 0, 0])
    }

    @Test("frames that come in single bytes are frames all the same")
    func singleBytes() async throws {
        let story = try await onLoopThread { loop in
            let conversation = try WorkerConversation(loop) { worker, frame in
                if frame.kind == .ready { worker.send(.stop) }
            }
            let json = #"{"protocol":1,"path":"p","incarnation":1,"role":"table","settings":{}}"#
            var rest = (try FrameEncoder.encode(.ping) + FrameEncoder.encode(.configure, payload: Array(json.utf8)))[
                ...]
            let timer = LoopTimer(loop)
            timer.start(after: 0, repeating: 1) {
                guard let byte = rest.popFirst() else { return timer.close() }
                conversation.send(raw: [byte])
            }
            return { conversation.story }
        }
        #expect(story.kinds == [.pong, .ready, .goodbye])
    }

    @Test("SIGTERM stops it as a stop frame does")
    func terminate() async throws {
        let story = try await converse { worker, frame in
            if frame.kind == .ready { worker.signal(SIGTERM) }
        }
        #expect(story.kinds == [.ready, .goodbye])
        #expect(story.exit == .exited(code: 0))
    }

    @Test("stopped before it was configured it says goodbye too")
    func stopFirst() async throws {
        let story = try await converse(begin: { $0.send(.stop) })
        #expect(story.kinds == [.goodbye])
        #expect(story.exit == .exited(code: 0))
    }

    @Test("stop twice, by frame and by signal, is one goodbye")
    func stopTwice() async throws {
        let story = try await converse { worker, frame in
            guard frame.kind == .ready else { return }
            worker.send(.stop)
            worker.send(.stop)
            worker.signal(SIGTERM)
        }
        #expect(story.kinds == [.ready, .goodbye])
        #expect(story.exit == .exited(code: 0))
    }

    @Test("SIGINT, which a terminal sends to everybody, is not for it")
    func interrupt() async throws {
        let story = try await converse { worker, frame in
            if frame.kind == .ready {
                worker.signal(SIGINT)
                worker.send(.ping)
            }
            if frame.kind == .pong { worker.send(.stop) }
        }
        #expect(story.kinds == [.ready, .pong, .goodbye])
    }

    @Test("the end of its stdin ends it at once, before and after configure", arguments: [false, true])
    func endOfInput(configured: Bool) async throws {
        let story = try await converse(begin: { worker in
            if configured { worker.configure() } else { worker.closeInput() }
        }) { worker, frame in
            if frame.kind == .ready { worker.closeInput() }
        }
        #expect(story.kinds == (configured ? [.ready] : []))
        #expect(story.exit == .exited(code: WorkerExit.parentGone))
    }

    @Test(
        "a role it has not, or another protocol, is exit code 78 and a line", arguments: [("sandbox", 1), ("store", 2)])
    func wrongConfigure(role: String, version: Int) async throws {
        let story = try await converse(begin: { $0.configure(role: role, protocol: version) })
        #expect(story.kinds == [])
        #expect(story.exit == .exited(code: 78))
        #expect(
            story.errorText == "it cannot be \(role) of protocol \(version): use executables of one flyfleet build\n")
    }

    @Test("what breaks the protocol ends it with code 82 and a line", arguments: Self.breaches)
    func protocolBroken(breach: Breach) async throws {
        let story = try await converse(begin: { worker in
            if breach.configured { worker.configure() } else { worker.send(raw: breach.bytes) }
        }) { worker, frame in
            if frame.kind == .ready { worker.send(raw: breach.bytes) }
        }
        #expect(story.kinds == (breach.configured ? [.ready] : []))
        #expect(story.exit == .exited(code: WorkerExit.protocolError))
        #expect(story.errorText.hasPrefix("the parent broke the protocol: "))
        #expect(story.errorText.hasSuffix("\n"))
        #expect(story.errorText.split(separator: "\n").count == 1)
    }

    struct Breach: Sendable, CustomTestStringConvertible {
        let name: String
        let bytes: [UInt8]
        var configured = true
        var testDescription: String { name }
    }

    static let configureAgain: [UInt8] = {
        let json = #"{"protocol":1,"path":"p","incarnation":1,"role":"store","settings":{}}"#
        return [0, 0, 0, UInt8(5 + json.utf8.count), 1, 0, 0, 0, 0] + Array(json.utf8)
    }()

    static let breaches = [
        Breach(name: "garbage", bytes: [UInt8](repeating: 0xff, count: 64)),
        Breach(name: "garbage first", bytes: [UInt8](repeating: 0x20, count: 64), configured: false),
        Breach(name: "a length of 4", bytes: [0, 0, 0, 4]),
        Breach(name: "an unknown kind", bytes: [0, 0, 0, 5, 99]),
        Breach(name: "a second configure", bytes: configureAgain),
        Breach(name: "configure that is no JSON", bytes: [0, 0, 0, 6, 1, 0, 0, 0, 0, 0x7b], configured: false),
        Breach(name: "a ready from its parent", bytes: [0, 0, 0, 5, 2, 0, 0, 0, 0]),
        Breach(name: "a pong from its parent", bytes: [0, 0, 0, 5, 10, 0, 0, 0, 0]),
        Breach(name: "an acknowledgement cut short", bytes: [0, 0, 0, 6, 7, 0, 0, 0, 0, 9]),
        Breach(name: "a request before configure", bytes: [0, 0, 0, 7, 3, 0, 0, 0, 1, 0x7b, 0x7d], configured: false),
    ]
}
