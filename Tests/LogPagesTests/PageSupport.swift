// What the suites of this target share: the two sample pages of the API's description, and reading a page to text.
import FlyAPI
import Foundation
import LogPages

/// The documented page of the platform dialect.
let platformSample = #"""
    {"data":[{"id":"…","type":"…","attributes":{
       "timestamp":"2026-06-04T21:25:05.152Z","message":"one physical line","level":"info",
       "instance":"d896d7c609dd68","region":"iad",
       "meta":{"instance":"d896d7c609dd68","region":"iad","event":{"provider":"app"},
         "http":{"request":{"id":"","method":"","version":""},"response":{"status_code":0}},
         "error":{"code":0,"message":""},"url":{"full":""}}}}],
     "meta":{"next_token":"1780608313161890637"}}
    """#

/// The documented line of the machines dialect.
let machinesSample = #"""
    {"timestamp":"2024-01-01T00:00:00Z","fly":{"app":{"instance":"abc123","name":"myapp"},"region":"cdg"},"log":{"level":"info"},"event":{"provider":"app"},"host":"0ad1","message":"Hello world"}
    """#

/// A page as the reader saw it.
struct ReadPage {
    var lines: [String] = []
    var identities: [UInt64] = []
    var timestamps: [Int64?] = []
    var contents = PageContents()
}

/// Reads a page and writes every entry as a line of app "web".
func readPage(_ bytes: [UInt8], _ dialect: Dialect, with reader: PageReader? = nil) throws -> ReadPage {
    var page = ReadPage()
    let writer = EntryLineWriter(app: try AppName("web"))
    let reader = try reader ?? PageReader()
    page.contents = try bytes.withUnsafeBytes { raw in
        try reader.read(raw, dialect: dialect) { entry in
            var buffer = ByteBuffer()
            writer.append(entry, to: &buffer)
            page.lines.append(buffer.withUnsafeBytes { String(decoding: $0, as: UTF8.self) })
            page.identities.append(entry.identity.hash)
            page.timestamps.append(entry.timestamp)
        }
    }
    return page
}

func readPage(_ text: String, _ dialect: Dialect) throws -> ReadPage {
    try readPage(Array(text.utf8), dialect)
}

/// A platform page of one record with these attributes.
func platformPage(attributes: String) -> String {
    #"{"data":[{"id":"a","attributes":\#(attributes)}],"meta":{"next_token":"5"}}"#
}

/// Whether the line is what the product promises: one JSON object, every key, one line feed, at its end.
func isEntryLine(_ line: String) -> Bool {
    guard line.hasSuffix("\n"), line.utf8.filter({ $0 == 10 }).count == 1 else { return false }
    guard let object = try? JSONSerialization.jsonObject(with: Data(line.utf8)) as? [String: Any] else { return false }
    let keys: Set = [
        "type", "app_name", "timestamp", "level", "region", "instance", "provider", "id", "message", "meta",
    ]
    return Set(object.keys) == keys && object["meta"] is [String: Any]
}

/// A small generator with a fixed seed, so that a failing run can be repeated.
struct SplitMix64: RandomNumberGenerator {
    var state: UInt64
    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var mixed = state
        mixed = (mixed ^ (mixed >> 30)) &* 0xBF58_476D_1CE4_E5B9
        mixed = (mixed ^ (mixed >> 27)) &* 0x94D0_49BB_1331_11EB
        return mixed ^ (mixed >> 31)
    }
}
