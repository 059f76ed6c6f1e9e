// Requests in both directions, and what they cost when they make no sense: an answer, never a process.

import EventLoop
import Foundation
import Framing
import Testing
import WorkerProtocol

@Suite("Worker requests") struct WorkerRequestTests {
    /// Sends one request once the worker is ready, and stops it after the answer.
    private func answer(to json: String) async throws -> PlainFrame? {
        let story = try await converse { worker, frame in
            if frame.kind == .ready { worker.send(.request, id: 77, json: json) }
            if frame.kind == .reply || frame.kind == .failure { worker.send(.stop) }
        }
        #expect(story.exit == .exited(code: 0))
        #expect(story.kinds.count == 3)
        return story.frames.dropFirst().first
    }

    @Test("a request is answered under its id")
    func reply() async throws {
        let reply = try await answer(to: #"{"method":"test.echo","text":"né\n"}"#)
        #expect(reply == PlainFrame(kind: .reply, id: 77, payload: Array(#"{"text":"né\n"}"#.utf8)))
    }

    @Test("an unknown method is a failure under its id")
    func unknownMethod() async throws {
        let reply = try await answer(to: #"{"method":"test.nothing"}"#)
        let text = #"{"code":"unknown_method","message":"no such method: test.nothing"}"#
        #expect(reply == PlainFrame(kind: .failure, id: 77, payload: Array(text.utf8)))
    }

    @Test(
        "a request that makes no sense is a failure, and the worker lives on",
        arguments: [
            "", "{", "[]", "{}", #"{"method":7}"#, #"{"method":"test.echo"}"#, #"{"method":"test.echo","text":1}"#,
        ])
    func nonsense(json: String) async throws {
        let reply = try #require(try await answer(to: json))
        #expect(reply.kind == .failure)
        #expect(reply.id == 77)
        #expect(try MessageCoding.decode(Failure.self, from: reply.payload).code == .badRequest)
    }

    /// Has the worker ask the parent, and answers that with one frame.
    private func asked(_ json: String, _ respond: @escaping @Sendable (WorkerConversation, PlainFrame) -> Void)
        async throws
        -> WorkerStory
    {
        try await converse { worker, frame in
            switch frame.kind {
            case .ready: worker.send(.request, id: 5, json: json)
            case .request: respond(worker, frame)
            case .reply, .failure: worker.send(.stop)
            default: break
            }
        }
    }

    @Test("a worker's own request carries an id that is not 0, and its reply finds its way back")
    func ask() async throws {
        let story = try await asked(#"{"method":"test.ask","text":"why"}"#) { worker, frame in
            worker.send(.reply, id: frame.id &+ 1, json: #"{"text":"for somebody else"}"#)
            worker.send(.reply, id: frame.id, json: #"{"text":"because"}"#)
            worker.send(.reply, id: frame.id, json: #"{"text":"twice"}"#)
        }
        let request = try #require(story.frames.first { $0.kind == .request })
        #expect(request.id != 0)
        #expect(request.text == #"{"method":"test.question","text":"why"}"#)
        #expect(
            story.frames.dropFirst(2).first
                == PlainFrame(kind: .reply, id: 5, payload: Array(#"{"text":"because"}"#.utf8)))
        #expect(story.kinds == [.ready, .request, .reply, .goodbye])
    }

    @Test("a failure comes back as it was, and nonsense in its place as a failure of its own")
    func askFailures() async throws {
        let failed = try await asked(#"{"method":"test.ask","text":"q"}"#) { worker, frame in
            worker.send(.failure, id: frame.id, json: #"{"code":"no_token","message":"none"}"#)
        }
        #expect(failed.frames.dropFirst(2).first?.text == #"{"code":"no_token","message":"none"}"#)
        for kind in [FrameKind.failure, .reply] {
            let story = try await asked(#"{"method":"test.ask","text":"q"}"#) { worker, frame in
                worker.send(kind, id: frame.id, json: "\u{0}garbage")
            }
            let answer = try #require(story.frames.dropFirst(2).first)
            #expect(answer.kind == .failure)
            #expect(try MessageCoding.decode(Failure.self, from: answer.payload).code == .failed)
            #expect(story.exit == .exited(code: 0))
        }
    }

    @Test("a request nobody answers ends with a timeout, and an answer after it is ignored")
    func askTimeout() async throws {
        let story = try await converse { worker, frame in
            switch frame.kind {
            case .ready: worker.send(.request, id: 5, json: #"{"method":"test.ask","text":"q","timeout_ms":30}"#)
            case .failure:
                worker.send(.reply, id: 1, json: #"{"text":"late"}"#)
                worker.send(.ping)
            case .pong: worker.send(.stop)
            default: break
            }
        }
        #expect(story.kinds == [.ready, .request, .failure, .pong, .goodbye])
        #expect(
            story.frames.dropFirst(2).first?.text
                == #"{"code":"timeout","message":"no answer to test.question within 30 ms"}"#)
    }

    @Test("entries reach the service, which acknowledges them by batch", arguments: [0, 300_000])
    func entries(bytes: Int) async throws {
        let head = EntriesHead(appName: "web", batch: 9, count: 1, cursor: "17")
        let story = try await converse { worker, frame in
            if frame.kind == .ready {
                worker.send(.entries, payload: head.encode() + [UInt8](repeating: 0x20, count: bytes))
            }
            if frame.kind == .ack { worker.send(.stop) }
        }
        #expect(story.kinds == [.ready, .ack, .goodbye])
        #expect(story.frames.dropFirst().first?.payload == Acknowledgement(appName: "web", batch: 9).encode())
    }
}
