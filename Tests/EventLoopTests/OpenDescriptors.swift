// What a test leaves open, and small things its closures need.

import EventLoop
import Foundation
import Testing
import WorkerHarness

/// Runs the same thing again and again until the descriptors open after it are those of the time before.
///
/// What leaks does so each time; what the runtime of an exit test opens for itself, it opens once.
func expectNoDescriptorLeft(_ setUp: @escaping @Sendable (Loop) throws -> () -> Void) async throws {
    var before: [String] = []
    for _ in 0..<6 {
        try await onLoopThread(setUp)
        let after = openDescriptors()
        if after == before { return }
        before = after
    }
    Issue.record("descriptors are left open each time: \(before)")
}

/// The descriptors of this process with what they refer to, without the one that reads the list.
func openDescriptors() -> [String] {
    let folder = "/proc/self/fd"
    let names = (try? FileManager.default.contentsOfDirectory(atPath: folder)) ?? []
    return names.compactMap { name in
        (try? FileManager.default.destinationOfSymbolicLink(atPath: "\(folder)/\(name)")).map { "\(name) \($0)" }
    }.filter { !$0.hasSuffix("/fd") }.sorted()
}

/// The error of libuv that `body` threw; nil when it threw none.
func uvError(_ body: () throws -> Void) -> UVError? {
    do {
        try body()
        return nil
    } catch {
        return error as? UVError
    }
}

/// Something a test's closures share on one thread.
final class Box<Value> {
    var value: Value
    init(_ value: Value) { self.value = value }
}
