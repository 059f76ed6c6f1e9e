// How a process is made. The one place that knows; everything else talks to what it made.

internal import EventLoop
internal import WorkerProtocol

/// A process that was made, with the parent's ends of its three pipes.
protocol SpawnedProcess: AnyObject {
    var pid: Int32 { get }
    var input: PipeWriter { get }
    var output: PipeReader { get }
    var errors: PipeReader { get }
    /// Signals the process alone; nothing once it was reaped.
    func signal(_ number: Int32)
    /// Signals everything the process leads; nothing once it was reaped.
    func signalGroup(_ number: Int32)
    /// Closes the three pipes; idempotent.
    func closePipes()
}

/// Makes processes for workers.
protocol WorkerSpawner {
    /// Makes the process of one start of the leaf at `path`.
    ///
    /// - Parameters:
    ///   - onExit: called once after the process was reaped, and not before `completion` has returned.
    ///   - completion: called once, now or later, with the process or why there is none. The process has been sent
    ///     nothing yet, and its pipes are not read.
    func spawn(
        _ plan: WorkerLaunchPlan, path: String, onExit: @escaping (ProcessExit) -> Void,
        completion: @escaping (Result<any SpawnedProcess, UVError>) -> Void)
}

extension ChildProcess: SpawnedProcess {}

/// Makes them with posix_spawn, at once.
///
/// The loop stands still until the child has become its program: measured, a third of a millisecond on a quiet machine,
/// about three where a hundred start at once on two cores.
struct PosixWorkerSpawner: WorkerSpawner {
    let loop: Loop
    /// The folder of the executables.
    let libexec: String

    func spawn(
        _ plan: WorkerLaunchPlan, path: String, onExit: @escaping (ProcessExit) -> Void,
        completion: @escaping (Result<any SpawnedProcess, UVError>) -> Void
    ) {
        let request = SpawnRequest(
            executable: "\(libexec)/\(plan.executable)", arguments: [WorkerLaunch.flag, path],
            environment: plan.environment, extraDescriptors: plan.extraDescriptors)
        do throws(UVError) {
            completion(.success(try ChildProcess(loop, request, onExit: onExit)))
        } catch {
            completion(.failure(error))
        }
    }
}
