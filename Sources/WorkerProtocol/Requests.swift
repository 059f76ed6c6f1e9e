// Every request a worker or the parent may send, by who answers it. The word before the dot names the answerer.
//
// What the store commits goes by a frame of its own, `commit`: identities are bytes.

package import FoundationEssentials

// MARK: registry

/// Claims a key for the asker.
///
/// Fails with `already_registered` while another path owns it.
package struct RegisterRequest: WorkerRequest, Equatable {
    package typealias Reply = Done
    package static let method = "registry.register"
    package var key: String
    package var path: String
    package var incarnation: Int

    package init(key: String, path: String, incarnation: Int) {
        self.key = key
        self.path = path
        self.incarnation = incarnation
    }
}

/// Tells the registry that a worker is gone and what it owned is free.
///
/// Sent by the parent.
package struct ReleaseRequest: WorkerRequest, Equatable {
    package typealias Reply = Done
    package static let method = "registry.release"
    package var path: String
    package var incarnation: Int

    package init(path: String, incarnation: Int) {
        self.path = path
        self.incarnation = incarnation
    }
}

/// Asks who owns a key.
package struct LookupRequest: WorkerRequest, Equatable {
    package struct Reply: Codable, Sendable, Equatable {
        package var path: String?
        package var incarnation: Int?

        package init(path: String?, incarnation: Int?) {
            self.path = path
            self.incarnation = incarnation
        }
    }
    package static let method = "registry.lookup"
    package var key: String

    package init(key: String) { self.key = key }
}

// MARK: table

/// Asks the shared cache for an app's token.
package struct TableGetRequest: WorkerRequest, Equatable {
    package typealias Reply = TokenReply
    package static let method = "table.get"
    package var appName: String

    package init(appName: String) { self.appName = appName }

    enum CodingKeys: String, CodingKey { case appName = "app_name" }
}

/// Puts a token into the shared cache.
package struct TablePutRequest: WorkerRequest, Equatable {
    package typealias Reply = Done
    package static let method = "table.put"
    package var appName: String
    package var token: Token

    package init(appName: String, token: Token) {
        self.appName = appName
        self.token = token
    }

    enum CodingKeys: String, CodingKey {
        case appName = "app_name"
        case token
    }
}

/// Takes a rejected token out of the shared cache; another token of the app stays.
package struct TableForgetRequest: WorkerRequest, Equatable {
    package typealias Reply = Done
    package static let method = "table.forget"
    package var appName: String
    package var fingerprint: String

    package init(appName: String, fingerprint: String) {
        self.appName = appName
        self.fingerprint = fingerprint
    }

    enum CodingKeys: String, CodingKey {
        case appName = "app_name"
        case fingerprint
    }
}

// MARK: AppServer

/// Asks the app's AppServer for a token, starting the AppServer if none runs.
///
/// Fails with `no_token`.
package struct TokenResolveRequest: WorkerRequest, Equatable {
    package typealias Reply = TokenReply
    package static let method = "token.resolve"
    package var appName: String
    /// The fingerprint of a token the API refused; it is forgotten everywhere before another is sought.
    package var rejected: String?

    package init(appName: String, rejected: String? = nil) {
        self.appName = appName
        self.rejected = rejected
    }

    enum CodingKeys: String, CodingKey {
        case appName = "app_name"
        case rejected
    }
}

// MARK: store

/// Asks where an app's stream goes on, and what its next entries may repeat.
package struct CursorRequest: WorkerRequest, Equatable {
    package struct Reply: Codable, Sendable, Equatable {
        /// The committed cursor; nil where nothing was ever committed.
        package var cursor: String?
        /// The identities of the entries committed last, oldest chunk first.
        package var memory: [MemoryChunk]?

        package init(cursor: String?, memory: [MemoryChunk]? = nil) {
            self.cursor = cursor
            self.memory = memory
        }
    }

    /// The identities of one committed batch.
    package struct MemoryChunk: Codable, Sendable, Equatable {
        package var number: UInt64
        /// Eight bytes each, big-endian, in base64.
        package var identities: Data

        package init(number: UInt64, identities: Data) {
            self.number = number
            self.identities = identities
        }
    }
    package static let method = "store.cursor"
    package var appName: String

    package init(appName: String) { self.appName = appName }

    enum CodingKeys: String, CodingKey { case appName = "app_name" }
}

