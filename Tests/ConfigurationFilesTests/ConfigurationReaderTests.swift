import ConfigurationModel
import Foundation
import Testing

@testable import ConfigurationFiles

@Suite("ConfigurationReader")
struct ConfigurationReaderTests {
    private let folder: TemporaryFolder

    init() throws { folder = try TemporaryFolder() }

    private func error(for contents: String) throws -> ConfigurationError? {
        let path = try folder.write("flyfleet.toml", contents)
        return #expect(throws: ConfigurationError.self) { try ConfigurationReader.read(path) }
    }

    /// What follows the file's name in the message.
    private func complaint(about contents: String) throws -> String {
        let error = try #require(try error(for: contents))
        #expect(error.code == .invalid)
        #expect(error.description.hasPrefix(folder.path + "/flyfleet.toml:"))
        return String(error.description.dropFirst(folder.path.count + "/flyfleet.toml:".count))
    }

    @Test("a token command without a program is refused", arguments: ["[]", "['', 'x']"])
    func emptyCommand(value: String) throws {
        #expect(
            try complaint(about: "token_command = \(value)")
                == #"1: token_command names no program: write token_command = ["fly", "tokens", "create"]"#)
    }

    @Test("every key is read, and survives the way through JSON")
    func everyKey() throws {
        let path = try folder.write(
            "flyfleet.toml",
            """
            apps = ["web", "api"]
            org = "acme"
            dialect = "platform"
            api_url = "https://api.fly.io"
            ca_file = "/etc/ca.pem"
            region = "iad"
            machine = "d896d7c609dd68"
            poll_interval = "2s"
            since = "10m"
            until = "1h"
            tail = 100
            no_follow = true
            provider = ["app", "proxy"]
            level = "error"
            include = ["a", "b"]
            exclude = "GET /health"
            overlap = "20s"
            sink = "file:/var/log/fleet.ndjson"
            rotate_size = "100MB"
            rotate_every = "24h"
            rotate_compress = "zstd"
            rotate_keep = 7
            sink_sync = false
            highlight = "error"
            merge_window = 500
            output = "json"
            events = "-"
            state_dir = "/var/lib/flyfleet"
            max_restarts = 20
            max_seconds = 60
            restart_backoff = "100ms..30s"
            heartbeat = "5s/15s"
            start_timeout = "10s"
            stop_grace = 5000
            token_command = ["fly", "tokens", "create"]
            """)
        let file = try ConfigurationReader.read(path)
        let json = try file.encode()
        let expected = [
            #"{"api_url":"https://api.fly.io","apps":["web","api"],"ca_file":"/etc/ca.pem","dialect":"platform""#,
            #""events":"-","exclude":["GET /health"],"heartbeat":"5s/15s","highlight":["error"],"include":["a","b"]"#,
            #""level":["error"],"machine":"d896d7c609dd68","max_restarts":20,"max_seconds":60,"merge_window":"500""#,
            #""no_follow":true,"org":"acme","output":"json","overlap":"20s","poll_interval":"2s""#,
            #""provider":["app","proxy"],"region":"iad","restart_backoff":"100ms..30s","rotate_compress":"zstd""#,
            #""rotate_every":"24h","rotate_keep":7,"rotate_size":"100MB","since":"10m""#,
            #""sink":["file:/var/log/fleet.ndjson"],"sink_sync":false,"start_timeout":"10s""#,
            #""state_dir":"/var/lib/flyfleet","stop_grace":"5000","tail":100"#,
            #""token_command":["fly","tokens","create"],"until":"1h"}"#,
        ].joined(separator: ",")
        #expect(String(decoding: json, as: UTF8.self) == expected)
        #expect(try ConfigurationFile.decode(json) == file)
    }

    @Test("a key that is not there is not in the result")
    func missingKeys() throws {
        let file = try ConfigurationReader.read(try folder.write("flyfleet.toml", "region = 'iad'\n"))
        #expect(String(decoding: try file.encode(), as: UTF8.self) == #"{"region":"iad"}"#)
        let empty = try ConfigurationReader.read(try folder.write("flyfleet.toml", "# nothing\n"))
        #expect(empty == ConfigurationFile())
    }

