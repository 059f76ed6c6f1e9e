// Work off the loop, and files read by it.

import EventLoop
import Foundation
import Testing
import WorkerHarness

@Suite("PoolWork") struct PoolWorkTests {
    @Test("work runs on another thread, its completion on the loop's, and every job completes once")
    func threads() async throws {
        let outcome = try await onLoopThread { loop in
            let loopThread = UInt(bitPattern: ObjectIdentifier(Thread.current))
            let values = Box<[Int]>([])
            let strayThreads = Box(0)
            for number in 0..<100 {
                PoolWork.run(loop) {
                    (number, UInt(bitPattern: ObjectIdentifier(Thread.current)))
                } completion: { value, thread in
                    loop.assertOnLoop()
                    if thread == loopThread { strayThreads.value += 1 }
                    values.value.append(value)
                }
            }
            return { (values.value.sorted(), strayThreads.value) }
        }
        #expect(outcome.0 == Array(0..<100))
        #expect(outcome.1 == 0)
    }

    @Test("the loop goes on while work waits")
    func loopGoesOn() async throws {
        let ticks = try await onLoopThread { loop in
            let gate = DispatchSemaphore(value: 0)
            let ticks = Box(0)
            let timer = LoopTimer(loop)
            PoolWork.run(loop, { gate.wait() }, completion: { timer.close() })
            timer.start(after: 1, repeating: 1) {
                ticks.value += 1
                if ticks.value == 5 { gate.signal() }
            }
            return { ticks.value }
        }
        #expect(ticks >= 5)
    }
}

@Suite("FileReader") struct FileReaderTests {
    private func read(_ path: String, limit: Int = 100) async throws -> Result<[UInt8], FileReadError>? {
        try await onLoopThread { loop in
            let result = Box<Result<[UInt8], FileReadError>?>(nil)
            FileReader.read(loop, path: path, limit: limit) { result.value = $0 }
            return { result.value }
        }
    }

    private func withFolder(_ body: (String) async throws -> Void) async throws {
        let folder = FileManager.default.temporaryDirectory.appendingPathComponent("flyfleet-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(at: folder) }
        try await body(folder.path)
    }

    @Test(
        "a file is read whole up to the limit and refused beyond",
        arguments: [(0, true), (1, true), (100, true), (101, false)])
    func limit(count: Int, isRead: Bool) async throws {
        try await withFolder { folder in
            let bytes = (0..<count).map { UInt8($0) }
            let path = folder + "/file"
            try Data(bytes).write(to: URL(fileURLWithPath: path))
            #expect(try await read(path) == (isRead ? .success(bytes) : .failure(.tooLarge(limit: 100))))
        }
    }

    @Test("a file whose size the system does not tell is bounded all the same")
    func growing() async throws {
        #expect(try await read("/proc/self/maps", limit: 64) == .failure(.tooLarge(limit: 64)))
        let whole = try await read("/proc/self/stat", limit: 100_000)?.get()
        #expect((whole?.count ?? 0) > 0)
    }

    @Test("what is no regular file is refused without waiting")
    func notRegular() async throws {
        try await withFolder { folder in
            #expect(mkfifo(folder + "/pipe", 0o600) == 0)
            for path in [folder, folder + "/pipe", "/dev/zero"] {
                let result = try await read(path)
                #expect(result == .failure(.notRegular))
            }
        }
    }

    @Test("what is not there, or not to be reached, is told apart")
    func missing() async throws {
        try await withFolder { folder in
            #expect(try await read(folder + "/none") == .failure(.missing))
            try Data().write(to: URL(fileURLWithPath: folder + "/file"))
            #expect(try await read(folder + "/file/below") == .failure(.system(errno: ENOTDIR)))
        }
    }
}
