// One-way pipes: every byte, in order, at the reader's pace, and their ends.

import EventLoop
import Glibc
import Testing
import WorkerHarness

@Suite("PipeReader and PipeWriter") struct PipeTests {
    @Test("1 MiB arrives whole at a reader that pauses after every read, and the end after it")
    func slowReader() async throws {
        let (bytes, ends, mostQueued, progress) = try await onLoopThread { loop in
            let ends = PipeEnds()
            let writer = try PipeWriter(loop, descriptor: ends.writeEnd)
            let reader = try PipeReader(loop, descriptor: ends.readEnd)
            let collector = Collector(bufferBytes: 10_000)
            reader.delegate = collector
            collector.onRead = { reader in
                reader.pause()
                let timer = LoopTimer(loop)
                timer.start(after: 0) {
                    reader.resume()
                    timer.close()
                }
            }
            reader.resume()
            let sent = pattern(1 << 20)
            for start in stride(from: 0, to: sent.count, by: 100_000) {
                writer.write(Array(sent[start..<min(start + 100_000, sent.count)]))
            }
            let mostQueued = writer.queuedBytes
            let progress = Box<[Int]>([])
            writer.onProgress = {
                progress.value.append(writer.queuedBytes)
                if writer.queuedBytes == 0 { writer.close() }
            }
            return { (collector.bytes, collector.ends, mostQueued, progress.value) }
        }
        #expect(bytes == pattern(1 << 20))
        #expect(ends == [nil])
        #expect(mostQueued > 900_000)
        #expect(progress == progress.sorted(by: >))
        #expect(progress.last == 0)
    }

    @Test("a paused reader gets nothing, even what its pipe held already, until it goes on")
    func pause() async throws {
        let (readsWhilePaused, bytes) = try await onLoopThread { loop in
            let ends = PipeEnds()
            let writer = try PipeWriter(loop, descriptor: ends.writeEnd)
            let reader = try PipeReader(loop, descriptor: ends.readEnd)
            let collector = Collector(bufferBytes: 16)
            reader.delegate = collector
            let readsWhilePaused = Box(0)
            let timer = LoopTimer(loop)
            collector.onRead = { [unowned collector] in
                guard collector.reads == 1 else { return }
                $0.pause()
                timer.start(after: 20) {
                    readsWhilePaused.value = collector.reads
                    timer.close()
                    reader.pause()
                    reader.resume()
                    writer.close()
                }
            }
            reader.resume()
            reader.resume()
            writer.write(pattern(1000))
            return { (readsWhilePaused.value, collector.bytes) }
        }
        #expect(readsWhilePaused == 1)
        #expect(bytes == pattern(1000))
    }

    @Test("a reader closed within its own read hears nothing more")
    func closeWhileReading() async throws {
        let (reads, ends) = try await onLoopThread { loop in
            let ends = PipeEnds()
            let writer = try PipeWriter(loop, descriptor: ends.writeEnd)
            let reader = try PipeReader(loop, descriptor: ends.readEnd)
            let collector = Collector(bufferBytes: 16)
            reader.delegate = collector
            collector.onRead = { reader in
                reader.close()
                reader.close()
                reader.resume()
                reader.pause()
                writer.close()
            }
            reader.resume()
            writer.write(pattern(1000))
            return { (collector.reads, collector.ends.count) }
        }
        #expect(reads == 1)
        #expect(ends == 0)
    }

    @Test("a reader whose delegate is gone ends without harm")
    func delegateGone() async throws {
        try await onLoopThread { loop in
            let ends = PipeEnds()
            let writer = try PipeWriter(loop, descriptor: ends.writeEnd)
            let reader = try PipeReader(loop, descriptor: ends.readEnd)
            do {
                let collector = Collector()
                reader.delegate = collector
                reader.resume()
            }
            writer.write(pattern(10))
            let timer = LoopTimer(loop)
            timer.start(after: 10) {
                timer.close()
                reader.close()
                writer.close()
            }
            return {}
        }
    }

    @Test("a write to a pipe nobody reads is one error, no signal, and closes the pipe")
    func brokenPipe() async throws {
        let (errors, queued) = try await onLoopThread { loop in
            let ends = PipeEnds()
            close(ends.readEnd)
            let writer = try PipeWriter(loop, descriptor: ends.writeEnd)
            let errors = Box<[UVError]>([])
            let timer = LoopTimer(loop)
            writer.onError = { error in
                errors.value.append(error)
                writer.close()
                timer.close()
            }
            // A process that another test starts meanwhile holds the reading end until it has become its program.
            timer.start(after: 0, repeating: 1) {
                writer.write(pattern(10))
                writer.write(pattern(10))
            }
            return { (errors.value, writer.queuedBytes) }
        }
        #expect(errors.map(\.code) == [UVError.brokenPipe])
        #expect(errors.first?.isEndOfStream == true)
        #expect(queued == 0)
    }

