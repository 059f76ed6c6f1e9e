// Disks that are full, limits that are reached, and what is done with rotated files.

import EventLoop
import Foundation
import Framing
import Glibc
import Testing
import WorkerProtocol

@testable import Sinks

/// Runs a program of the system and says what it wrote; nil when it failed.
@discardableResult
private func output(of program: String, _ arguments: [String]) -> Data? {
    let process = Process()
    process.executableURL = URL(filePath: "/usr/bin/env")
    process.arguments = [program] + arguments
    let pipe = Pipe()
    process.standardOutput = pipe
    process.standardError = FileHandle.nullDevice
    guard (try? process.run()) != nil else { return nil }
    let data = pipe.fileHandleForReading.readDataToEndOfFile()
    process.waitUntilExit()
    return process.terminationStatus == 0 ? data : nil
}

@Suite("FileSink in trouble")
struct FileSinkTroubleTests {
    private let folder = FileTestFolder()
    private let store = StoredSink()
    private static let line = String(repeating: "x", count: 999)

    /// Whether a file system of one's own can be had without being root.
    private static let canMount = output(of: "unshare", ["-rm", "mount", "-t", "tmpfs", "none", "/mnt"]) != nil

    private func expectStall(_ sink: FileSinkProcess, _ reason: String) throws {
        turn(sink.loop, until: { sink.errors.contains("lines wait") || sink.exit != nil })
        #expect(sink.errors.contains(reason))
        let before = sink.acknowledgements.count
        #expect(before < 20)
        for id in UInt32(1)...5 {
            try sink.send(.ping, id: id)
            turn(sink.loop, until: { sink.frames(.pong).last?.id == id })
        }
        #expect(sink.acknowledgements.count == before)
    }

    private func expectRecovery(_ sink: FileSinkProcess) throws {
        turn(sink.loop, until: { sink.acknowledgements.count == 20 || sink.exit != nil })
        #expect(sink.acknowledgements.map(\.batch) == Array(1...20))
        turn(sink.loop, until: { sink.errors.contains("lines go on") })
        #expect(sink.errors.filter(\.isNewline).count == 2)
        #expect(sink.acknowledgements.compactMap { FilePosition($0.position ?? "")?.offset }.last == 20_000)
    }

    @Test("a file that may not grow stalls the sink, which goes on by itself", arguments: [false, true])
    func sizeLimit(sync: Bool) throws {
        let loop = try Loop()
        let settings = FileSinkSettings(path: folder.at("app"), sync: sync)
        let sink = try FileSinkProcess(
            loop, store, settings, limits: ["/usr/bin/prlimit", "--fsize=7777:unlimited", "--"])
        try #require(sink.isReady, "\(sink.errors)")
        for batch in UInt64(1)...20 { sink.send(try entriesFrame(app: "web", batch: batch, [Self.line])) }
        try expectStall(sink, "file too large")
        #expect(try FileStatus.of(folder.at("app")).size == 7777)
        #expect(sink.acknowledgements.count == 7)
        #expect(output(of: "prlimit", ["--pid", "\(sink.pid)", "--fsize=unlimited:unlimited"]) != nil)
        try expectRecovery(sink)
        try sink.stop()
        #expect(folder.text("app") == String(repeating: Self.line + "\n", count: 20))
    }

