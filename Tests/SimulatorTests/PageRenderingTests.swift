// Both dialects, read back with a JSON decoder and compared with the lines they were made from.

import FoundationEssentials
import Simulator
import Testing

@Suite struct PageRenderingTests {
    private let app = SimulatedApp(name: "web", settings: traffic())

    private struct PlatformPage: Decodable {
        struct Record: Decodable {
            let id: String
            let type: String
            let attributes: Attributes
        }
        struct Attributes: Decodable {
            let timestamp: String
            let message: String
            let level: String
            let instance: String
            let region: String
            let meta: Meta
        }
        struct Meta: Decodable {
            struct Event: Decodable { let provider: String }
            struct Exchange: Decodable {
                struct Answer: Decodable { let status_code: Int }
                let response: Answer
            }
            let instance: String
            let region: String
            let event: Event
            let http: Exchange
        }
        struct Cursor: Decodable { let next_token: String }
        let data: [Record]
        let meta: Cursor
    }

    private struct MachinesEntry: Decodable {
        struct Fly: Decodable {
            struct App: Decodable {
                let instance: String
                let name: String
            }
            let app: App
            let region: String
        }
        struct Log: Decodable { let level: String }
        struct Event: Decodable { let provider: String }
        let timestamp: String
        let fly: Fly
        let log: Log
        let event: Event
        let host: String
        let message: String
    }

    @Test("a platform page holds its lines and the last one's instant as token")
    func rendersPlatform() throws {
        let sequences = Array(1...3_000)
        let page = try JSONDecoder().decode(PlatformPage.self, from: Data(app.platformPage(sequences)))
        #expect(page.data.count == sequences.count)
        for (record, sequence) in zip(page.data, sequences) {
            let line = app.line(sequence)
            let machine = app.machines[line.machine]
            let attributes = record.attributes
            #expect(record.type == "log")
            #expect(attributes.message == message(of: line))
            #expect(WireTime.parse(attributes.timestamp) == line.timestamp)
            #expect(attributes.level == line.level.rawValue)
            #expect(attributes.instance == machine.id && attributes.meta.instance == machine.id)
            #expect(attributes.region == machine.region && attributes.meta.region == machine.region)
            #expect(attributes.meta.event.provider == line.provider.rawValue)
            #expect((attributes.meta.http.response.status_code > 0) == (line.kind == .proxyRequest))
        }
        #expect(page.meta.next_token == "\(app.timeline.timestamp(of: 3_000))")
    }

    @Test("no two records of any app share an id, and none with those of a log that began at another time")
    func identifies() throws {
        let logs = ["web", "api", "worker"].map { ($0, epoch) } + [("web", epoch + 1)]
        let ids = try logs.flatMap { name, epoch in
            var settings = traffic()
            settings.epoch = epoch
            let app = SimulatedApp(name: name, settings: settings)
            let bytes = app.platformPage(Array(1...2_000))
            return try JSONDecoder().decode(PlatformPage.self, from: Data(bytes)).data.map(\.id)
        }
        #expect(Set(ids).count == 8_000)
    }

    @Test("an empty platform page has the empty token")
    func rendersNothing() {
        #expect(String(decoding: app.platformPage([]), as: UTF8.self) == #"{"data":[],"meta":{"next_token":""}}"#)
        #expect(app.machinesPage([]).isEmpty)
    }

    @Test("a token is a string or a number, and that of an empty page may be the one asked with")
    func rendersTokens() {
        var rules = PageRules()
        rules.tokenForm = .number
        let token = app.timeline.timestamp(of: 1)
        let page = String(decoding: app.platformPage([1], rules: rules), as: UTF8.self)
        #expect(page.hasSuffix(#""meta":{"next_token":\#(token)}}"#))
        rules.emptyToken = .same
        let empty = String(decoding: app.platformPage([], rules: rules, after: 7), as: UTF8.self)
        #expect(empty == #"{"data":[],"meta":{"next_token":7}}"#)
        let first = String(decoding: app.platformPage([], rules: rules), as: UTF8.self)
        #expect(first == #"{"data":[],"meta":{"next_token":""}}"#)
    }

    @Test("a machines page holds one entry a line")
    func rendersMachines() throws {
        let sequences = Array(1...3_000)
        let rows = app.machinesPage(sequences).split(separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false)
        #expect(rows.count == sequences.count + 1)
        for (row, sequence) in zip(rows, sequences) {
            let entry = try JSONDecoder().decode(MachinesEntry.self, from: Data(row))
            let line = app.line(sequence)
            let machine = app.machines[line.machine]
            #expect(entry.message == message(of: line))
            #expect(WireTime.parse(entry.timestamp) == line.timestamp)
            #expect(entry.fly.app.name == "web" && entry.fly.app.instance == machine.id)
            #expect(entry.fly.region == machine.region && entry.host == machine.host)
            #expect(entry.log.level == line.level.rawValue && entry.event.provider == line.provider.rawValue)
        }
    }
}
