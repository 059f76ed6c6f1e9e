// Lines are a function of seed, app and number; their texts are single lines that end with the number.

import Simulator
import Testing

@Suite struct TrafficTests {
    private let app = SimulatedApp(name: "web", settings: traffic())

    @Test("two simulators with one seed serve the same bytes")
    func isDeterministic() {
        let other = SimulatedApp(name: "web", settings: traffic())
        let sequences = Array(1...500)
        #expect(app.platformPage(sequences) == other.platformPage(sequences))
        #expect(app.machinesPage(sequences) == other.machinesPage(sequences))
        #expect(app.machines == other.machines)
    }

    @Test("this line is what seed 1 always served: restarts of later builds must not change history")
    func keepsHistory() {
        let text = "HEAD / 204 314ms bytes=49910 request_id=ae380b442042 at=1780608305049 seq=1"
        #expect(message(of: app.line(1)) == text)
        #expect(app.machines[app.line(1).machine].id == "4d9b7ba37ac48b")
        #expect(app.line(1).timestamp == epoch + 49_849_422)
    }

    @Test("another seed or another app gives other lines")
    func varies() {
        let sequences = Array(1...100)
        let page = app.machinesPage(sequences)
        #expect(SimulatedApp(name: "web", settings: traffic(seed: 2)).machinesPage(sequences) != page)
        #expect(SimulatedApp(name: "api", settings: traffic()).machinesPage(sequences) != page)
    }

    @Test("every text is one physical line and ends with the line's number")
    func numbersItsLines() {
        for sequence in 1...5_000 {
            let text = message(of: app.line(sequence))
            let line = app.line(sequence)
            #expect(line.appearance == line.timestamp)
            #expect(text.hasSuffix(" at=\(line.timestamp / 1_000_000) seq=\(sequence)"))
            #expect(!text.contains { $0.isNewline })
        }
    }

    @Test("an odd text has its share, its line's number and nothing that ends a line", arguments: OddMessage.allCases)
    func writesOddTexts(kind: OddMessage) {
        var settings = traffic()
        settings.lines.oddShares = [kind: 0.25]
        settings.lines.longBytes = 5_000
        let app = SimulatedApp(name: "web", settings: settings)
        let lines = (1...2_000).map(app.line)
        let odd = lines.filter { $0.oddMessage == kind }
        #expect((400...600).contains(odd.count))
        for line in odd {
            var bytes: [UInt8] = []
            line.appendMessage(to: &bytes)
            #expect(!bytes.contains(0x0A) && !bytes.contains(0x0D))
            let number = Array(" at=\(line.timestamp / 1_000_000) seq=\(line.sequence)".utf8)
            switch kind {
            case .empty: #expect(bytes.isEmpty)
            case .long: #expect(bytes.count == 5_000 + number.count)
            case .ansi: #expect(bytes.contains(0x1B))
            case .control: #expect(bytes.contains(0) && bytes.contains(0x7F))
            case .invalid: #expect(String(validating: bytes, as: UTF8.self) == nil)
            }
            #expect(kind == .empty || bytes.suffix(number.count) == number[...])
        }
        let ordinary = SimulatedApp(name: "web", settings: traffic())
        for line in lines where line.oddMessage == nil {
            #expect(message(of: line) == message(of: ordinary.line(line.sequence)))
        }
    }

    @Test("the mix has all providers and levels, and the platform calls most of it info")
    func mixes() {
        let lines = (1...20_000).map(app.line)
        for provider in [LogProvider.app, .proxy, .runner] {
            #expect(lines.contains { $0.provider == provider })
        }
        for level in [LogLevel.info, .warn, .error, .debug] {
            #expect(lines.contains { $0.level == level })
        }
        let info = lines.count { $0.provider == .app && $0.level == .info }
        #expect(Double(info) > 0.9 * Double(lines.count { $0.provider == .app }))
    }

    @Test("a stack trace is consecutive lines of one machine, microseconds apart")
    func keepsTracesTogether() throws {
        let lines = (1...20_000).map(app.line)
        var traces = 0
        for (line, next) in zip(lines, lines.dropFirst()) {
            guard case .traceLine(let position) = next.kind else { continue }
            if position == 0 {
                traces += 1
            } else {
                #expect(line.kind == .traceLine(position - 1))
                #expect(line.machine == next.machine)
                #expect(next.timestamp - line.timestamp <= 20_000)
            }
        }
        #expect(traces > 20)
    }

    @Test("machines have ids of 14 hexadecimal digits in different regions", arguments: ["web", "api", "worker", "x"])
    func hasMachines(name: String) {
        let machines = SimulatedApp(name: name, settings: traffic()).machines
        #expect((2...4).contains(machines.count))
        #expect(Set(machines.map(\.region)).count == machines.count)
        #expect(Set(machines.map(\.id)).count == machines.count)
        #expect(machines.allSatisfy { $0.id.count == 14 && $0.id.allSatisfy(\.isHexDigit) })
    }
}
