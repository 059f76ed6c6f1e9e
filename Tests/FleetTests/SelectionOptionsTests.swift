import ConfigurationModel
import Testing
import WorkerProtocol

@testable import Fleet

@Suite("FleetOptions: what is read, and where it goes")
struct SelectionOptionsTests {
    private static let now: Int64 = 1_700_000_000_000_000_000

    private func options(_ flags: [OptionName: String], isTerminal: Bool = false) throws -> FleetOptions {
        var values = OptionValues()
        values.add(flag: .apps, "web")
        for (name, text) in flags { values.add(flag: name, text) }
        return try FleetOptions(
            values,
            OptionSurroundings(
                environment: ["HOME": "/home/me"], executableDirectory: "/opt/flyfleet", isTerminal: isTerminal,
                nowNs: Self.now, workingDirectory: "/here"))
    }

    @Test("by default everything is read for ever, and goes to stdout alone")
    func defaults() throws {
        let options = try options([:])
        #expect(options.fileSinks.isEmpty)
        #expect(options.filter.isEmpty)
        #expect(options.follow)
        #expect(!options.isFinite)
        #expect(options.overlapMs == 20_000)
        #expect(options.mergeWindowMs == 0, "a program that reads wants its lines at once")
        #expect(try self.options([:], isTerminal: true).mergeWindowMs == 500)
        #expect(options.tail == nil)
        #expect(options.untilNs == nil)
    }

    @Test(
        "a sink's path is absolute and has one spelling",
        arguments: [
            ("file:/var/log/a", "/var/log/a"), ("file:a", "/here/a"), ("file:./a//b", "/here/a/b"),
            ("file:../a", "/here/../a"), ("file:/a b:c", "/a b:c"),
        ])
    func sinkPaths(text: String, path: String) throws {
        #expect(try options([.sink: text]).fileSinks.map(\.path) == [path])
    }

    @Test("sinks may be several, and share what is said of rotation")
    func rotation() throws {
        let options = try options([
            .sink: "file:a\nfile:b", .rotateSize: "100MB", .rotateEvery: "24h", .rotateCompress: "zstd",
            .rotateKeep: "7", .sinkSync: "yes",
        ])
        let expected = FileSinkOptions(
            path: "/here/a", rotateBytes: 100_000_000, rotateMs: 86_400_000, compression: .zstd, keep: 7, sync: true)
        #expect(options.fileSinks.first == expected)
        #expect(options.fileSinks.map(\.path) == ["/here/a", "/here/b"])
    }

    @Test("sizes have a unit or are bytes", arguments: [("65536", 65_536), ("64KiB", 65_536), ("2GB", 2_000_000_000)])
    func sizes(text: String, bytes: Int64) throws {
        #expect(try options([.sink: "file:a", .rotateSize: text]).fileSinks.first?.rotateBytes == bytes)
    }

    @Test("the console may miss lines only on a terminal beside files", arguments: [true, false], [true, false])
    func liveConsole(isTerminal: Bool, hasFile: Bool) throws {
        let options = try options(hasFile ? [.sink: "file:a"] : [:], isTerminal: isTerminal)
        #expect(options.consoleIsLive == (isTerminal && hasFile))
    }

    @Test("until looks forward, or names a time")
    func until() throws {
        #expect(try options([.until: "10m"]).untilNs == Self.now + 600_000_000_000)
        #expect(try options([.until: "2026-06-04T21:25:05Z"]).untilNs == 1_780_608_305_000_000_000)
        #expect(try options([.until: "10m"]).isFinite)
        #expect(try options([.noFollow: "true"]).isFinite)
    }

    @Test("names are taken without their case, patterns one a line")
    func filters() throws {
        let filter = try options([.level: "Error,WARN", .provider: "app", .include: "a\nb", .exclude: "c"]).filter
        #expect(
            filter
                == LineFilterSettings(
                    levels: ["error", "warn"], providers: ["app"], include: ["a", "b"], exclude: ["c"]))
    }

    @Test(
        "what is wrong is named as it was given",
        arguments: [
            (OptionName.sink, "a.log", "--sink"), (.sink, "file:", "--sink"), (.sink, "file:a/", "--sink"),
            (.sink, "file:a\nfile:./a", "--sink"), (.rotateSize, "1KB", "--rotate-size"),
            (.rotateSize, "lots", "--rotate-size"), (.rotateEvery, "10ms", "--rotate-every"),
            (.rotateCompress, "rar", "--rotate-compress"), (.rotateKeep, "0", "--rotate-keep"),
            (.tail, "0", "--tail"), (.tail, "10001", "--tail"), (.until, "soon", "--until"),
            (.overlap, "11m", "--overlap"), (.mergeWindow, "1h", "--merge-window"), (.level, "a,,b", "--level"),
            (.provider, "a b", "--provider"), (.include, "", "--include"), (.exclude, "a\n", "--exclude"),
            (.sinkSync, "maybe", "--sink-sync"), (.noFollow, "x", "--no-follow"),
        ])
    func refusals(name: OptionName, text: String, flag: String) {
        #expect {
            try options([name: text])
        } throws: { error in
            guard let error = error as? OptionError else { return false }
            return error.exitCode == 64 && error.description.hasPrefix("\(flag): ")
                && error.description == OptionError.onOneLine(error.description)
        }
    }

    @Test("a beginning and an end must leave something between them, and one beginning is enough")
    func contradictions() {
        #expect(throws: OptionError.self) {
            try options([.since: "2026-06-04T21:25:05Z", .until: "2026-06-04T21:25:05Z"])
        }
        #expect(throws: OptionError.self) { try options([.since: "10m", .tail: "5"]) }
        #expect(throws: Never.self) { try options([.since: "10m", .until: "10m"]) }
    }

    @Test("the file gives lists, which are the flags' repetitions")
    func file() throws {
        var file = ConfigurationFile()
        file.apps = ["web"]
        file.sink = ["file:/a", "file:/b"]
        file.include = ["x", "y"]
        file.level = ["error", "warn"]
        file.noFollow = true
        file.tail = 5
        file.sinkSync = true
        var values = OptionValues()
        values.add(file, path: "fleet.toml")
        let options = try FleetOptions(
            values,
            OptionSurroundings(
                environment: ["HOME": "/h"], executableDirectory: "/x", isTerminal: false, nowNs: Self.now))
        #expect(options.fileSinks.map(\.path) == ["/a", "/b"])
        #expect(options.filter.include == ["x", "y"])
        #expect(options.filter.levels == ["error", "warn"])
        #expect(!options.follow)
        #expect(options.tail == 5)
        #expect(options.fileSinks.map(\.sync) == [true, true])
    }
}