    @Test(
        "a key of the wrong type is named with its line and the remedy",
        arguments: [
            ("\napps = \"web\"", "2: apps must be a list of texts, not a text: write apps = [\"web\", \"api\"]"),
            (
                "apps = [\"web\", 1]",
                "1: apps must be a list of texts and holds a whole number: write apps = [\"web\", \"api\"]"
            ),
            ("org = 1.5", "1: org must be a text, not a number with a fraction: write it in quotes"),
            (
                "since = 2026-06-04T21:25:05Z",
                "1: since must be a duration, not a date with a time: write since = \"10m\""
            ),
            ("heartbeat = false", "1: heartbeat must be a text, not true or false: write it in quotes"),
            (
                "#\n\nmax_restarts = \"20\"",
                "3: max_restarts must be a whole number, not a text: write it without quotes"
            ),
            ("max_seconds = -1", "1: max_seconds must not be negative: write 0 or more"),
            ("[region]\na = 1", "1: region must be a text, not a table: write it in quotes"),
            (
                "token_command = [['fly']]",
                "1: token_command must be a list of texts and holds a list: write token_command = [\"fly\", \"tokens\", \"create\"]"
            ),
        ])
    func wrongTypes(contents: String, expected: String) throws {
        #expect(try complaint(about: contents) == expected)
    }

    @Test("an unknown key is named with its line, and with the right spelling where that is plain")
    func unknownKeys() throws {
        #expect(
            try complaint(about: "org = 'a'\npoll-interval = '2s'")
                == "2: poll-interval is not a key that flyfleet knows: write poll_interval")
        let message = try complaint(about: "\n[start]\napps = ['web']")
        #expect(
            message.hasPrefix("2: start is not a key that flyfleet knows: delete it, or use one of api_url, apps, "))
    }

    @Test("of several errors the first in the file is reported")
    func firstError() throws {
        #expect(try complaint(about: "zebra = 1\norg = 1").hasPrefix("1: zebra "))
        #expect(try complaint(about: "org = 1\nalpha = 1").hasPrefix("1: org "))
    }

    @Test(
        "what is no TOML is reported with its line",
        arguments: [("a = 1\nb = = 2", 2), ("a = \"x", 1), ("org = 'a'\norg = 'b'", 2), ("[", 1), ("\n\nx", 3)])
    func malformed(contents: String, line: Int) throws {
        let message = try complaint(about: contents)
        #expect(message.hasPrefix("\(line): it is not valid TOML: "))
        #expect(!message.unicodeScalars.contains { $0.value < 0x20 })
    }

    @Test("bytes that are not UTF-8, and NUL in any spelling, are refused with their line")
    func badBytes() throws {
        for (bytes, expected) in [
            (Array("org = 'a'\n".utf8) + [0xFF, 0x0A], "2: it is not UTF-8: save the file as UTF-8"),
            (Array("\n\norg = '".utf8) + [0, 0x27], "3: it holds a NUL character: delete it"),
            (Array(#"org = "a\u0000b""#.utf8), "1: it holds a NUL character: delete it"),
        ] {
            let path = try folder.write("flyfleet.toml", bytes: bytes)
            let error = #expect(throws: ConfigurationError.self) { try ConfigurationReader.read(path) }
            #expect(error?.description == "\(path):\(expected)")
        }
    }

    @Test("a file of 1 MiB is read, one byte more is refused")
    func sizeLimit() throws {
        let line = Array("org = 'a'\n#".utf8)
        for (size, isRead) in [(FileContents.limit, true), (FileContents.limit + 1, false)] {
            let path = try folder.write(
                "flyfleet.toml", bytes: line + [UInt8](repeating: UInt8(ascii: "x"), count: size - line.count))
            if isRead {
                #expect(try ConfigurationReader.read(path).org == "a")
            } else {
                let error = #expect(throws: ConfigurationError.self) { try ConfigurationReader.read(path) }
                #expect(error?.code == .invalid)
                #expect(error?.description == "\(path): it is over 1048576 bytes: name a TOML file that is smaller")
            }
        }
    }

    @Test("values nested without end are refused, not followed")
    func deepNesting() throws {
        _ = try complaint(about: "org = " + String(repeating: "[", count: 500_000))
        _ = try complaint(about: "org = " + String(repeating: "{a=", count: 100_000))
    }

    @Test("a file that is missing, a folder and a FIFO are told apart, and none is waited for")
    func noRegularFile() throws {
        let missing = #expect(throws: ConfigurationError.self) { try ConfigurationReader.read(folder.path + "/none") }
        #expect(missing?.code == .missing)
        #expect(missing?.description == "\(folder.path)/none: it does not exist: check the path")
        let fifo = folder.path + "/fifo"
        try #require(mkfifo(fifo, 0o600) == 0)
        for path in [folder.path, fifo] {
            let error = #expect(throws: ConfigurationError.self) { try ConfigurationReader.read(path) }
            #expect(error?.code == .invalid)
            #expect(error?.description == "\(path): it is not a regular file: name a TOML file")
        }
    }
}
