// A worker that behaves as it is told, well or badly, for tests of whoever supervises it. It takes every role.

import Glibc
import WorkerProtocol
import WorkerRuntime

@main struct TestWorkerMain {
    static func main() throws {
        if CommandLine.arguments.dropFirst().first == StrangerTrial.flag {
            guard let fault = try StrangerTrial.run() else { return }
            print(fault)
            exit(1)
        }
        // Garbage must go where frames go; the runtime moves them away from stdout before the service is made.
        let rawOutput = fcntl(STDOUT_FILENO, F_DUPFD_CLOEXEC, 100)
        WorkerMain.run(executable: "testworker", roles: Set(WorkerRole.allCases).subtracting([.sandbox])) { worker, _ in
            TestService(worker, rawOutput: rawOutput)
        }
    }
}
