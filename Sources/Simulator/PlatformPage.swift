// A page in the dialect `platform`: one JSON document with `data` and `meta.next_token`.
//
// The token is the newest record's instant in decimal nanoseconds. An id ends with the line's number in 16 hexadecimal
// digits: clients must not read it, but a verifier may, as an empty text has no number.

extension SimulatedApp {
    /// Renders the answer of `GET /api/v1/apps/{app}/logs`.
    ///
    /// - Parameters:
    ///   - sequences: The numbers of the page's lines, oldest first.
    ///   - rules: How the token is written.
    ///   - cursor: The token that was asked with; nil for none.
    package func platformPage(
        _ sequences: [Int], rules: PageRules = PageRules(), after cursor: Int64? = nil
    ) -> [UInt8] {
        var bytes: [UInt8] = []
        bytes.reserveCapacity(sequences.count * 560 + 64)
        var text: [UInt8] = []
        bytes.append(contentsOf: #"{"data":["#.utf8)
        var newest: Int64?
        for sequence in sequences {
            if newest != nil { bytes.append(UInt8(ascii: ",")) }
            let line = line(sequence)
            appendPlatformRecord(line, scratch: &text, to: &bytes)
            newest = max(newest ?? 0, line.timestamp)
        }
        bytes.append(contentsOf: #"],"meta":{"next_token":"#.utf8)
        appendToken(newest ?? (rules.emptyToken == .same ? cursor : nil), rules.tokenForm, to: &bytes)
        bytes.append(contentsOf: #"}}"#.utf8)
        return bytes
    }

    /// No token is the empty string in either form, as a number has no empty one.
    private func appendToken(_ token: Int64?, _ form: TokenForm, to bytes: inout [UInt8]) {
        if form == .string || token == nil { bytes.append(UInt8(ascii: "\"")) }
        if let token { appendDecimal(Int(token), to: &bytes) }
        if form == .string || token == nil { bytes.append(UInt8(ascii: "\"")) }
    }

    private func appendPlatformRecord(_ line: LogLine, scratch: inout [UInt8], to bytes: inout [UInt8]) {
        let machine = machines[line.machine]
        bytes.append(contentsOf: #"{"id":""#.utf8)
        appendIdentifier(of: line, to: &bytes)
        bytes.append(contentsOf: #"","type":"log","attributes":{"timestamp":""#.utf8)
        WireTime.append(line.timestamp, to: &bytes)
        bytes.append(contentsOf: #"","message":""#.utf8)
        scratch.removeAll(keepingCapacity: true)
        line.appendMessage(to: &scratch)
        appendEscaped(scratch, to: &bytes)
        bytes.append(contentsOf: #"","level":""#.utf8)
        bytes.append(contentsOf: line.level.rawValue.utf8)
        bytes.append(contentsOf: #"","instance":""#.utf8)
        bytes.append(contentsOf: machine.id.utf8)
        bytes.append(contentsOf: #"","region":""#.utf8)
        bytes.append(contentsOf: machine.region.utf8)
        bytes.append(contentsOf: #"","meta":{"instance":""#.utf8)
        bytes.append(contentsOf: machine.id.utf8)
        bytes.append(contentsOf: #"","region":""#.utf8)
        bytes.append(contentsOf: machine.region.utf8)
        bytes.append(contentsOf: #"","event":{"provider":""#.utf8)
        bytes.append(contentsOf: line.provider.rawValue.utf8)
        bytes.append(contentsOf: #""},"#.utf8)
        appendExchange(of: line, region: machine.region, to: &bytes)
        bytes.append(contentsOf: "}}}".utf8)
    }

    /// The platform sends these members for every line, with zeros where there was no HTTP exchange.
    private func appendExchange(of line: LogLine, region: String, to bytes: inout [UInt8]) {
        guard line.kind == .proxyRequest else {
            bytes.append(contentsOf: #""http":{"request":{"id":"","method":"","version":""},"#.utf8)
            bytes.append(contentsOf: #""response":{"status_code":0}},"#.utf8)
            bytes.append(contentsOf: #""error":{"code":0,"message":""},"url":{"full":""}"#.utf8)
            return
        }
        let request = line.request
        bytes.append(contentsOf: #""http":{"request":{"id":"01"#.utf8)
        appendHexadecimal(mixed(line.variety), digits: 12, to: &bytes)
        bytes.append(UInt8(ascii: "-"))
        bytes.append(contentsOf: region.utf8)
        bytes.append(contentsOf: #"","method":""#.utf8)
        bytes.append(contentsOf: request.method.utf8)
        bytes.append(contentsOf: #"","version":"HTTP/1.1"},"response":{"status_code":"#.utf8)
        appendDecimal(request.status, to: &bytes)
        bytes.append(contentsOf: #"}},"error":{"code":0,"message":""},"url":{"full":"https://"#.utf8)
        bytes.append(contentsOf: name.utf8)
        bytes.append(contentsOf: ".fly.dev".utf8)
        bytes.append(contentsOf: request.path.utf8)
        bytes.append(contentsOf: #""}"#.utf8)
    }

    func appendIdentifier(of line: LogLine, to bytes: inout [UInt8]) {
        appendHexadecimal(recordKey, digits: 8, to: &bytes)
        appendHexadecimal(UInt64(truncatingIfNeeded: line.sequence), digits: 16, to: &bytes)
    }
}
