// The service behind TestWorker.

import FoundationEssentials
import Framing
import Glibc
import WorkerProtocol
import WorkerRuntime

/// What the test worker understands of any role's settings.
struct TestSettings: Codable, Sendable {
    var behaviour: String?
}

/// Sent to the parent by `test.ask`.
struct TestQuestion: WorkerRequest {
    struct Reply: Codable, Sendable { var text: String }
    static let method = "test.question"
    var text: String
}

/// Replies with its own text.
struct TestEcho: WorkerRequest {
    struct Reply: Codable, Sendable { var text: String }
    static let method = "test.echo"
    var text: String
}

/// Asks the parent first and replies with what it said.
struct TestAsk: WorkerRequest {
    struct Reply: Codable, Sendable { var text: String }
    static let method = "test.ask"
    var text: String
    var timeout_ms: Int64?
}

/// Replies with what the process finds around itself.
struct TestSurroundings: WorkerRequest {
    struct Reply: Codable, Sendable {
        var path: String
        var incarnation: Int
        var environment: [String]
        var descriptors: [String]
    }
    static let method = "test.surroundings"
}

/// Replies, then ends as told: by exit with `code`, or by `signal`.
struct TestEnd: WorkerRequest {
    typealias Reply = Done
    static let method = "test.end"
    var code: Int32?
    var signal: Int32?
}

final class TestService: WorkerService {
    private unowned let worker: Worker
    private let rawOutput: Int32
    private var behaviour: Behaviour.Name = .good

    init(_ worker: Worker, rawOutput: Int32) {
        self.worker = worker
        self.rawOutput = rawOutput
    }

    func start() {
        let told = (try? worker.settings(TestSettings.self))?.behaviour
        for line in Behaviour.lines(settings: told) {
            guard let behaviour = Behaviour(line) else {
                worker.fail(WorkerExit.configuration, "no such behaviour: \(line)")
            }
            guard behaviour.concerns(path: worker.path, incarnation: worker.incarnation) else { continue }
            self.behaviour = behaviour.name
            return follow(behaviour)
        }
        worker.ready()
    }

    func stop() {
        if behaviour != .ignoreStop { worker.finish() }
    }

    func handle(_ request: IncomingRequest) {
        let served =
            request.serve(TestEcho.self) { request.reply(TestEcho.Reply(text: $0.text)) }
            || request.serve(TestAsk.self) { ask(request, $0) }
            || request.serve(TestSurroundings.self) { _ in request.reply(surroundings()) }
            || request.serve(TestEnd.self) { end in
                request.reply(Done())
                if let signal = end.signal { die(signal) }
                _exit(end.code ?? 0)
            }
        if !served { request.rejectUnknownMethod() }
    }

    func receive(entries frame: Frame) {
        // As a sink would: what came is safe.
        guard let head = try? withExtendedLifetime(frame.slab, { try EntriesHead.decode(frame.payloadBytes).head })
        else {
            return
        }
        worker.send(Acknowledgement(appName: head.appName, batch: head.batch))
    }

    private func follow(_ behaviour: Behaviour) {
        switch behaviour.name {
        case .good, .ignoreStop: worker.ready()
        case .neverReady: worker.log("never ready, as told")
        case .exitBeforeReady: _exit(behaviour.number(1))
        case .crashBeforeReady: die(behaviour.number(SIGSEGV))
        case .grandchild, .grandchildGroup:
            Grandchild.start(ownGroup: behaviour.name == .grandchildGroup)
            worker.ready()
        default:
            worker.ready()
            followAfterReady(behaviour)
        }
    }

    private func followAfterReady(_ behaviour: Behaviour) {
        switch behaviour.name {
        case .exitAfterReady: _exit(behaviour.number(0))
        case .crashAfterReady: die(behaviour.number(SIGSEGV))
        case .crashLater: Self.ringAlarm(afterMs: Int(behaviour.number(1_000)))
        case .goodbye: worker.finish()
        case .garbage: writeRaw([UInt8](repeating: 0xff, count: 64))
        case .length:
            let length = behaviour.numbers.first ?? FrameLimits.maximumLength + 1
            writeRaw([24, 16, 8, 0].map { UInt8(truncatingIfNeeded: length >> $0) } + [FrameKind.entries.rawValue])
        case .halfFrame:
            writeRaw([0, 0, 1, 0, FrameKind.entries.rawValue, 0, 0])
            _exit(0)
        case .readyTwice: worker.send(.ready, message: Ready(pid: getpid()))
        case .hang: kill(getpid(), SIGSTOP)
        case .floodStderr: floodStderr(behaviour.numbers)
        case .floodThenCrash:
            floodStderr(behaviour.numbers)
            worker.log("the last word")
            die(SIGSEGV)
        case .strayPrint: print("a stray print")
        case .good, .neverReady, .exitBeforeReady, .crashBeforeReady, .ignoreStop, .grandchild, .grandchildGroup: break
        }
    }

    private func ask(_ request: IncomingRequest, _ parameters: TestAsk) {
        worker.request(TestQuestion(text: parameters.text), timeoutMs: parameters.timeout_ms ?? 10_000) { answer in
            request.complete(answer.map { TestAsk.Reply(text: $0.text) })
        }
    }

    private func surroundings() -> TestSurroundings.Reply {
        var environment: [String] = []
        var next = environ
        while let text = next.pointee {
            environment.append(String(cString: text))
            next += 1
        }
        let numbers = (try? FileManager.default.contentsOfDirectory(atPath: "/proc/self/fd")) ?? []
        let descriptors = numbers.compactMap { number in
            (try? FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/fd/\(number)")).map {
                "\(number) \($0)"
            }
        }
        return TestSurroundings.Reply(
            path: worker.path, incarnation: worker.incarnation, environment: environment,
            descriptors: descriptors.sorted())
    }

    /// Dies by `signal` even where something handles it.
    private func die(_ signal: Int32) -> Never {
        _ = Glibc.signal(signal, SIG_DFL)
        kill(getpid(), signal)
        while true { pause() }
    }

    private func writeRaw(_ bytes: [UInt8]) {
        _ = write(rawOutput, bytes, bytes.count)
    }

    /// Writes whole lines: at least so many bytes of them, each so long, of that byte.
    private func floodStderr(_ numbers: [Int]) {
        let count = numbers.first ?? 1 << 20
        let length = numbers.count > 1 ? numbers[1] : 100
        let byte = numbers.count > 2 ? UInt8(truncatingIfNeeded: numbers[2]) : UInt8(ascii: "f")
        let line = [UInt8](repeating: byte, count: length - 1) + [UInt8(ascii: "\n")]
        var left = count
        while left > 0 {
            // A pipe takes what fits: a line may go in two.
            var rest = line[...]
            while !rest.isEmpty {
                let written = rest.withUnsafeBytes { write(STDERR_FILENO, $0.baseAddress, $0.count) }
                if written > 0 { rest = rest.dropFirst(written) } else { sched_yield() }
            }
            left -= line.count
        }
    }

    /// Nothing handles SIGALRM: the kernel ends the process, whatever it does by then.
    private static func ringAlarm(afterMs milliseconds: Int) {
        let delay = timeval(tv_sec: milliseconds / 1000, tv_usec: milliseconds % 1000 * 1000)
        var timer = itimerval(it_interval: timeval(), it_value: delay)
        setitimer(__itimer_which_t(ITIMER_REAL.rawValue), &timer, nil)
    }
}
