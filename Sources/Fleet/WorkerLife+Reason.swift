// What the end of a process means to the policies.

internal import EventLoop
internal import Supervision
internal import WorkerProtocol

extension WorkerLife {
    /// Code 0 counts as normal only after a goodbye; a signal is always a crash.
    func reason(of exit: ProcessExit) -> ExitReason {
        switch exit {
        case .exited(WorkerExit.normal):
            facts.saidGoodbye ? .normal : .crash("exit code 0 without a goodbye")
        case .exited(WorkerExit.ignore) where mayIgnore:
            .ignore
        case .exited(let code):
            .crash("exit code \(code)" + (lastLine.map { ", \($0)" } ?? ""))
        case .signaled(let signal, let coreDumped):
            .crash("signal \(SignalName.of(signal))" + (coreDumped ? ", core dumped" : ""))
        case .outOfMemory:
            .crash("signal SIGKILL, out of memory")
        }
    }
}
