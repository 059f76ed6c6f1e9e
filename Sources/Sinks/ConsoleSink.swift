// The console sink as a worker: writes the merged stream to flyfleet's stdout.
//
// When that cannot go on, the whole fleet has no purpose any more: the sink asks the parent to stop it in order, once,
// and goes on answering pings until it is stopped itself. A full disk under stdout is no such end: it is said once,
// nothing is acknowledged, and so the fleet waits with it.

internal import EventLoop
package import Framing
internal import Glibc
internal import WorkerProtocol
package import WorkerRuntime

/// The service of the role `console`.
package final class ConsoleSink: WorkerService {
    /// How long a stop waits for a slow reader to take what is queued, in ms; less than half of the usual grace.
    package static let drainLimitMs: Int64 = 2000

    private let worker: Worker
    private let output: ConsoleOutput

    /// - Parameter descriptor: from ``inheritedOutput()``.
    /// - Throws: when the settings make no sense or flyfleet's stdout was not handed down.
    package init(_ worker: Worker, descriptor: Int32?) throws {
        let settings = try worker.settings(ConsoleSettings.self)
        guard let descriptor else {
            throw Failure(.failed, "flyfleet's stdout is closed: start flyfleet with an open stdout")
        }
        self.worker = worker
        output = try ConsoleOutput(worker.loop, descriptor: descriptor, settings: settings)
    }

    /// The descriptor that is flyfleet's stdout; nil when it is not open for writing.
    ///
    /// To be called before anything else opens a descriptor, which would get the same number.
    package static func inheritedOutput() -> Int32? {
        let flags = fcntl(ConsoleSettings.outputDescriptor, F_GETFL)
        guard flags >= 0, flags & O_ACCMODE != O_RDONLY else { return nil }
        return ConsoleSettings.outputDescriptor
    }

    package func start() {
        output.onWritten = { [unowned self] in worker.send($0) }
        output.onFailure = { [unowned self] in requestStop(because: $0) }
        output.onRoom = { [unowned self] in report(disk: $0) }
        worker.ready()
    }

    package func receive(entries frame: Frame) {
        do throws(FrameError) {
            try output.receive(frame)
        } catch {
            worker.fail(WorkerExit.protocolError, "the parent broke the protocol: \(error)")
        }
    }

    package func stop() {
        output.drain(withinMs: Self.drainLimitMs) { [unowned self] in worker.finish() }
    }

    private func report(disk reason: UVError?) {
        if let reason {
            worker.log("stdout is full: \(reason); waiting for room, and nothing is lost")
        } else {
            worker.log("stdout has room again: going on")
        }
    }

    private func requestStop(because failure: ConsoleFailure) {
        if failure != .readerLeft { worker.log("\(failure); asking for the fleet to be stopped") }
        worker.request(StopFleetRequest(reason: failure.description)) { [unowned self] answer in
            guard case .failure(let reason) = answer else { return }
            worker.log("\(failure), and the fleet could not be stopped: \(reason)")
        }
    }
}
