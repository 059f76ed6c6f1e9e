// flyfleet-sink: the process that writes what the fleet collected. Today it is the console.

internal import EventLoop
internal import Glibc
internal import Sinks
internal import WorkerProtocol
internal import WorkerRuntime

@main
struct FlyfleetSink {
    static func main() {
        let output = ConsoleSink.inheritedOutput()
        // One write is under way at a time, so one pool thread is enough; libuv reads this when the pool starts.
        setenv("UV_THREADPOOL_SIZE", "1", 0)
        keepLargeBlocks()
        WorkerMain.run(executable: "flyfleet-sink", roles: [.console]) { worker, _ in
            try ConsoleSink(worker, descriptor: output)
        }
    }
}
