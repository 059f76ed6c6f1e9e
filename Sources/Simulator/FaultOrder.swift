// An order for a fault, as a test sends it while the simulator runs.
//
// Only its shape is read here; whether it makes sense is decided where it is carried out.

/// Which requests a switch concerns.
package enum FaultEndpoint: String, Sendable, Codable {
    case logs, apps, any
}

/// An order to the simulator: the JSON of `POST /_sim/switch`.
package struct FaultOrder: Decodable, Sendable, Equatable {
    /// The app concerned; nil for all.
    package var app: String?
    /// One of `Fault.names`, `revoke_tokens` or `clear`.
    package var fault: String
    /// For `status` and `redirect`.
    package var status: Int?
    /// For `status`: the text of a Retry-After header.
    package var retryAfter: String?
    /// For `status`: whether `retryAfter`, a number of seconds, is sent as an HTTP date.
    package var retryAfterIsDate: Bool?
    /// Milliseconds before the answer; goes with any fault.
    package var delayMilliseconds: Int?
    /// How many requests are concerned; nil for all until `clear`.
    package var count: Int?
    /// The share of requests that are concerned; nil for each.
    package var share: Double?
    /// Which requests are concerned; nil is `logs`.
    package var endpoint: FaultEndpoint?
    /// For `redirect`: an URL; without a path it gets the request's.
    package var location: String?
    /// For `cut` and `reset`: how much of the body comes; for `gzip_bomb`: its size when inflated.
    package var bytes: Int?
    /// For `slow_body`.
    package var bytesPerSecond: Int?

    enum CodingKeys: String, CodingKey, CaseIterable {
        case app, fault, status, count, share, endpoint, location, bytes
        case retryAfter = "retry_after"
        case retryAfterIsDate = "retry_after_date"
        case delayMilliseconds = "delay_ms"
        case bytesPerSecond = "bytes_per_second"
    }

    /// Reads an order; `retry_after` may be a number of seconds or the header's text.
    package init(from decoder: any Decoder) throws {
        try refuseOtherMembers(than: CodingKeys.allCases.map(\.rawValue), in: decoder)
        let container = try decoder.container(keyedBy: CodingKeys.self)
        app = try container.decodeIfPresent(String.self, forKey: .app)
        fault = try container.decode(String.self, forKey: .fault)
        status = try container.decodeIfPresent(Int.self, forKey: .status)
        retryAfterIsDate = try container.decodeIfPresent(Bool.self, forKey: .retryAfterIsDate)
        delayMilliseconds = try container.decodeIfPresent(Int.self, forKey: .delayMilliseconds)
        count = try container.decodeIfPresent(Int.self, forKey: .count)
        share = try container.decodeIfPresent(Double.self, forKey: .share)
        endpoint = try container.decodeIfPresent(FaultEndpoint.self, forKey: .endpoint)
        location = try container.decodeIfPresent(String.self, forKey: .location)
        bytes = try container.decodeIfPresent(Int.self, forKey: .bytes)
        bytesPerSecond = try container.decodeIfPresent(Int.self, forKey: .bytesPerSecond)
        if let seconds = try? container.decodeIfPresent(Int.self, forKey: .retryAfter) {
            retryAfter = String(seconds)
        } else {
            retryAfter = try container.decodeIfPresent(String.self, forKey: .retryAfter)
        }
    }

    /// Makes an order.
    package init(
        app: String? = nil, fault: String, status: Int? = nil, retryAfter: String? = nil,
        delayMilliseconds: Int? = nil, count: Int? = nil, share: Double? = nil, endpoint: FaultEndpoint? = nil,
        location: String? = nil, bytes: Int? = nil, bytesPerSecond: Int? = nil
    ) {
        self.app = app
        self.fault = fault
        self.status = status
        self.retryAfter = retryAfter
        self.delayMilliseconds = delayMilliseconds
        self.count = count
        self.share = share
        self.endpoint = endpoint
        self.location = location
        self.bytes = bytes
        self.bytesPerSecond = bytesPerSecond
    }
}

/// Why an order makes no sense.
package struct FaultOrderError: Error, CustomStringConvertible, Equatable {
    /// One line, naming the member and what it may be.
    package let description: String
}
