// The relay between pipes: what goes to whom, and when the store is told.

import EventLoop
import Framing
import Testing
import WorkerProtocol

@testable import Fleet

private let console = "sinks/console"
private let file = "sinks/file-1"

@Suite("LogRelay") struct RelayTests {
    @Test("a batch goes to every sink, then its Streamer may forget it, and with its identities it goes to the store")
    func wholeWay() throws {
        let stage = try RelayStage(files: 1)
        try stage.send("web", 1, cursor: "5..9", chunk: 4, identities: [7, 8])
        #expect(try stage.delivered(console) == ["web1"])
        #expect(try stage.delivered(file) == ["web1"])
        try stage.acknowledge(console, "web", 1)
        #expect(try stage.forgotten("web") == [])
        try stage.acknowledge(file, "web", 1, "1:2:3:4")
        #expect(try stage.forgotten("web") == [1])
        #expect(stage.commits.isEmpty, "others may share it")
        stage.run { !stage.commits.isEmpty }
        let chunk = CommitPayload.Chunk(
            number: 4, identities: [0, 0, 0, 0, 0, 0, 0, 7, 0, 0, 0, 0, 0, 0, 0, 8])
        #expect(
            stage.commits[0].payload
                == CommitPayload(
                    sinks: [.init(name: "/file1", position: "1:2:3:4")],
                    apps: [.init(name: "web", cursor: "5..9", firstKept: 1, chunks: [chunk])]))
        #expect(!stage.relay.ledger.isSettled("web") && stage.begun == [])
        stage.commits[0].answer(true)
        #expect(stage.relay.ledger.isSettled("web") && stage.relay.ledger.heldBytes == 0)
        #expect(try stage.forgotten("web") == [], "once is enough")
        #expect(stage.begun == ["web"])
        stage.end()
    }

    @Test("a commit begins at once when an app has much that is not committed, or when somebody waits for it")
    func atOnce() throws {
        let stage = try RelayStage()
        try stage.send("web", 1, bytes: BatchLimits.pressure)
        try stage.acknowledge(console, "web", 1)
        #expect(stage.commits.count == 1)
        try stage.send("api", 1)
        try stage.acknowledge(console, "api", 1)
        #expect(stage.commits.count == 1, "one at a time")
        var isSettled = false
        #expect(stage.relay.whenSettled("api") { isSettled = true })
        stage.commits[0].answer(true)
        #expect(stage.commits.count == 2 && !isSettled)
        stage.commits[1].answer(true)
        #expect(isSettled)
        stage.end()
    }

    @Test("a commit that failed is sent again with what came since, after a while or when the store is back")
    func retries() throws {
        let stage = try RelayStage()
        try stage.send("web", 1, cursor: "1", bytes: BatchLimits.pressure)
        try stage.acknowledge(console, "web", 1)
        try stage.send("web", 2, cursor: "2", bytes: BatchLimits.pressure)
        try stage.acknowledge(console, "web", 2)
        stage.commits[0].answer(false)
        #expect(stage.commits.count == 1, "not at once")
        stage.run { stage.commits.count == 2 }
        #expect(stage.commits[1].payload.apps.map(\.cursor) == ["2"])
        stage.commits[1].answer(false)
        stage.relay.storeIsReady()
        #expect(stage.commits.count == 3)
        stage.commits[2].answer(true)
        #expect(stage.relay.ledger.isEmpty)
        stage.end()
    }

    @Test("a store that is far behind stops the source: a Streamer gets no more receipts until it has caught up")
    func storeIsBehind() throws {
        let stage = try RelayStage()
        let count = UInt64(BatchLimits.lag / BatchLimits.pressure)
        for number in 1...(count + 2) {
            try stage.send("web", number, bytes: BatchLimits.pressure)
            try stage.acknowledge(console, "web", number)
        }
        // A frame is a little more than its lines.
        #expect(try stage.forgotten("web") == Array(1..<count))
        #expect(stage.commits.count == 1)
        stage.commits[0].answer(false)
        #expect(try stage.forgotten("web") == [])
        stage.relay.storeIsReady()
        stage.commits[1].answer(true)
        #expect(try stage.forgotten("web") == [count + 2])
        stage.end()
    }

    @Test("a store that is asked to stop is brought everything first, one commit after the other")
    func flushes() throws {
        let stage = try RelayStage()
        try stage.send("web", 1, bytes: BatchLimits.pressure)
        try stage.acknowledge(console, "web", 1)
        try stage.send("api", 1)
        try stage.acknowledge(console, "api", 1)
        var isFlushed = false
        stage.relay.flushToStore { isFlushed = true }
        #expect(stage.commits.count == 1 && !isFlushed)
        stage.commits[0].answer(true)
        #expect(stage.commits.count == 2 && !isFlushed)
        stage.commits[1].answer(true)
        #expect(isFlushed)
        stage.relay.flushToStore { isFlushed = false }
        #expect(!isFlushed, "with nothing to bring at once")
        stage.end()
    }

    @Test("a store that refuses the last commit is not asked for more")
    func flushFails() throws {
        let stage = try RelayStage()
        for app in ["web", "api"] {
            try stage.send(app, 1, bytes: BatchLimits.pressure)
            try stage.acknowledge(console, app, 1)
        }
        var isFlushed = false
        stage.relay.flushToStore { isFlushed = true }
        stage.commits[0].answer(false)
        #expect(isFlushed && stage.commits.count == 1)
        stage.end()
    }

    @Test(
        "a memory without its batch is a breach", arguments: ["another number", "a replay", "a memory", "another app"])
    func memoryWithoutBatch(what: String) throws {
        let stage = try RelayStage()
        let web = try #require(stage.workers["logs/streamers/web"])
        let memory = BatchMemory(
            appName: what == "another app" ? "api" : "web", batch: 1, chunk: 1, firstKept: 1, identities: [1])
        let frame = try Frame(kind: .memory, payload: memory.encode())
        if what != "another app" { try stage.relay.receive(frame, from: web) }
        #expect(throws: FrameError.self) {
            switch what {
            case "another number": try stage.send("web", 2)
            case "a replay": try stage.send("web", 1, kind: .replay)
            default: try stage.relay.receive(frame, from: web)
            }
        }
        #expect(stage.relay.ledger.isEmpty)
        stage.end()
    }

    @Test("the most identities of a batch are taken and no more", arguments: [0, 1])
    func mostIdentities(over: Int) throws {
        let stage = try RelayStage()
        let head = BatchMemory(appName: "web", batch: 1, chunk: 1, firstKept: 1, identities: []).encode()
        let identities = [UInt8](repeating: 1, count: BatchLimits.mostChunk + over * IdentityBytes.width)
        let frame = try Frame(kind: .memory, payload: head + identities)
        let web = try #require(stage.workers["logs/streamers/web"])
        if over == 0 {
            try stage.relay.receive(frame, from: web)
            try stage.send("web", 1)
            try stage.acknowledge(console, "web", 1)
            stage.run { stage.commits.count == 1 }
            #expect(stage.commits[0].payload.apps[0].chunks[0].identities == identities)
        } else {
            #expect(throws: FrameError.self) { try stage.relay.receive(frame, from: web) }
        }
        stage.end()
    }

    @Test("a sink that acknowledges out of turn, or keeps a position and does not say it, broke the protocol")
    func outOfTurn() throws {
        let stage = try RelayStage(files: 1)
        try stage.send("web", 1)
        try stage.acknowledge(console, "web", 2)
        try stage.acknowledge(file, "web", 1)
        #expect(stage.failed == [console, file])
        stage.end()
    }

    @Test("a sink's successor is told where it stood, and gets what it had not acknowledged")
    func successor() throws {
        let stage = try RelayStage(files: 1)
        for number in 1...3 as ClosedRange<UInt64> { try stage.send("web", number) }
        try stage.acknowledge(file, "web", 1, "p1")
        stage.stop(file)
        #expect(stage.relay.sinkIsGone(file))
        #expect(stage.relay.position(of: file) == "p1" && stage.relay.position(of: console) == nil)
        try stage.start(file, incarnation: 2)
        stage.relay.sinkIsReady(file)
        #expect(try stage.delivered(file) == ["web2", "web3"])
        stage.relay.place(file, at: "new")
        #expect(stage.relay.position(of: file) == "new")
        stage.end()
    }

    @Test("what is shown again goes to people alone, and its Streamer's successor goes on where it was")
    func replays() throws {
        let stage = try RelayStage(files: 1)
        try stage.send("web", 1, cursor: "5..1234", kind: .replay)
        #expect(try stage.delivered(console) == ["web1"])
        #expect(try stage.delivered(file) == [])
        #expect(stage.relay.replayTime(of: "logs/streamers/web") == 1234)
        #expect(stage.relay.replayTime(of: "logs/streamers/api") == nil)
        try stage.acknowledge(console, "web", 1)
        #expect(try stage.forgotten("web") == [1], "without the store")
        try stage.send("web", 2, count: 0)
        #expect(stage.relay.replayTime(of: "logs/streamers/web") == 1234, "only a place")
        try stage.send("web", 3, count: 2)
        #expect(stage.relay.replayTime(of: "logs/streamers/web") == nil)
        #expect(stage.commits.isEmpty)
        stage.end()
    }

    @Test("those who wait for an app are few, and are forgotten with its Streamer")
    func waiters() throws {
        let stage = try RelayStage()
        try stage.send("web", 1)
        var served = 0
        for _ in 0..<4 { #expect(stage.relay.whenSettled("web") { served += 1 }) }
        #expect(!stage.relay.whenSettled("web") { served += 100 })
        #expect(stage.relay.whenSettled("api") { served += 10 })
        #expect(served == 10, "nothing of it is on its way")
        let streamer = try #require(stage.workers["logs/streamers/web"])
        stage.relay.streamerIsGone(streamer)
        #expect(stage.relay.whenSettled("web") { served += 1_000 })
        try stage.acknowledge(console, "web", 1)
        stage.commits[0].answer(true)
        #expect(served == 1_010)
        stage.end()
    }

    @Test("a dead Streamer's batches are delivered and committed all the same, and nobody is told")
    func deadStreamer() throws {
        let stage = try RelayStage()
        try stage.send("web", 1)
        stage.stop("logs/streamers/web")
        try stage.start("logs/streamers/web", incarnation: 2)
        try stage.acknowledge(console, "web", 1)
        stage.run { stage.commits.count == 1 }
        stage.commits[0].answer(true)
        #expect(try stage.forgotten("web") == [])
        stage.end()
    }

    @Test("a console that looks on beside files holds nobody up, and is told what it missed")
    func liveConsole() throws {
        let stage = try RelayStage(files: 1, consoleIsLive: true)
        try stage.send("web", 1, bytes: LiveFeed.mostBytes)
        try stage.send("web", 2, count: 3)
        try stage.send("api", 1, count: 4)
        try stage.send("web", 3, count: 5)
        for (app, number) in [("web", 1), ("web", 2), ("api", 1), ("web", 3)] as [(String, UInt64)] {
            try stage.acknowledge(file, app, number, "p")
        }
        #expect(stage.commits.count == 1)
        var frames: [Frame] = []
        stage.run {
            frames += (try? stage.processes[console]?.receivedFrames()) ?? []
            return frames.count == 1
        }
        try stage.acknowledge(console, "web", 1)
        frames = try #require(stage.processes[console]).receivedFrames()
        let lines = try frames.map { frame in
            let (head, offset) = try EntriesHead.decode(frame.payloadBytes)
            #expect(head.batch == 0 && head.count == 1 && head.cursor == "" && frame.kind == .entries)
            return String(decoding: frame.payload[offset...], as: UTF8.self)
        }
        #expect(
            lines == [
                #"{"type":"missed","app_name":"web","lines":8}"# + "\n",
                #"{"type":"missed","app_name":"api","lines":4}"# + "\n",
            ])
        try stage.acknowledge(console, "web", 0)
        try stage.acknowledge(console, "api", 0)
        try stage.send("web", 4)
        #expect(try stage.delivered(console) == ["web4"] && stage.failed == [])
        stage.end()
    }

    @Test("when the reader of stdout is gone nothing is waited for", arguments: [false, true])
    func readerIsGone(live: Bool) throws {
        let stage = try RelayStage(files: 1, consoleIsLive: live)
        try stage.send("web", 1)
        try stage.send("web", 2)
        try stage.acknowledge(file, "web", 1, "p1")
        if !live { try stage.acknowledge(console, "web", 1) }
        stage.relay.readerIsGone()
        try stage.send("web", 3)
        stage.run { stage.commits.count == 1 }
        #expect(stage.commits[0].payload.sinks.map(\.position) == ["p1"])
        #expect(try stage.forgotten("web") == (live ? [1] : [1, 2, 3]))
        stage.commits[0].answer(true)
        #expect(stage.relay.ledger.isEmpty == !live, "files that keep go on")
        stage.end()
    }
}