    @Test("when the reader goes away under a queue, there is one error, and what was queued is let go")
    func brokenUnderQueue() async throws {
        let (errors, queuedBefore, queuedAfter, released) = try await onLoopThread { loop in
            let ends = PipeEnds()
            let writer = try PipeWriter(loop, descriptor: ends.writeEnd)
            let errors = Box<[UVError]>([])
            let queuedAfter = Box(-1)
            writer.onError = { error in
                errors.value.append(error)
                queuedAfter.value = writer.queuedBytes
            }
            let watched = WeakBox()
            do {
                let owner = Owner(pattern(300_000))
                watched.object = owner
                writer.write(owner.bytes, keeping: owner)
                writer.write(owner.bytes, keeping: owner)
            }
            let queuedBefore = (writer.queuedBytes, watched.object != nil)
            close(ends.readEnd)
            return { (errors.value, queuedBefore, queuedAfter.value, watched.object == nil) }
        }
        #expect(queuedBefore.0 > 500_000)
        #expect(queuedBefore.1, "the owner of queued bytes was let go too early")
        #expect(errors.map(\.code) == [UVError.brokenPipe])
        #expect(queuedAfter == 0)
        #expect(released)
    }

    @Test("closing a writer drops its queue without a word")
    func closeUnderQueue() async throws {
        let (words, received, released) = try await onLoopThread { loop in
            let ends = PipeEnds()
            let writer = try PipeWriter(loop, descriptor: ends.writeEnd)
            let words = Box(0)
            writer.onError = { _ in words.value += 1 }
            writer.onProgress = { words.value += 1 }
            let watched = WeakBox()
            do {
                let owner = Owner(pattern(300_000))
                watched.object = owner
                writer.write(owner.bytes, keeping: owner)
            }
            writer.close()
            let reader = try PipeReader(loop, descriptor: ends.readEnd)
            let collector = Collector()
            reader.delegate = collector
            reader.resume()
            return { (words.value, collector.bytes, watched.object == nil) }
        }
        #expect(words == 0)
        #expect(received == Array(pattern(300_000)[..<received.count]))
        #expect(!received.isEmpty)
        #expect(released)
    }

    @Test("a descriptor that is none is an error, and nothing is left open")
    func badDescriptor() async throws {
        let names = try await onLoopThread { loop in
            let errors = [
                uvError { _ = try PipeReader(loop, descriptor: 9999) },
                uvError { _ = try PipeWriter(loop, descriptor: 9999) },
            ]
            return { errors.map { $0?.name } }
        }
        #expect(names == ["EBADF", "EBADF"])
    }

    @Test("pipes, timers, signals, wake-ups and polls leave no descriptor")
    func noDescriptorLeft() async {
        await #expect(processExitsWith: .success) {
            try await expectNoDescriptorLeft { loop in
                let ends = PipeEnds()
                let writer = try PipeWriter(loop, descriptor: ends.writeEnd)
                let reader = try PipeReader(loop, descriptor: ends.readEnd)
                let collector = Collector()
                reader.delegate = collector
                reader.resume()
                writer.write(pattern(200_000))
                writer.onProgress = { writer.close() }
                let signal = try SignalWatcher(loop, signal: SIGUSR2) {}
                signal.close()
                try Wakeup<Int>(loop) { _ in }.close()
                let polled = PipeEnds()
                try DescriptorPoll(loop, descriptor: polled.readEnd).close()
                close(polled.readEnd)
                close(polled.writeEnd)
                // A reader does not keep its delegate.
                return { withExtendedLifetime(collector) {} }
            }
        }
    }
}

/// Bytes whose life a test watches.
private final class Owner {
    let bytes: UnsafeRawBufferPointer

    init(_ source: [UInt8]) {
        let copy = UnsafeMutableRawBufferPointer.allocate(byteCount: source.count, alignment: 1)
        copy.copyBytes(from: source)
        bytes = UnsafeRawBufferPointer(copy)
    }

    deinit { bytes.deallocate() }
}

private final class WeakBox {
    weak var object: Owner?
}
