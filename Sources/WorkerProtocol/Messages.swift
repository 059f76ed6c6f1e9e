// The JSON payloads of the control frames: configure, ready, failure, and the envelope of requests.
//
// A request's payload is one object: `method` beside its parameters. The reply's payload is the result.

import FoundationEssentials

/// The first frame a worker gets.
package struct Configure<Settings: Codable & Sendable>: Codable, Sendable {
    package var `protocol`: Int
    /// The leaf's path in the tree, as in `logs/streamers/web`.
    package var path: String
    /// Which start of this path it is, from 1.
    package var incarnation: Int
    /// What the worker is to be; one executable may serve several roles.
    package var role: WorkerRole
    package var settings: Settings

    package init(path: String, incarnation: Int, role: WorkerRole, settings: Settings) {
        self.protocol = WorkerLaunch.protocolVersion
        self.path = path
        self.incarnation = incarnation
        self.role = role
        self.settings = settings
    }
}

/// ``Configure`` without the role's settings, to find out which settings to expect.
package struct ConfigureHead: Codable, Sendable {
    package var `protocol`: Int
    package var path: String
    package var incarnation: Int
    package var role: WorkerRole
}

/// What a worker is.
package enum WorkerRole: String, Codable, Sendable, CaseIterable {
    case streamer
    case registry
    case table
    case appServer = "app_server"
    case store
    case console
    case fileSink = "file_sink"
    case sandbox
}

/// A worker's word that it can serve.
package struct Ready: Codable, Sendable {
    package var `protocol`: Int
    package var pid: Int32

    package init(pid: Int32) {
        self.protocol = WorkerLaunch.protocolVersion
        self.pid = pid
    }
}

/// The payload of a failure frame: why a request was not answered.
package struct Failure: Codable, Sendable, Error, Equatable, CustomStringConvertible {
    package var code: FailureCode
    /// One sentence for people; never holds a secret.
    package var message: String

    package init(_ code: FailureCode, _ message: String) {
        self.code = code
        self.message = message
    }

    package var description: String { message }
}

/// What kind of failure it was; open, because workers of other versions may know more.
package struct FailureCode: RawRepresentable, Codable, Hashable, Sendable {
    package var rawValue: String

    package init(rawValue: String) { self.rawValue = rawValue }

    /// Whoever should answer is not there now: ask again.
    package static let unavailable = FailureCode(rawValue: "unavailable")
    /// No answer came in time: ask again.
    package static let timeout = FailureCode(rawValue: "timeout")
    /// Another worker owns the key.
    package static let alreadyRegistered = FailureCode(rawValue: "already_registered")
    /// Every source of the token chain was tried and none gave a token.
    package static let noToken = FailureCode(rawValue: "no_token")
    /// The method is not known to whoever was asked.
    package static let unknownMethod = FailureCode(rawValue: "unknown_method")
    /// The parameters make no sense.
    package static let badRequest = FailureCode(rawValue: "bad_request")
    /// The one asked tried and could not.
    package static let failed = FailureCode(rawValue: "failed")
}

/// A request: its method's name, its parameters as stored properties, its reply's type.
package protocol WorkerRequest: Codable, Sendable {
    associatedtype Reply: Codable & Sendable
    static var method: String { get }
}

/// The reply to a request that has nothing to say but "done".
package struct Done: Codable, Sendable, Equatable {
    package init() {}
}

/// Who is asked, read without the rest.
package struct RequestHead: Codable, Sendable {
    package var method: String
    /// The app concerned, where there is one; the parent routes by it.
    package var appName: String?
    /// The key that a claim is for.
    package var key: String?

    package init(method: String, appName: String? = nil, key: String? = nil) {
        self.method = method
        self.appName = appName
        self.key = key
    }

    enum CodingKeys: String, CodingKey {
        case method
        case appName = "app_name"
        case key
    }
}

/// JSON as control frames carry it.
package enum MessageCoding {
    /// The payload of any message.
    package static func encode(_ message: some Encodable) throws -> [UInt8] {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        return [UInt8](try encoder.encode(message))
    }

    /// The payload of a request: its parameters and its method in one object.
    package static func encodeRequest(_ request: some WorkerRequest) throws -> [UInt8] {
        try encode(RequestEnvelope(request: request))
    }

    /// Reads a payload as a message.
    package static func decode<Message: Decodable>(_ type: Message.Type, from payload: [UInt8]) throws -> Message {
        try JSONDecoder().decode(type, from: Data(payload))
    }
}

private struct RequestEnvelope<Request: WorkerRequest>: Encodable {
    let request: Request

    func encode(to encoder: any Encoder) throws {
        try request.encode(to: encoder)
        var container = encoder.container(keyedBy: RequestHead.CodingKeys.self)
        try container.encode(Request.method, forKey: .method)
    }
}