    @Test("a full disk stalls the sink, which goes on when there is room", .enabled(if: canMount))
    func diskFull() throws {
        let loop = try Loop()
        let script = #"mount -t tmpfs -o size=32k none "$0" && head -c 20000 /dev/zero >"$0/filler"; exec "$@""#
        let sink = try FileSinkProcess(
            loop, store, FileSinkSettings(path: folder.at("app")),
            limits: ["/usr/bin/unshare", "-rm", "sh", "-c", script, folder.path])
        try #require(sink.isReady, "\(sink.errors)")
        for batch in UInt64(1)...20 { sink.send(try entriesFrame(app: "web", batch: batch, [Self.line])) }
        try expectStall(sink, "no space left on device")
        let inside = "/proc/\(sink.pid)/root\(folder.path)/"
        #expect(unlink(inside + "filler") == 0)
        try expectRecovery(sink)
        #expect(
            FileManager.default.contents(atPath: inside + "app")
                == Data(String(repeating: Self.line + "\n", count: 20).utf8))
        try sink.stop()
    }

    @Test("a sink that is stalled ends at a stop, and its successor writes the rest")
    func stopWhileStalled() throws {
        let loop = try Loop()
        let settings = FileSinkSettings(path: folder.at("app"))
        let sink = try FileSinkProcess(
            loop, store, settings, limits: ["/usr/bin/prlimit", "--fsize=7777:unlimited", "--"])
        for batch in UInt64(1)...20 { sink.send(try entriesFrame(app: "web", batch: batch, [Self.line])) }
        try expectStall(sink, "file too large")
        try sink.stop()
        store.position = sink.acknowledgements.last?.position
        let next = try FileSinkProcess(loop, store, settings)
        try next.write((8...20).map { _ in [Self.line] })
        try next.stop()
        #expect(folder.text("app") == String(repeating: Self.line + "\n", count: 20))
    }

    @Test("removing the file makes room: it is begun anew, with the batch that was half written")
    func removedWhileStalled() throws {
        let loop = try Loop()
        let sink = try FileSinkProcess(
            loop, store, FileSinkSettings(path: folder.at("app")),
            limits: ["/usr/bin/prlimit", "--fsize=7777:unlimited", "--"])
        for batch in UInt64(1)...10 { sink.send(try entriesFrame(app: "web", batch: batch, [Self.line])) }
        try expectStall(sink, "file too large")
        folder.remove("app")
        turn(loop, until: { sink.acknowledgements.count == 10 })
        try sink.stop()
        #expect(folder.text("app") == String(repeating: Self.line + "\n", count: 3))
    }

    @Test("a rotation that cannot be done is said once, and the file grows on")
    func rotationFails() throws {
        let loop = try Loop()
        let sink = try FileSinkProcess(loop, store, FileSinkSettings(path: folder.at("app"), rotateBytes: 5))
        try #require(getuid() != 0 || mkdir(folder.at(".app.new"), 0o700) == 0)
        if getuid() != 0 { chmod(folder.path, 0o500) }
        defer { chmod(folder.path, 0o700) }
        try sink.write((1...9).map { ["line \($0)"] })
        #expect(sink.errors.contains("was not rotated and grows on"))
        #expect(sink.errors.filter(\.isNewline).count == 1)
        try sink.stop()
        #expect(folder.text("app") == (1...9).map { "line \($0)\n" }.joined())
    }

    // MARK: rotated files

    private func packed(_ name: String, _ compression: FileCompression) -> String? {
        output(of: compression == .gzip ? "gzip" : "zstd", ["-dc", folder.at(name)])
            .map { String(decoding: $0, as: UTF8.self) }
    }

    @Test("rotated files are packed once their rotation is committed", arguments: [FileCompression.gzip, .zstd])
    func packs(_ compression: FileCompression) throws {
        let loop = try Loop()
        var settings = FileSinkSettings(path: folder.at("app"), rotateBytes: 600_000, compression: compression)
        let sink = try FileSinkProcess(loop, store, settings)
        let lines = { (batch: Int) in (0..<3000).map { "line \(batch) \($0) \(batch &* $0 &* 7919)" } }
        let text = { (batches: ClosedRange<Int>) in batches.flatMap(lines).map { $0 + "\n" }.joined() }
        let positions = try sink.write((1...30).map(lines))
        let last = try #require(positions.last.flatMap { FilePosition($0) })
        #expect(last.sequence == 4)
        // The store is asked, and names the second file: the first is safe, no other.
        store.position = positions.first { FilePosition($0)?.sequence == 2 }
        let first = "app.000001" + compression.suffix
        turn(loop, until: { folder.names.contains(first) && !folder.names.contains("app.000001") })
        #expect(folder.names == ["app", first, "app.000002", "app.000003"])
        sink.kill()
        // All is committed at the next start, which packs the rest at once, whatever a death left behind.
        store.position = last.description
        settings.position = nil
        folder.write("app.000002" + compression.suffix + ".tmp", "half")
        let next = try FileSinkProcess(loop, store, settings)
        let all = ["app"] + (1...3).map { "app.00000\($0)" + compression.suffix }
        turn(loop, until: { folder.names == all })
        try next.stop()
        let unpacked = all.dropFirst().compactMap { packed($0, compression) }.joined() + (folder.text("app") ?? "")
        #expect(unpacked == text(1...30))
        #expect(sink.errors + next.errors == "")
    }

    @Test("the oldest rotated files go when there are more than are to be kept, packed or not")
    func keeps() throws {
        let loop = try Loop()
        folder.write("app.000001", "1\n")
        folder.write("app.000002.gz", "2\n")
        folder.write("app.000003", "3\n")
        let sink = try FileSinkProcess(
            loop, store, FileSinkSettings(path: folder.at("app"), rotateBytes: 2, keep: 1))
        turn(loop, until: { folder.names == ["app", "app.000003"] || sink.exit != nil })
        let positions = try sink.write([["4"], ["5"], ["6"]])
        // The store knows a position in the fourth file: that one and the later ones stay, however many they are.
        turn(loop, until: { folder.names == ["app", "app.000004", "app.000005"] })
        store.position = positions.last
        turn(loop, until: { folder.names == ["app", "app.000005"] })
        try sink.stop()
        #expect(folder.everything() == "5\n6\n")
    }

    @Test("rotations that never pause do not put off what is to be removed")
    func keepsWhileBusy() throws {
        let loop = try Loop()
        let sink = try FileSinkProcess(
            loop, store, FileSinkSettings(path: folder.at("app"), rotateBytes: 2, keep: 1))
        let start = monotonicNanoseconds()
        var number = 0
        repeat {
            number += 1
            store.position = try sink.write([["\(number)"]]).last
        } while (number < 3 || folder.names.contains("app.000001")) && monotonicNanoseconds() - start < 20_000_000_000
        #expect(!folder.names.contains("app.000001"), "after \(number) rotations in 20 s")
        try sink.stop()
    }
}
