import EventLoop
import Framing
import Glibc
import Testing
import WorkerProtocol

@testable import Sinks

@Suite("FileSink")
struct FileSinkTests {
    private let folder = FileTestFolder()
    private let store = StoredSink()
    private var path: String { folder.at("app") }

    private func sink(
        _ loop: Loop, position: String? = nil, rotateBytes: Int64? = nil, rotateMs: Int64? = nil,
        compression: FileCompression = .none, keep: Int? = nil, sync: Bool = false, path: String? = nil,
        limits: [String] = [], waits: Bool = true
    ) throws -> FileSinkProcess {
        let settings = FileSinkSettings(
            path: path ?? self.path, position: position, rotateBytes: rotateBytes, rotateMs: rotateMs,
            compression: compression, keep: keep, sync: sync)
        return try FileSinkProcess(loop, store, settings, limits: limits, waits: waits)
    }

    @Test(
        "it makes the file, writes batches as they are, and acknowledges each with its position",
        arguments: [false, true])
    func ordinaryLife(sync: Bool) throws {
        let loop = try Loop()
        let sink = try sink(loop, sync: sync)
        #expect(sink.isReady)
        let identity = try FileStatus.of(path)
        let created = identity.bornMs ?? FilePosition(store.position ?? "")?.identity.createdMs ?? 0
        let position = { (offset: Int) in "1:\(identity.inode):\(offset):\(created)" }
        #expect(store.position == position(0))
        let positions = try sink.write([["one", "two"], [], ["three"]])
        #expect(positions == [position(8), position(8), position(14)])
        #expect(folder.text("app") == "one\ntwo\nthree\n")
        try sink.send(.ping, id: 7)
        turn(loop, until: { sink.frames(.pong).last?.id == 7 })
        try sink.stop()
        #expect(sink.acknowledgements.map(\.batch) == [1, 2, 3])
        #expect(sink.errors == "")
        #expect(folder.names == ["app"])
        var status = stat()
        #expect(stat(path, &status) == 0 && status.st_mode & 0o777 == 0o600)
        finish(loop)
    }

    @Test("what is in hand at the stop is written and acknowledged before the goodbye")
    func stopWritesTheRest() throws {
        let loop = try Loop()
        let sink = try sink(loop)
        let line = String(repeating: "x", count: 99_999)
        for batch in UInt64(1)...50 { sink.send(try entriesFrame(app: "web", batch: batch, [line])) }
        try sink.stop()
        #expect(sink.acknowledgements.map(\.batch) == Array(1...50))
        #expect(try FileStatus.of(path).size == 5_000_000)
    }

    @Test("a batch whose last line has no end gets one")
    func missingLineFeed() throws {
        let loop = try Loop()
        let sink = try sink(loop)
        let head = EntriesHead(appName: "web", batch: 1, count: 1, cursor: "").encode()
        for _ in 0..<3 { try sink.send(.entries, payload: head + Array("torn".utf8)) }
        turn(loop, until: { sink.acknowledgements.count == 3 })
        try sink.stop()
        #expect(folder.text("app") == "torn\ntorn\ntorn\n")
    }

    @Test("what is not committed is cut off at the next start, and comes again")
    func cutBack() throws {
        let loop = try Loop()
        let first = try sink(loop)
        let positions = try first.write([["1"], ["2"], ["3"]])
        first.kill()
        store.position = positions[0]
        let second = try sink(loop)
        #expect(folder.text("app") == "1\n")
        try second.write([["2"], ["3"], ["4"]])
        try second.stop()
        #expect(folder.text("app") == "1\n2\n3\n4\n")
        #expect(second.errors == "")
        #expect(store.placed.count == 1)
    }

    @Test("a successor in the same parent's life goes on where its predecessor acknowledged")
    func successor() throws {
        let loop = try Loop()
        let first = try sink(loop)
        let positions = try first.write([["1"], ["2"]])
        first.kill()
        let second = try sink(loop, position: positions[1])
        try second.write([["3"]])
        try second.stop()
        #expect(folder.text("app") == "1\n2\n3\n")
    }

