// The ways into a loop from outside: other threads, signals, and descriptors others read.

import EventLoop
import Foundation
import Testing
import WorkerHarness

@Suite("Wakeup") struct WakeupTests {
    @Test("every message of several threads arrives, each thread's in its order")
    func severalThreads() async throws {
        let messages = try await onLoopThread { loop in
            let received = Box<[[Int]]>(Array(repeating: [], count: 4))
            let count = Box(0)
            let holder = Box<Wakeup<(Int, Int)>?>(nil)
            let wakeup = try Wakeup<(Int, Int)>(loop) { sender, number in
                received.value[sender].append(number)
                count.value += 1
                if count.value == 4 * 5000 { holder.value?.close() }
            }
            holder.value = wakeup
            for sender in 0..<4 {
                Thread { for number in 0..<5000 { wakeup.send((sender, number)) } }.start()
            }
            return {
                holder.value = nil
                return received.value
            }
        }
        #expect(messages == Array(repeating: Array(0..<5000), count: 4))
    }

    @Test("a message after close is dropped, from any thread")
    func afterClose() async throws {
        let count = try await onLoopThread { loop in
            let count = Box(0)
            let wakeup = try Wakeup<Int>(loop) { _ in count.value += 1 }
            wakeup.send(1)
            wakeup.close()
            wakeup.close()
            wakeup.send(2)
            return {
                wakeup.send(3)
                return count.value
            }
        }
        #expect(count == 0)
    }
}

@Suite("SignalWatcher") struct SignalWatcherTests {
    @Test("a signal is an event of the loop and does not end the process")
    func signal() async throws {
        let count = try await onLoopThread { loop in
            let count = Box(0)
            let holder = Box<SignalWatcher?>(nil)
            // Signals are not waited for; a timer holds the loop until one came.
            let hold = LoopTimer(loop)
            hold.start(after: 1_000_000) {}
            holder.value = try SignalWatcher(loop, signal: SIGUSR1) {
                count.value += 1
                holder.value?.close()
                holder.value?.close()
                holder.value = nil
                hold.close()
            }
            kill(getpid(), SIGUSR1)
            return { count.value }
        }
        #expect(count == 1)
    }

    @Test(
        "a signal that cannot be watched is an error, and nothing is left open", arguments: [SIGKILL, SIGSTOP, 0, 1000])
    func impossible(signal: Int32) async throws {
        let name = try await onLoopThread { loop in
            let error = uvError { _ = try SignalWatcher(loop, signal: signal) {} }
            return { error?.name }
        }
        #expect(name == "EINVAL")
    }
}

@Suite("DescriptorPoll") struct DescriptorPollTests {
    @Test("tells when a socket can be written, then when it can be read, and stops when closed")
    func readiness() async throws {
        let seen = try await onLoopThread { loop in
            var ends: [Int32] = [-1, -1]
            precondition(socketpair(AF_UNIX, Int32(SOCK_STREAM.rawValue), 0, &ends) == 0)
            let (near, far) = (ends[0], ends[1])
            let seen = Box<[String]>([])
            let poll = try DescriptorPoll(loop, descriptor: near)
            try poll.start(.writable) { result in
                if case .success(let events) = result, events.contains(.writable) { seen.value.append("writable") }
                try? poll.start(.readable) { result in
                    if case .success(let events) = result, events.contains(.readable) { seen.value.append("readable") }
                    poll.close()
                    poll.close()
                    poll.unreference()
                    close(near)
                    close(far)
                }
                _ = write(far, "x", 1)
            }
            return { seen.value }
        }
        #expect(seen == ["writable", "readable"])
    }

    @Test("a file cannot be watched and says so")
    func file() async throws {
        let name = try await onLoopThread { loop in
            let descriptor = open("/proc/self/exe", O_RDONLY | O_CLOEXEC)
            defer { close(descriptor) }
            let error = uvError { _ = try DescriptorPoll(loop, descriptor: descriptor) }
            return { error?.name }
        }
        #expect(name == "EPERM")
    }
}
