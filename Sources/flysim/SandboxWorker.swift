// flysim as flyfleet's worker `sandbox`: frames on stdin and stdout, the HTTP server beside them.
//
// Two threads: one reads frames with blocking reads, one waits for signals. The server runs on Hummingbird's threads and
// only ever sends `ready`. After end of file, a stop or SIGTERM the process is gone at once. What goes to stderr bears no
// name: the parent logs it under the worker's path.

import CLinux
import Framing
import Glibc
import Simulator
import Synchronization
import WorkerProtocol

/// The worker's side of the pipe.
final class SandboxWorker: Sendable {
    private let output: FrameOutput
    private let address = Mutex<SandboxAddressRequest.Reply?>(nil)

    private init(output: FrameOutput) {
        self.output = output
    }

    /// Runs the worker until its parent stops it; does not return.
    static func run(until signals: StopSignals) -> Never {
        guard let parent = environmentVariable(WorkerLaunch.parentPidVariable).flatMap(Int32.init) else {
            complain("flysim: --worker is for flyfleet; start flysim without it")
            _exit(WorkerExit.usage)
        }
        // Armed before the check: a parent that died in between is seen by one or the other.
        guard linux_set_parent_death_signal(SIGKILL) == 0, getppid() == parent else { _exit(WorkerExit.parentGone) }
        let worker = SandboxWorker(output: FrameOutput())
        startThread { worker.readFrames() }
        // The terminal's interrupt reaches the whole process group, and it is the parent's to act on.
        while signals.wait() != SIGTERM {}
        worker.leave()
    }

    private func readFrames() -> Never {
        var decoder = FrameDecoder()
        var isConfigured = false
        while true {
            let space = decoder.writableBytes()
            let count = read(STDIN_FILENO, space.baseAddress, space.count)
            if count < 0, errno == EINTR { continue }
            guard count > 0 else { _exit(WorkerExit.parentGone) }
            decoder.commit(count)
            do {
                while let frame = try decoder.next() {
                    handle(frame, isConfigured: isConfigured)
                    isConfigured = isConfigured || frame.kind == .configure
                }
            } catch {
                fail("\(error)", WorkerExit.protocolError)
            }
        }
    }

    private func handle(_ frame: Frame, isConfigured: Bool) {
        switch frame.kind {
        case .configure where !isConfigured: configure(frame.payload)
        case .ping: output.send(.pong, id: frame.id)
        case .stop: leave()
        case .request: reply(to: frame.payload, id: frame.id)
        default: fail("a \(frame.kind) frame is not for the sandbox now", WorkerExit.protocolError)
        }
    }

    private func configure(_ payload: [UInt8]) {
        do {
            let head = try MessageCoding.decode(ConfigureHead.self, from: payload)
            guard head.protocol == WorkerLaunch.protocolVersion, head.role == .sandbox else {
                fail(
                    "it cannot be \(head.role.rawValue) of protocol \(head.protocol): use executables of one flyfleet build",
                    WorkerExit.configuration)
            }
            let message = try MessageCoding.decode(Configure<SandboxSettings>.self, from: payload)
            serve(try SimulatorConfiguration(message.settings))
        } catch {
            fail("could not start as the sandbox: \(error)", WorkerExit.configuration)
        }
    }

    private func serve(_ configuration: SimulatorConfiguration) {
        Task {
            do {
                try await SimulatorServer(configuration).run { url, port in self.announce(url, port) }
            } catch {
                fail("\(error)", WorkerExit.unavailable)
            }
        }
    }

    private func announce(_ url: String, _ port: Int) {
        address.withLock { $0 = SandboxAddressRequest.Reply(url: url, port: port) }
        output.send(.ready, Ready(pid: getpid()))
    }

    private func reply(to payload: [UInt8], id: UInt32) {
        guard let head = try? MessageCoding.decode(RequestHead.self, from: payload) else {
            output.send(.failure, id: id, Failure(.badRequest, "the request has no method"))
            return
        }
        guard head.method == SandboxAddressRequest.method else {
            output.send(.failure, id: id, Failure(.unknownMethod, "the sandbox does not know \(head.method)"))
            return
        }
        guard let address = address.withLock({ $0 }) else {
            output.send(.failure, id: id, Failure(.unavailable, "the sandbox does not listen yet"))
            return
        }
        output.send(.reply, id: id, address)
    }

    private func leave() -> Never {
        output.send(.goodbye)
        _exit(WorkerExit.normal)
    }

    private func fail(_ reason: String, _ code: Int32) -> Never {
        complain(reason)
        _exit(code)
    }
}

extension SimulatorConfiguration {
    /// The configuration of the sandbox.
    ///
    /// - Throws: `Failure` naming the setting that is out of its range.
    init(_ settings: SandboxSettings) throws {
        guard Timeline.allowedRates.contains(settings.rate) else {
            throw Failure(.badRequest, "rate \(settings.rate): must be 0.001 to 1000000 lines per second")
        }
        guard (0...65_535).contains(settings.port) else {
            throw Failure(.badRequest, "port \(settings.port): must be 0 to 65535")
        }
        guard (0...Timeline.end).contains(settings.epochNs) else {
            throw Failure(.badRequest, "epoch_ns \(settings.epochNs): must be from 1970 to 2100")
        }
        for name in settings.apps where !Organization.isValidAppName(name) {
            throw Failure(.badRequest, "app \"\(name)\": must be 1 to 63 lower-case letters, digits and dashes")
        }
        let traffic = TrafficSettings(seed: settings.seed, epoch: settings.epochNs, rate: settings.rate)
        try self.init(appNames: settings.apps, traffic: traffic)
        port = settings.port
    }
}