/// Asks where a sink stood when it was last committed.
package struct SinkPositionRequest: WorkerRequest, Equatable {
    package struct Reply: Codable, Sendable, Equatable {
        /// The committed position; nil for a sink that never had one.
        package var position: String?
        /// Whether something was committed without this sink since then: it was left out of a fleet in between.
        package var missedCommits: Bool

        package init(position: String?, missedCommits: Bool = false) {
            self.position = position
            self.missedCommits = missedCommits
        }

        enum CodingKeys: String, CodingKey {
            case position
            case missedCommits = "missed_commits"
        }
    }
    package static let method = "store.sink_position"
    /// The sink's name: for a file its absolute path.
    package var sink: String

    package init(sink: String) { self.sink = sink }
}

/// Commits a sink's position by itself, before the sink takes its first batch.
package struct PlaceSinkRequest: WorkerRequest, Equatable {
    package typealias Reply = Done
    package static let method = "store.place_sink"
    package var sink: String
    package var position: String

    package init(sink: String, position: String) {
        self.sink = sink
        self.position = position
    }
}

/// Asks for what is stored of an app's tokens.
package struct StoredTokensRequest: WorkerRequest, Equatable {
    package struct Reply: Codable, Sendable, Equatable {
        /// The token acquired last, expired or not.
        package var cached: Token?
        /// The token somebody set by hand.
        package var manual: Token?

        package init(cached: Token?, manual: Token?) {
            self.cached = cached
            self.manual = manual
        }
    }
    package static let method = "store.tokens"
    package var appName: String

    package init(appName: String) { self.appName = appName }

    enum CodingKeys: String, CodingKey { case appName = "app_name" }
}

/// Keeps an acquired token, or one set by hand.
package struct StoreTokenRequest: WorkerRequest, Equatable {
    package enum Slot: String, Codable, Sendable {
        case cached, manual
    }
    package typealias Reply = Done
    package static let method = "store.put_token"
    package var appName: String
    package var slot: Slot
    package var token: Token

    package init(appName: String, slot: Slot, token: Token) {
        self.appName = appName
        self.slot = slot
        self.token = token
    }

    enum CodingKeys: String, CodingKey {
        case appName = "app_name"
        case slot, token
    }
}

/// Deletes an app's cached token if it has this fingerprint.
///
/// What was set by hand stays.
package struct ForgetTokenRequest: WorkerRequest, Equatable {
    package typealias Reply = Done
    package static let method = "store.forget_token"
    package var appName: String
    package var fingerprint: String

    package init(appName: String, fingerprint: String) {
        self.appName = appName
        self.fingerprint = fingerprint
    }

    enum CodingKeys: String, CodingKey {
        case appName = "app_name"
        case fingerprint
    }
}

// MARK: parent and sandbox

/// Asks the parent to stop the fleet in order, exit code 0: the reader of stdout went away.
package struct StopFleetRequest: WorkerRequest, Equatable {
    package typealias Reply = Done
    package static let method = "fleet.stop"
    package var reason: String

    package init(reason: String) { self.reason = reason }
}

/// Asks the sandbox where it listens.
package struct SandboxAddressRequest: WorkerRequest, Equatable {
    package struct Reply: Codable, Sendable, Equatable {
        package var url: String
        package var port: Int

        package init(url: String, port: Int) {
            self.url = url
            self.port = port
        }
    }
    package static let method = "sandbox.address"

    package init() {}
}
