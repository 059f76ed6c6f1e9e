import EventLoop
import Framing
import Glibc
import Synchronization
import Testing
import WorkerProtocol

@testable import Sinks

/// A disk with room for so many bytes, over a file in memory.
private final class SmallDisk: Sendable {
    let room: Mutex<Int>
    let tries = Mutex(0)
    let descriptor: Int32

    init(room: Int) throws {
        self.room = Mutex(room)
        var template = Array("/tmp/flyfleet-disk-XXXXXX".utf8CString)
        descriptor = mkstemp(&template)
        try #require(descriptor >= 0)
        unlink(template)
    }

    deinit {
        close(descriptor)
    }

    /// As write(2) on a disk that gets full: first fewer bytes, then ENOSPC.
    func write(_ descriptor: Int32, _ bytes: UnsafeRawPointer, _ count: Int) -> Int {
        tries.withLock { $0 += 1 }
        let taken = room.withLock { room in
            let taken = min(room, count)
            room -= taken
            return taken
        }
        guard taken > 0 || count == 0 else {
            errno = ENOSPC
            return -1
        }
        return Glibc.write(descriptor, bytes, taken)
    }

    var bytes: [UInt8] {
        var bytes = [UInt8](repeating: 0, count: Int(lseek(descriptor, 0, SEEK_END)))
        let count = pread(descriptor, &bytes, bytes.count, 0)
        return Array(bytes.prefix(max(count, 0)))
    }

    var contents: String { String(decoding: bytes, as: UTF8.self) }
}

@Suite("ConsoleDisk")
struct ConsoleDiskTests {
    @Test("a full disk is said once, nothing is acknowledged, and with room everything goes on where it stopped")
    func fullDisk() throws {
        let loop = try Loop()
        let small = try SmallDisk(room: 10)
        let disk = ConsoleDisk(loop, descriptor: small.descriptor, pauseMs: 2) { small.write($0, $1, $2) }
        let output = try ConsoleOutput(loop, descriptor: small.descriptor, settings: .json, disk: disk)
        var acknowledged: [UInt64] = []
        var said: [String?] = []
        output.onWritten = { acknowledged.append($0.batch) }
        output.onFailure = { Issue.record("it gave up: \($0)") }
        output.onRoom = { said.append($0?.name) }
        for batch in UInt64(1)...4 { try output.receive(entriesFrame(app: "web", batch: batch, ["line \(batch)"])) }
        turn(loop, until: { small.tries.withLock { $0 } > 6 })
        #expect(said == ["ENOSPC"])
        #expect(acknowledged == [1])
        #expect(small.contents == "line 1\nlin")
        #expect(output.pendingBatches == 3)
        small.room.withLock { $0 = 8 }
        turn(loop, until: { acknowledged.count == 2 && said.count == 3 })
        #expect(said == ["ENOSPC", nil, "ENOSPC"])
        small.room.withLock { $0 = 1000 }
        turn(loop, until: { acknowledged.count == 4 })
        #expect(small.contents == "line 1\nline 2\nline 3\nline 4\n")
        #expect(said == ["ENOSPC", nil, "ENOSPC", nil])
        output.close()
        finish(loop)
    }

    @Test("a stop does not wait for room for longer than it may")
    func stopWhileFull() throws {
        let loop = try Loop()
        let small = try SmallDisk(room: 0)
        let disk = ConsoleDisk(loop, descriptor: small.descriptor, pauseMs: 1) { small.write($0, $1, $2) }
        let output = try ConsoleOutput(loop, descriptor: small.descriptor, settings: .json, disk: disk)
        var isDrained = false
        try output.receive(entriesFrame(app: "web", batch: 1, ["{}"]))
        output.drain(withinMs: 20) { isDrained = true }
        turn(loop, until: { isDrained })
        #expect(output.pendingBatches == 1)
        output.close()
        finish(loop)
    }

    @Test("any other error ends it, once")
    func otherError() throws {
        let loop = try Loop()
        let small = try SmallDisk(room: 0)
        let disk = ConsoleDisk(loop, descriptor: small.descriptor) { _, _, _ in
            errno = EIO
            return -1
        }
        let output = try ConsoleOutput(loop, descriptor: small.descriptor, settings: .json, disk: disk)
        var failures: [String] = []
        output.onFailure = { failures.append($0.description) }
        for batch in UInt64(1)...2 { try output.receive(entriesFrame(app: "web", batch: batch, ["{}"])) }
        finish(loop)
        #expect(failures.count == 1)
        #expect(failures.first?.contains("EIO") == true)
    }

    @Test("large and small chunks reach a real file in order, whatever is written at once")
    func realFile() throws {
        let loop = try Loop()
        let small = try SmallDisk(room: .max)
        let disk = ConsoleDisk(loop, descriptor: small.descriptor)
        var done: [Int] = []
        var expected: [UInt8] = []
        for index in 0..<200 {
            let count = index % 7 == 0 ? 300_000 : index % 5
            let chunk = [UInt8](repeating: UInt8(index), count: count)
            expected += chunk
            let slab = ByteSlab(capacity: count)
            slab.base.copyMemory(from: chunk, byteCount: count)
            let bytes = UnsafeRawBufferPointer(start: slab.base, count: count)
            disk.write(bytes, keeping: slab) { done.append(index) }
        }
        finish(loop)
        #expect(done == Array(0..<200))
        let isEqual = small.bytes == expected
        #expect(isEqual)
    }

    @Test("only regular files wait for room")
    func kinds() throws {
        let pipe = try TestPipe()
        let full = open("/dev/full", O_WRONLY)
        defer { close(full) }
        let small = try SmallDisk(room: 0)
        #expect(!ConsoleDisk.isRegularFile(pipe.writing))
        #expect(!ConsoleDisk.isRegularFile(full))
        #expect(!ConsoleDisk.isRegularFile(-1))
        #expect(ConsoleDisk.isRegularFile(small.descriptor))
    }
}
