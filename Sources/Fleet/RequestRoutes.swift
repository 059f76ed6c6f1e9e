// Who may ask whom. Pure.
//
// The parent routes by the method's first word and by the asker's place in the tree. A worker that reads the internet
// may be taken over by what it reads: it can ask for its own app's cursor and token and for nothing else.

internal import WorkerProtocol

/// Where a request goes.
enum RequestRoute: Equatable {
    /// To the worker at this path.
    case worker(String)
    /// To the app's AppServer, which is started if there is none.
    case appServer(app: String)
    /// The parent answers itself.
    case parent
    /// To nobody.
    case refused(Failure)
}

/// The routes of a fleet.
enum RequestRoutes {
    /// What only a sink may ask, about itself.
    static let sinkMethods = [SinkPositionRequest.method, PlaceSinkRequest.method]

    /// The route of a request that the worker at `sender` sent.
    ///
    /// - Parameter ownsSink: whether it is a sink that asks about its own position.
    static func route(_ head: RequestHead, from sender: String, ownsSink: Bool = false) -> RequestRoute {
        let method = head.method
        let ownApp = head.appName == LeafPath.lastComponent(sender)
        let ownKey = head.key == LeafPath.lastComponent(sender)
        if sender.hasPrefix(LeafPath.streamers + "/") {
            switch method {
            case RegisterRequest.method where ownKey: return .worker(LeafPath.logRegistry)
            case CursorRequest.method where ownApp: return .worker(LeafPath.store)
            case TableGetRequest.method where ownApp: return .worker(LeafPath.tokenTable)
            case TokenResolveRequest.method where ownApp:
                return .appServer(app: LeafPath.lastComponent(sender))
            default: return refusal(method, sender)
            }
        }
        if sender.hasPrefix(LeafPath.appServers + "/") {
            switch method {
            case RegisterRequest.method where ownKey: return .worker(LeafPath.tokenRegistry)
            case TableGetRequest.method where ownApp, TablePutRequest.method where ownApp,
                TableForgetRequest.method where ownApp:
                return .worker(LeafPath.tokenTable)
            case StoredTokensRequest.method where ownApp, StoreTokenRequest.method where ownApp,
                ForgetTokenRequest.method where ownApp:
                return .worker(LeafPath.store)
            default: return refusal(method, sender)
            }
        }
        if sender.hasPrefix(LeafPath.sinks + "/"), ownsSink, sinkMethods.contains(method) {
            return .worker(LeafPath.store)
        }
        if sender == LeafPath.console, method == StopFleetRequest.method { return .parent }
        return refusal(method, sender)
    }

    private static func refusal(_ method: String, _ sender: String) -> RequestRoute {
        .refused(Failure(.unknownMethod, "\(sender) has no business asking for \(method)"))
    }
}
