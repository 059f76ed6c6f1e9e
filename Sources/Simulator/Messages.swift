// The texts of the lines, appended to a buffer as UTF-8.
//
// Each text ends with " at=MS seq=N": N is the line's number in its app, so that a verifier can count lost, repeated and
// out-of-order lines, and MS the Unix milliseconds at which it appeared in the log, so that it can tell the delay. Only an
// empty text has neither. Texts hold what breaks careless readers: quotes, back slashes, tabs, escapes, non-ASCII.

extension LogLine {
    /// Appends the line's text, which is one physical line.
    package func appendMessage(to bytes: inout [UInt8]) {
        if let oddMessage {
            appendOddMessage(oddMessage, to: &bytes)
            guard oddMessage != .empty else { return }
        } else {
            appendOrdinaryMessage(to: &bytes)
        }
        Self.append(" at=", Int(appearance / 1_000_000), "", to: &bytes)
        Self.append(" seq=", sequence, "", to: &bytes)
    }

    private func appendOrdinaryMessage(to bytes: inout [UInt8]) {
        var draw = Draw(variety)
        switch kind {
        case .request: Self.appendRequest(&draw, variety, to: &bytes)
        case .structured: appendStructured(&draw, to: &bytes)
        case .coloured: Self.append("\u{1B}[32mINFO\u{1B}[0m  cache refreshed in ", draw.below(90), "ms", to: &bytes)
        case .statement: Self.appendStatement(&draw, to: &bytes)
        case .traceLine(let position): Self.appendTraceLine(position, &draw, to: &bytes)
        case .proxyRequest: Self.appendRequest(&draw, variety, to: &bytes)
        case .proxyFault: bytes.append(contentsOf: Self.proxyFaults[draw.below(Self.proxyFaults.count)].utf8)
        case .healthCheck: appendHealthCheck(&draw, to: &bytes)
        case .machineChange: Self.appendMachineChange(&draw, to: &bytes)
        }
    }

    /// The request that a proxy line is about, which the platform repeats in the record's `meta`.
    var request: (method: String, path: String, status: Int) {
        var draw = Draw(variety)
        return Self.request(&draw)
    }

    private static let paths = [
        "/", "/api/orders", "/api/users/42", "/assets/app-5f1c.js", "/healthz", "/login", "/api/search?q=caf\u{E9}",
        "/api/carts/9/items", "/favicon.ico", "/metrics",
    ]
    private static let methods = ["GET", "GET", "GET", "GET", "POST", "PUT", "DELETE", "HEAD"]
    private static let statuses = [200, 200, 200, 200, 200, 200, 201, 204, 301, 304, 400, 401, 404, 404, 500, 503]

    private static let proxyFaults = [
        "[PC01] instance refused connection. is your app listening on 0.0.0.0:8080? make sure it is not only listening "
            + "on 127.0.0.1",
        "[PR04] could not find a good candidate within 20 attempts at load balancing",
        "[PM05] failed to connect to machine: gave up after 15 attempts (in 8.1s)",
        "[PU02] could not complete HTTP request to instance: connection closed before message completed",
    ]

    private static func request(_ draw: inout Draw) -> (method: String, path: String, status: Int) {
        (
            methods[draw.below(methods.count)], paths[draw.below(paths.count)],
            statuses[draw.below(statuses.count)]
        )
    }

    private static func appendRequest(_ draw: inout Draw, _ variety: UInt64, to bytes: inout [UInt8]) {
        let request = request(&draw)
        bytes.append(contentsOf: request.method.utf8)
        bytes.append(UInt8(ascii: " "))
        bytes.append(contentsOf: request.path.utf8)
        append(" ", request.status, "", to: &bytes)
        append(" ", draw.below(900), "ms", to: &bytes)
        append(" bytes=", draw.below(60_000), " request_id=", to: &bytes)
        appendHexadecimal(mixed(variety), digits: 12, to: &bytes)
    }

    private func appendStructured(_ draw: inout Draw, to bytes: inout [UInt8]) {
        let events = [
            "order placed", "payment \\\"captured\\\"", "mail queued", "stock low", "caf\u{E9} \u{2615} opened",
        ]
        let levels = ["info", "info", "info", "debug", "error"]
        bytes.append(contentsOf: #"{"level":""#.utf8)
        bytes.append(contentsOf: levels[draw.below(levels.count)].utf8)
        bytes.append(contentsOf: #"","msg":""#.utf8)
        bytes.append(contentsOf: events[draw.below(events.count)].utf8)
        Self.append(#"","order_id":"#, draw.below(100_000), "", to: &bytes)
        Self.append(#","took_ms":"#, draw.below(400), "}", to: &bytes)
    }

    private static func appendStatement(_ draw: inout Draw, to bytes: inout [UInt8]) {
        switch draw.below(4) {
        case 0: append("SELECT id FROM orders WHERE state = 'open'\tLIMIT ", draw.below(500), "", to: &bytes)
        case 1: append("ERROR upstream timed out, attempt ", draw.below(5), " of 5", to: &bytes)
        case 2: append("job import-", draw.below(9_000), " finished", to: &bytes)
        default: append(#"reading C:\data\inbox\"#, draw.below(9_000), ".csv", to: &bytes)
        }
    }

    private static func appendTraceLine(_ position: Int, _ draw: inout Draw, to bytes: inout [UInt8]) {
        guard position > 0 else {
            append("java.lang.IllegalStateException: order ", draw.below(100_000), " is \"locked\"", to: &bytes)
            return
        }
        let frames = ["OrderService.ship", "OrderController.post", "Router.dispatch", "Worker.run", "Pool$1.call"]
        bytes.append(contentsOf: "\tat com.example.".utf8)
        bytes.append(contentsOf: frames[draw.below(frames.count)].utf8)
        append("(Source.java:", draw.below(900) + 1, ")", to: &bytes)
    }

    private func appendHealthCheck(_ draw: inout Draw, to bytes: inout [UInt8]) {
        bytes.append(contentsOf: "Health check 'servicecheck-00-http-8080' on port 8080 ".utf8)
        guard level == .info else {
            Self.append("has failed. Your app is not responding properly, attempt ", draw.below(9) + 1, "", to: &bytes)
            return
        }
        Self.append("is now passing after ", draw.below(900), "ms", to: &bytes)
    }

    private static func appendMachineChange(_ draw: inout Draw, to bytes: inout [UInt8]) {
        switch draw.below(5) {
        case 0: append("Machine started in ", draw.below(2_000) + 200, "ms", to: &bytes)
        case 1: append("Sending signal SIGINT to main child process w/ PID ", draw.below(600) + 300, "", to: &bytes)
        case 2: append("Main child exited normally with code: ", draw.below(3), "", to: &bytes)
        case 3: append("machine exited with exit code ", draw.below(3), ", restarting", to: &bytes)
        default: append("Preparing to run: `/app/bin/server` as uid ", draw.below(1_000), "", to: &bytes)
        }
    }

    private static func append(_ before: String, _ number: Int, _ after: String, to bytes: inout [UInt8]) {
        bytes.append(contentsOf: before.utf8)
        appendDecimal(number, to: &bytes)
        bytes.append(contentsOf: after.utf8)
    }
}
