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
    /// `status`, `not_json`, `huge_page`, `close`, `slow`, `revoke_tokens` or `clear`.
    package var fault: String
    /// For `status`.
    package var status: Int?
    /// For `status`: the text of a Retry-After header.
    package var retryAfter: String?
    /// Milliseconds before the answer; goes with any fault.
    package var delayMilliseconds: Int?
    /// How many requests are concerned; nil for all until `clear`.
    package var count: Int?
    /// Which requests are concerned; nil is `logs`.
    package var endpoint: FaultEndpoint?

    enum CodingKeys: String, CodingKey {
        case app, fault, status, count, endpoint
        case retryAfter = "retry_after"
        case delayMilliseconds = "delay_ms"
    }

    /// Reads an order; `retry_after` may be a number of seconds or the header's text.
    package init(from decoder: any Decoder) throws {
        let container = try decoder.container(keyedBy: CodingKeys.self)
        app = try container.decodeIfPresent(String.self, forKey: .app)
        fault = try container.decode(String.self, forKey: .fault)
        status = try container.decodeIfPresent(Int.self, forKey: .status)
        delayMilliseconds = try container.decodeIfPresent(Int.self, forKey: .delayMilliseconds)
        count = try container.decodeIfPresent(Int.self, forKey: .count)
        endpoint = try container.decodeIfPresent(FaultEndpoint.self, forKey: .endpoint)
        if let seconds = try? container.decodeIfPresent(Int.self, forKey: .retryAfter) {
            retryAfter = String(seconds)
        } else {
            retryAfter = try container.decodeIfPresent(String.self, forKey: .retryAfter)
        }
    }

    /// Makes an order.
    package init(
        app: String? = nil, fault: String, status: Int? = nil, retryAfter: String? = nil,
        delayMilliseconds: Int? = nil, count: Int? = nil, endpoint: FaultEndpoint? = nil
    ) {
        self.app = app
        self.fault = fault
        self.status = status
        self.retryAfter = retryAfter
        self.delayMilliseconds = delayMilliseconds
        self.count = count
        self.endpoint = endpoint
    }
}

/// Why an order makes no sense.
package struct FaultOrderError: Error, CustomStringConvertible, Equatable {
    /// One line, naming the member and what it may be.
    package let description: String
}