    @Test("a file that was there is gone on with, behind a line of its own")
    func existingFile() throws {
        let loop = try Loop()
        folder.write("app", "theirs, torn")
        let sink = try sink(loop)
        #expect(FilePosition(store.position ?? "")?.offset == 13)
        try sink.write([["ours"]])
        sink.kill()
        let again = try self.sink(loop)
        #expect(folder.text("app") == "theirs, torn\n")
        try again.stop()
    }

    @Test("a store that is not there is asked again, also where the first position is to be placed")
    func storeUnavailable() throws {
        let loop = try Loop()
        store.failures = 3
        let sink = try sink(loop)
        #expect(sink.isReady)
        #expect(store.placed.count == 1)
        try sink.stop()
    }

    @Test("it rotates by size between batches, and a batch may pass the limit")
    func rotatesBySize() throws {
        let loop = try Loop()
        let sink = try sink(loop, rotateBytes: 10)
        let positions = try sink.write((1...5).map { ["line \($0)"] })
        #expect(positions.compactMap { FilePosition($0) }.map(\.sequence) == [1, 1, 2, 2, 3])
        #expect(positions.compactMap { FilePosition($0) }.map(\.offset) == [7, 14, 7, 14, 7])
        try sink.stop()
        #expect(folder.names == ["app", "app.000001", "app.000002"])
        #expect(folder.text("app.000002") == "line 3\nline 4\n")
        #expect(folder.everything() == (1...5).map { "line \($0)\n" }.joined())
    }

    @Test("it rotates by age also when nothing comes, but no empty file")
    func rotatesByAge() throws {
        let loop = try Loop()
        let sink = try sink(loop, rotateMs: 1)
        try sink.write([["old"]])
        turn(loop, until: { folder.names == ["app", "app.000001"] && folder.text("app") == "" })
        try sink.write([["new"]])
        try sink.stop()
        #expect(folder.everything() == "old\nnew\n")
    }

    @Test("after a rotation and a death before its commit, later files go and the rotated one is cut")
    func rotationBeforeCommit() throws {
        let loop = try Loop()
        let first = try sink(loop, rotateBytes: 4)
        let positions = try first.write((1...7).map { ["\($0)"] })
        first.kill()
        #expect(folder.names == ["app", "app.000001", "app.000002", "app.000003"])
        store.position = positions[2]
        let second = try sink(loop, rotateBytes: 4)
        #expect(folder.everything() == "1\n2\n3\n")
        try second.write((4...7).map { ["\($0)"] })
        try second.stop()
        #expect(folder.everything() == (1...7).map { "\($0)\n" }.joined())
        #expect(second.errors == "")
    }

    @Test("a file that was removed is made anew, in one line, and nothing else is lost")
    func removedFile() throws {
        let loop = try Loop()
        let sink = try sink(loop)
        try sink.write([["1"]])
        folder.remove("app")
        let positions = try sink.write([["2"], ["3"]])
        #expect(folder.text("app") == "2\n3\n")
        #expect(FilePosition(positions[1])?.sequence == 2)
        #expect(sink.errors.contains("it was made anew"))
        #expect(sink.errors.filter(\.isNewline).count == 1)
        sink.kill()
        // Only "1" was committed: the rest comes again, although the file of "1" is gone.
        let again = try self.sink(loop)
        #expect(folder.text("app") == "")
        try again.write([["2"]])
        try again.stop()
        #expect(folder.text("app") == "2\n")
    }

    @Test("a file that was moved away is noticed without a batch, and a new one is begun")
    func movedFile() throws {
        let loop = try Loop()
        let sink = try sink(loop)
        try sink.write([["1"]])
        rename(path, folder.at("moved"))
        turn(loop, until: { sink.errors.contains("made anew") })
        try sink.write([["2"]])
        try sink.stop()
        #expect(folder.text("moved") == "1\n")
        #expect(folder.text("app") == "2\n")
    }

    @Test("a file that was cut by somebody is gone on with at its end")
    func truncatedFile() throws {
        let loop = try Loop()
        let sink = try sink(loop)
        try sink.write([["1"], ["2"]])
        truncate(path, 0)
        let positions = try sink.write([["3"]])
        #expect(FilePosition(positions[0])?.offset == 2)
        #expect(sink.errors.contains("lines go on at its end") || sink.errors.contains("made anew"))
        try sink.stop()
        #expect(folder.text("app") == "3\n")
    }

