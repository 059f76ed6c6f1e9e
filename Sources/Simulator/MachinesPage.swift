// A page in the dialect `machines`: NDJSON, one entry a line, no ids and no token. An empty page is an empty body.

extension SimulatedApp {
    /// Renders the answer of `GET /v1/apps/{app}/logs`.
    ///
    /// - Parameter sequences: The numbers of the page's lines, oldest first.
    package func machinesPage(_ sequences: [Int]) -> [UInt8] {
        var bytes: [UInt8] = []
        bytes.reserveCapacity(sequences.count * 320)
        var text: [UInt8] = []
        for sequence in sequences {
            appendMachinesEntry(line(sequence), scratch: &text, to: &bytes)
        }
        return bytes
    }

    private func appendMachinesEntry(_ line: LogLine, scratch: inout [UInt8], to bytes: inout [UInt8]) {
        let machine = machines[line.machine]
        bytes.append(contentsOf: #"{"timestamp":""#.utf8)
        WireTime.append(line.timestamp, to: &bytes)
        bytes.append(contentsOf: #"","fly":{"app":{"instance":""#.utf8)
        bytes.append(contentsOf: machine.id.utf8)
        bytes.append(contentsOf: #"","name":""#.utf8)
        bytes.append(contentsOf: name.utf8)
        bytes.append(contentsOf: #""},"region":""#.utf8)
        bytes.append(contentsOf: machine.region.utf8)
        bytes.append(contentsOf: #""},"log":{"level":""#.utf8)
        bytes.append(contentsOf: line.level.rawValue.utf8)
        bytes.append(contentsOf: #""},"event":{"provider":""#.utf8)
        bytes.append(contentsOf: line.provider.rawValue.utf8)
        bytes.append(contentsOf: #""},"host":""#.utf8)
        bytes.append(contentsOf: machine.host.utf8)
        bytes.append(contentsOf: #"","message":""#.utf8)
        scratch.removeAll(keepingCapacity: true)
        line.appendMessage(to: &scratch)
        appendEscaped(scratch, to: &bytes)
        bytes.append(contentsOf: "\"}\n".utf8)
    }
}
