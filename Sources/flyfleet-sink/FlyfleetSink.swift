// flyfleet-sink: the process that writes what the fleet collected, to flyfleet's stdout or to a file.

internal import EventLoop
internal import Glibc
internal import Sinks
internal import WorkerProtocol
internal import WorkerRuntime

@main
struct FlyfleetSink {
    static func main() {
        let output = ConsoleSink.inheritedOutput()
        keepLargeBlocks()
        // A file that grew to the limit of its size is an error of the write, not the end of the process.
        signal(SIGXFSZ, SIG_IGN)
        WorkerMain.run(executable: "flyfleet-sink", roles: [.console, .fileSink]) { worker, role in
            // One write is under way at a time; a file sink also packs. libuv reads this when the pool starts.
            setenv("UV_THREADPOOL_SIZE", role == .fileSink ? "2" : "1", 0)
            return role == .fileSink ? try FileSink(worker) : try ConsoleSink(worker, descriptor: output)
        }
    }
}