    @Test("a stranger's file is never cut: lines go on at its end")
    func foreignFile() throws {
        let loop = try Loop()
        let first = try sink(loop)
        let positions = try first.write([["1"]])
        first.kill()
        store.position = positions[0]
        folder.write("other", "theirs\n")
        rename(folder.at("other"), path)
        let second = try sink(loop)
        #expect(second.errors.contains("removed or replaced"))
        try second.write([["2"]])
        second.kill()
        let third = try sink(loop)
        #expect(folder.text("app") == "theirs\n")
        #expect(third.errors == "")
        try third.write([["2"]])
        try third.stop()
        #expect(folder.text("app") == "theirs\n2\n")
    }

    @Test("a sink that was left out of a run says so and cuts nothing")
    func leftOut() throws {
        let loop = try Loop()
        let first = try sink(loop)
        let positions = try first.write([["1"], ["2"]])
        first.kill()
        store.position = positions[0]
        store.missedCommits = true
        let second = try sink(loop)
        #expect(second.errors.contains("ran without this sink"))
        #expect(folder.text("app") == "1\n2\n")
        #expect(!store.missedCommits)
        try second.stop()
    }

    @Test("a symbolic link to a file is followed, and rotation happens beside that file")
    func symbolicLink() throws {
        let loop = try Loop()
        mkdir(folder.at("real"), 0o700)
        folder.write("real/log", "")
        symlink("real/log", path)
        let sink = try sink(loop, rotateBytes: 2)
        try sink.write([["1"], ["2"]])
        try sink.stop()
        #expect(folder.text("app") == "2\n")
        #expect(folder.text("real/log.000001") == "1\n")
    }

    enum BadPath: String, CaseIterable {
        case pipe, folder, device, danglingLink, noFolder, noFile
    }

    @Test("what cannot be a file sink is refused in one line", arguments: BadPath.allCases)
    func refused(_ bad: BadPath) throws {
        let loop = try Loop()
        var path = self.path
        var words = "is not a regular file"
        switch bad {
        case .pipe: mkfifo(path, 0o600)
        case .folder: mkdir(path, 0o700)
        case .device: path = "/dev/null"
        case .danglingLink:
            symlink(folder.at("nowhere"), path)
            words = "leads to no file"
        case .noFolder:
            path = folder.at("missing/app")
            words = "its folder does not exist"
        case .noFile:
            path = folder.path + "/"
            words = "cannot be a file sink"
        }
        let sink = try sink(loop, path: path)
        sink.end()
        #expect(sink.exit == .exited(code: WorkerExit.configuration))
        #expect(sink.errors.contains(words) && sink.errors.contains(path))
        #expect(sink.errors.filter(\.isNewline).count == 1)
    }

    @Test("a second sink waits for the first, and takes over when it dies")
    func secondWaits() throws {
        let loop = try Loop()
        let first = try sink(loop)
        let positions = try first.write([["1"]])
        store.position = positions[0]
        let second = try sink(loop, waits: false)
        for id in UInt32(1)...20 {
            try second.send(.ping, id: id)
            turn(loop, until: { second.frames(.pong).last?.id == id })
        }
        #expect(!second.isReady)
        first.kill()
        turn(loop, until: { second.isReady })
        try second.write([["2"]])
        try second.stop()
        #expect(folder.text("app") == "1\n2\n")
    }

    @Test("a second sink gives up with a reason when the first stays")
    func secondGivesUp() throws {
        let loop = try Loop()
        let first = try sink(loop)
        let second = try sink(loop)
        second.end()
        #expect(second.exit == .exited(code: WorkerExit.unavailable))
        #expect(second.errors.contains("is written by another flyfleet"))
        try first.stop()
    }

    @Test("a replay is the parent's breach of protocol", arguments: [FrameKind.replay, .entries])
    func breaches(_ kind: FrameKind) throws {
        let loop = try Loop()
        let sink = try sink(loop)
        try sink.send(kind, payload: [9, 1])
        sink.end()
        #expect(sink.exit == .exited(code: WorkerExit.protocolError))
        #expect(sink.errors.contains("the parent broke the protocol"))
    }
}
