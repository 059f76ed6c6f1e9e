// The built program with a scripted parent at the other end of its pipes.

import CLinux
import Framing
import Glibc
import Testing
import WorkerProtocol

/// A running flyfleet-streamer.
final class StreamerProcess {
    let pid: pid_t
    private let input: Int32
    private let output: Int32
    private let errors: Int32
    private var decoder = FrameDecoder()
    private var status: Int32?

    /// Starts the executable that was built beside the tests and configures it for app `web`.
    init(apiURL: String, pollIntervalMs: Int64 = 50, sinceNs: Int64 = 1000, overlapMs: Int64 = 20_000) throws {
        let directory = Self.executablePath().split(separator: "/").dropLast().joined(separator: "/")
        let path = "/\(directory)/flyfleet-streamer"
        let (inRead, inWrite) = Self.pipe()
        let (outRead, outWrite) = Self.pipe()
        let (errRead, errWrite) = Self.pipe()
        var actions = posix_spawn_file_actions_t()
        posix_spawn_file_actions_init(&actions)
        for (source, target) in [(inRead, 0), (outWrite, 1), (errWrite, 2)] as [(Int32, Int32)] {
            posix_spawn_file_actions_adddup2(&actions, source, target)
        }
        let words = [path, WorkerLaunch.flag, "logs/streamers/web"]
        let environment = ["\(WorkerLaunch.parentPidVariable)=\(getpid())", "SWIFT_BACKTRACE=enable=no"]
        var arguments: [UnsafeMutablePointer<CChar>?] = words.map { strdup($0) } + [nil]
        var variables: [UnsafeMutablePointer<CChar>?] = environment.map { strdup($0) } + [nil]
        var pid: pid_t = 0
        let code = posix_spawn(&pid, path, &actions, nil, &arguments, &variables)
        for pointer in arguments + variables { free(pointer) }
        posix_spawn_file_actions_destroy(&actions)
        for descriptor in [inRead, outWrite, errWrite] { close(descriptor) }
        self.pid = pid
        input = inWrite
        output = outRead
        errors = errRead
        try #require(code == 0, "could not start \(path): \(String(cString: strerror(code)))")
        let settings = StreamerSettings(
            appName: "web", dialect: "platform", apiURL: apiURL, pollIntervalMs: pollIntervalMs, overlapMs: overlapMs,
            sinceNs: sinceNs)
        let configure = Configure(path: "logs/streamers/web", incarnation: 1, role: .streamer, settings: settings)
        try send(.configure, payload: MessageCoding.encode(configure))
    }

    deinit {
        if status == nil {
            kill(pid, SIGKILL)
            waitpid(pid, nil, 0)
        }
        for descriptor in [input, output, errors] { close(descriptor) }
    }

    func send(_ kind: FrameKind, id: UInt32 = 0, payload: [UInt8] = []) throws {
        let bytes = try FrameEncoder.encode(kind, id: id, payload: payload)
        try #require(write(input, bytes, bytes.count) == bytes.count)
    }

    /// The next frame, or nil at the end of the stream; a wait of 10 s is a failure.
    func next() throws -> Frame? {
        while true {
            if let frame = try decoder.next() { return frame }
            var waiting = pollfd(fd: output, events: Int16(POLLIN), revents: 0)
            try #require(poll(&waiting, 1, 10_000) > 0, "no frame within 10 s")
            let space = decoder.writableBytes()
            let count = read(output, space.baseAddress, space.count)
            guard count > 0 else { return nil }
            decoder.commit(count)
        }
    }

    /// The next request, which must be one of this type.
    func expect<Request: WorkerRequest>(_ type: Request.Type) throws -> (id: UInt32, request: Request) {
        let frame = try #require(try next())
        try #require(frame.kind == .request)
        let head = try MessageCoding.decode(RequestHead.self, from: frame.payload)
        try #require(head.method == Request.method)
        return (frame.id, try MessageCoding.decode(type, from: frame.payload))
    }

    /// The next batch: its head and its lines; the memory in front of it must be of as many entries, if it has any.
    func expectEntries() throws -> (head: EntriesHead, lines: [String]) {
        var frame = try #require(try next())
        var memory: BatchMemory?
        if frame.kind == .memory {
            memory = try withExtendedLifetime(frame.slab) { try BatchMemory.decode(frame.payloadBytes) }
            frame = try #require(try next())
        }
        try #require(frame.kind == .entries)
        return try withExtendedLifetime(frame.slab) {
            let (head, offset) = try EntriesHead.decode(frame.payloadBytes)
            if let memory { #expect(memory.batch == head.batch && memory.identities.count == Int(head.count)) }
            let text = String(decoding: frame.payloadBytes[offset...], as: UTF8.self)
            return (head, text.split(separator: "\n").map(String.init))
        }
    }

    func reply(_ id: UInt32, _ message: some Encodable) throws {
        try send(.reply, id: id, payload: MessageCoding.encode(message))
    }

    func acknowledge(_ batch: UInt64) throws {
        try send(.ack, payload: Acknowledgement(appName: "web", batch: batch).encode())
    }

    /// Answers everything up to the first fetch with this token; nothing was committed before.
    func answerStart(token: String) throws {
        try reply(expect(RegisterRequest.self).id, Done())
        #expect(try next()?.kind == .ready)
        try reply(expect(CursorRequest.self).id, CursorRequest.Reply(cursor: nil))
        let begin = try expectEntries()
        #expect(begin.head.batch == 1 && begin.head.count == 0 && begin.lines.isEmpty)
        try acknowledge(1)
        try reply(expect(TableGetRequest.self).id, TokenReply(token: Self.token(token)))
    }

    static func token(_ value: String) -> Token {
        Token(value: value, source: .environment, expiresAtMs: 0, acquiredAtMs: 0)
    }

    /// The raw wait status.
    func wait() -> Int32 {
        var status: Int32 = 0
        waitpid(pid, &status, 0)
        self.status = status
        return status
    }

    /// What it wrote to stderr; call it after ``wait()``.
    func standardError() -> String { Self.readAll(errors) }

    /// A file of its directory in /proc.
    func file(_ name: String) -> String {
        let descriptor = linux_open("/proc/\(pid)/\(name)", O_RDONLY, 0)
        defer { close(descriptor) }
        return Self.readAll(descriptor)
    }

    private static func readAll(_ descriptor: Int32) -> String {
        var text: [UInt8] = []
        var buffer = [UInt8](repeating: 0, count: 4096)
        while true {
            let count = read(descriptor, &buffer, buffer.count)
            guard count > 0 else { return String(decoding: text, as: UTF8.self) }
            text += buffer[..<count]
        }
    }

    private static func executablePath() -> String {
        var buffer = [CChar](repeating: 0, count: 4096)
        let count = readlink("/proc/self/exe", &buffer, buffer.count)
        return String(decoding: buffer[..<max(count, 0)].map { UInt8(bitPattern: $0) }, as: UTF8.self)
    }

    private static func pipe() -> (read: Int32, write: Int32) {
        var ends: [Int32] = [-1, -1]
        precondition(linux_pipe(&ends) == 0, "no pipe")
        return (ends[0], ends[1])
    }
}
