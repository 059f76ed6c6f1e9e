// Writing off the loop: order, completions, errors, and descriptors that somebody made non-blocking.

import EventLoop
import Foundation
import Testing
import WorkerHarness

@Suite("FileWriter") struct FileWriterTests {
    private static func contents(_ descriptor: Int32) -> [UInt8] {
        lseek(descriptor, 0, SEEK_SET)
        defer { close(descriptor) }
        return Array(FileHandle(fileDescriptor: descriptor, closeOnDealloc: false).readDataToEndOfFile())
    }

    @Test("chunks of every size, the empty one too, are written and completed in order")
    func order() async throws {
        let sizes = [1, 0, 5, 100_000, 1 << 20, (1 << 20) + 1, 3, 0, 3_000_000, 1] + Array(repeating: 7, count: 500)
        let (bytes, completed, queued) = try await onLoopThread { loop in
            let descriptor = namelessFile()
            let writer = FileWriter(loop, descriptor: descriptor)
            let completed = Box<[Int]>([])
            for (index, size) in sizes.enumerated() {
                writer.write([UInt8](repeating: UInt8(truncatingIfNeeded: index), count: size)) {
                    completed.value.append(index)
                }
            }
            precondition(writer.queuedBytes == sizes.reduce(0, +) && !writer.isIdle)
            return { (Self.contents(descriptor), completed.value, writer.isIdle ? writer.queuedBytes : -1) }
        }
        let wanted = sizes.enumerated().flatMap { [UInt8](repeating: UInt8(truncatingIfNeeded: $0), count: $1) }
        #expect(bytes == wanted)
        #expect(completed == Array(sizes.indices))
        #expect(queued == 0)
    }

    @Test("a completion may write again")
    func reentrant() async throws {
        let bytes = try await onLoopThread { loop in
            let descriptor = namelessFile()
            let writer = FileWriter(loop, descriptor: descriptor)
            writer.write([1]) { writer.write([3]) { writer.write([4]) } }
            writer.write([2])
            return { Self.contents(descriptor) }
        }
        #expect(bytes == [1, 2, 3, 4])
    }

    @Test("a failed write is one error; no completion comes, and later writes are dropped")
    func failure() async throws {
        let (errors, completions, state) = try await onLoopThread { loop in
            let descriptor = open("/dev/null", O_RDONLY | O_CLOEXEC)
            let writer = FileWriter(loop, descriptor: descriptor)
            let errors = Box<[String]>([])
            let completions = Box(0)
            writer.onError = { error in
                errors.value.append(error.name)
                writer.write([9]) { completions.value += 1 }
            }
            for _ in 0..<3 { writer.write([1, 2, 3]) { completions.value += 1 } }
            return {
                close(descriptor)
                return (errors.value, completions.value, (writer.isIdle, writer.queuedBytes))
            }
        }
        #expect(errors == ["EBADF"])
        #expect(completions == 0)
        #expect(state == (true, 0))
    }

    @Test("a full disk is an error by its name")
    func fullDisk() async throws {
        let errors = try await onLoopThread { loop in
            let descriptor = open("/dev/full", O_WRONLY | O_CLOEXEC)
            let writer = FileWriter(loop, descriptor: descriptor)
            let errors = Box<[String]>([])
            writer.onError = { errors.value.append($0.name) }
            writer.write([1])
            return {
                close(descriptor)
                return errors.value
            }
        }
        #expect(errors == ["ENOSPC"])
    }

    @Test("a reader that goes away is EPIPE and no signal")
    func brokenPipe() async throws {
        let errors = try await onLoopThread { loop in
            let ends = PipeEnds()
            close(ends.readEnd)
            let writer = FileWriter(loop, descriptor: ends.writeEnd)
            let errors = Box<[UVError]>([])
            writer.onError = { errors.value.append($0) }
            // A child that another test is starting holds the read end until it is another program.
            func writeOn() { writer.write([1]) { writeOn() } }
            writeOn()
            return {
                close(ends.writeEnd)
                return errors.value
            }
        }
        #expect(errors.map(\.code) == [UVError.brokenPipe])
    }

    @Test("a pipe with a slow reader gets every byte while the loop goes on", arguments: [false, true])
    func slowPipe(nonblocking: Bool) async throws {
        let (bytes, ticks) = try await onLoopThread { loop in
            let ends = PipeEnds()
            if nonblocking { _ = fcntl(ends.writeEnd, F_SETFL, O_WRONLY | O_NONBLOCK) }
            let writer = FileWriter(loop, descriptor: ends.writeEnd)
            let sent = pattern(400_000)
            writer.write(Array(sent[..<150_000]))
            writer.write(Array(sent[150_000...])) { close(ends.writeEnd) }
            let reader = try PipeReader(loop, descriptor: ends.readEnd)
            let collector = Collector()
            reader.delegate = collector
            let ticks = Box(0)
            // The pipe holds 64 KiB: the writer has to wait while the loop counts on.
            let timer = LoopTimer(loop)
            timer.start(after: 1, repeating: 1) {
                ticks.value += 1
                if ticks.value == 20 {
                    timer.close()
                    reader.resume()
                }
            }
            return { (collector.bytes, ticks.value) }
        }
        #expect(bytes == pattern(400_000))
        #expect(ticks == 20)
    }
}
