// What can go wrong with one request, and how an order says it.

/// What goes wrong with one request.
package enum Fault: Sendable, Equatable {
    /// Another status; `retryAfter`, where given, is the text of that header.
    case status(Int, retryAfter: String?)
    /// Another status, with so many seconds from now as a date in Retry-After.
    case statusUntil(Int, seconds: Int)
    /// Elsewhere; without a path the location gets the request's.
    case redirect(Int, location: String)
    /// 200 with a body that is not JSON.
    case notJSON
    /// A page of 64 MiB: one record with a huge message.
    case hugePage
    /// A page of so many bytes, compressed to less than a hundredth.
    case gzipBomb(Int)
    /// The connection is closed without an answer.
    case closed
    /// The connection is reset, after so many bytes of the body where a number is given, else without an answer.
    case reset(after: Int?)
    /// The body ends early, after so many bytes or half of it, and the connection is closed.
    case cut(after: Int?)
    /// The body comes at so many bytes a second.
    case slowBody(bytesPerSecond: Int)
    /// No answer, until the client gives up.
    case silence
    /// Nothing but the delay.
    case slow
}

extension Fault {
    /// What the counters call an answer that it spoilt; nil where it leaves the status as it is.
    package var outcome: String? {
        switch self {
        case .status(let status, _), .statusUntil(let status, _), .redirect(let status, _): "\(status)"
        case .notJSON, .hugePage, .gzipBomb: "200"
        case .closed: "closed"
        case .reset: "reset"
        case .cut: "cut"
        case .silence: "silence"
        case .slowBody, .slow: nil
        }
    }

    /// The names of all faults.
    package static let names = [
        "status", "redirect", "not_json", "huge_page", "gzip_bomb", "close", "reset", "cut", "slow_body", "silence",
        "slow",
    ]

    private static let allowedBytes = 0...(64 << 30)

    /// Reads the fault of an order.
    ///
    /// - Throws: `FaultOrderError` when a member is missing or out of its range.
    init(_ order: FaultOrder) throws(FaultOrderError) {
        if let bytes = order.bytes, !Self.allowedBytes.contains(bytes) {
            throw FaultOrderError(description: "bytes \(bytes): must be 0 to \(Self.allowedBytes.upperBound)")
        }
        switch order.fault {
        case "status": self = try Self.status(of: order)
        case "redirect": self = try Self.redirect(of: order)
        case "not_json": self = .notJSON
        case "huge_page": self = .hugePage
        case "gzip_bomb": self = .gzipBomb(order.bytes ?? 1 << 30)
        case "close": self = .closed
        case "reset": self = .reset(after: order.bytes)
        case "cut": self = .cut(after: order.bytes)
        case "slow_body":
            guard let speed = order.bytesPerSecond, speed > 0 else {
                throw FaultOrderError(description: "fault slow_body: needs bytes_per_second of at least 1")
            }
            self = .slowBody(bytesPerSecond: speed)
        case "silence": self = .silence
        case "slow":
            guard (order.delayMilliseconds ?? 0) > 0 else {
                throw FaultOrderError(description: "fault slow: needs a delay_ms")
            }
            self = .slow
        default:
            throw FaultOrderError(
                description: "fault \"\(order.fault)\": must be \(Self.names.joined(separator: ", ")), "
                    + "revoke_tokens or clear")
        }
    }

    private static func status(of order: FaultOrder) throws(FaultOrderError) -> Fault {
        guard let status = order.status, (200...599).contains(status) else {
            throw FaultOrderError(description: "fault status: needs a status of 200 to 599")
        }
        guard order.retryAfterIsDate == true else { return .status(status, retryAfter: order.retryAfter) }
        guard let seconds = order.retryAfter.flatMap({ Int($0) }), (0...86_400).contains(seconds) else {
            throw FaultOrderError(description: "retry_after_date: needs a retry_after of 0 to 86400 seconds")
        }
        return .statusUntil(status, seconds: seconds)
    }

    private static func redirect(of order: FaultOrder) throws(FaultOrderError) -> Fault {
        let status = order.status ?? 302
        guard [301, 302, 303, 307, 308].contains(status) else {
            throw FaultOrderError(description: "fault redirect: status \(status) is not one of redirection")
        }
        let isText = { (byte: UInt8) in byte > 0x20 && byte < 0x7F }
        guard let location = order.location, !location.isEmpty, location.utf8.allSatisfy(isText) else {
            throw FaultOrderError(description: "fault redirect: needs a location")
        }
        return .redirect(status, location: location)
    }
}
