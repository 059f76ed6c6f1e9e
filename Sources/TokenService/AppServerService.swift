// The AppServer of one app: carries out what its TokenChain decides.
//
// Invariant: this process serves only while the registry says that it owns the app; the loop waits for no disk and no
// command. Secrets go out in replies, to the table and to the store, and nowhere else.

internal import EventLoop
package import WorkerProtocol
package import WorkerRuntime

/// Serves `token.resolve` for one app.
package final class AppServerService: WorkerService {
    /// How long the table, the store and the registry may take to answer, in ms.
    private static let answerMs: Int64 = 3000
    /// The longest a refresh timer runs before it looks at the wall clock again, in ms: that clock may be set.
    private static let longestTimerMs: Int64 = 10 * 60 * 1000

    private let worker: Worker
    private let settings: AppServerSettings
    private let commandWords: [String]?
    private var chain: TokenChain
    private var callers: [UInt32: IncomingRequest] = [:]
    private var command: CommandRun?
    private let refreshTimer: LoopTimer
    private var isStopping = false

    package init(_ worker: Worker, _ settings: AppServerSettings) {
        self.worker = worker
        self.settings = settings
        commandWords = settings.tokenCommand.flatMap {
            TokenCommand.words($0, appName: settings.appName, organization: settings.organization)
        }
        chain = TokenChain(
            TokenChain.Sources(
                appName: settings.appName, environmentToken: settings.environmentToken,
                hasConfigFile: settings.configFile != nil, hasCommand: commandWords != nil))
        refreshTimer = LoopTimer(worker.loop)
    }

    package func start() {
        let claim = RegisterRequest(key: settings.appName, path: worker.path, incarnation: worker.incarnation)
        worker.requestPatiently(claim, timeoutMs: Self.answerMs) { [self] result in
            switch result {
            case .success:
                worker.ready()
            case .failure(let failure) where failure.code == .alreadyRegistered:
                worker.fail(WorkerExit.ignore, "not needed: \(failure)")
            case .failure(let failure):
                worker.fail(WorkerExit.unavailable, "could not register \(settings.appName): \(failure)")
            }
        }
    }

    package func stop() {
        isStopping = true
        refreshTimer.close()
        for id in callers.keys.sorted() {
            callers.removeValue(forKey: id)?.fail(Failure(.unavailable, "the AppServer is stopping: ask again"))
        }
        guard let command else { return worker.finish() }
        command.cancel()
    }

    package func handle(_ request: IncomingRequest) {
        let served = request.serve(TokenResolveRequest.self) { resolve in
            guard resolve.appName == settings.appName else {
                request.fail(Failure(.badRequest, "this is the AppServer of \(settings.appName)"))
                return
            }
            guard !isStopping else {
                request.fail(Failure(.unavailable, "the AppServer is stopping: ask again"))
                return
            }
            callers[request.id] = request
            take(.resolve(caller: request.id, rejected: resolve.rejected))
        }
        if !served { request.rejectUnknownMethod() }
    }

    private func take(_ input: TokenChain.Input) {
        guard !isStopping else { return }
        for action in chain.handle(input, nowMs: wallClockMilliseconds()) { carryOut(action) }
    }

    private func carryOut(_ action: TokenChain.Action) {
        let appName = settings.appName
        switch action {
        case .askTable:
            ask(TableGetRequest(appName: appName)) { .tableAnswered($0.map(\.token)) }
        case .askStorage:
            ask(StoredTokensRequest(appName: appName)) { .storageAnswered($0) }
        case .readConfigFile:
            readConfigFile()
        case .runCommand:
            runCommand()
        case .putTable(let token):
            tell(TablePutRequest(appName: appName, token: token), "put the token into the table")
        case .persist(let token):
            tell(StoreTokenRequest(appName: appName, slot: .cached, token: token), "keep the token in the store")
        case .forgetInTable(let fingerprint):
            tell(TableForgetRequest(appName: appName, fingerprint: fingerprint), "forget a token in the table")
        case .forgetInStorage(let fingerprint):
            tell(ForgetTokenRequest(appName: appName, fingerprint: fingerprint), "forget a token in the store")
        case .reply(let caller, let token):
            callers.removeValue(forKey: caller)?.reply(TokenReply(token: token))
        case .fail(let caller, let failure):
            callers.removeValue(forKey: caller)?.fail(failure)
        case .armRefresh(let atMs):
            armRefresh(atMs)
        case .disarmRefresh:
            refreshTimer.stop()
        case .log(let line):
            worker.log(line)
        }
    }

    private func ask<Request: WorkerRequest>(
        _ request: Request, _ input: @escaping (Result<Request.Reply, SkipReason>) -> TokenChain.Input
    ) {
        worker.requestPatiently(request, timeoutMs: Self.answerMs) { [self] result in
            let answer = result.mapError { SkipReason("it was not reachable (\(TokenText.redacted($0.message)))") }
            take(input(answer))
        }
    }

    /// Sends what the chain does not wait for; a failure is logged.
    private func tell(_ request: some WorkerRequest, _ what: String) {
        worker.requestPatiently(request, timeoutMs: Self.answerMs) { [self] result in
            guard case .failure(let failure) = result else { return }
            worker.log("could not \(what) for \(settings.appName): \(failure)")
        }
    }

    private func readConfigFile() {
        guard let path = settings.configFile else {
            return take(.configFileRead(.failure(SkipReason("there is none to read"))))
        }
        FileReader.read(worker.loop, path: path, limit: ConfigFile.maximumBytes) { [self] result in
            take(.configFileRead(Self.token(in: result, path: path)))
        }
    }

    private static func token(
        in content: Result<[UInt8], FileReadError>, path: String
    ) -> Result<String, SkipReason> {
        let bytes: [UInt8]
        switch content {
        case .success(let read): bytes = read
        case .failure(let error): return .failure(SkipReason("\(path): \(error)"))
        }
        do throws(ConfigFile.Failure) {
            return .success(try ConfigFile.accessToken(in: bytes))
        } catch {
            return .failure(SkipReason("\(path): \(error)"))
        }
    }

    private func runCommand() {
        guard let commandWords else {
            return take(.commandEnded(.failure(SkipReason("there is none to run"))))
        }
        command = CommandRun(
            worker.loop, words: commandWords, environment: settings.commandEnvironment,
            timeoutMs: settings.commandTimeoutMs
        ) { [self] result in
            command = nil
            if isStopping { worker.finish() }
            take(.commandEnded(result))
        }
    }

    private func armRefresh(_ atMs: Int64) {
        let delay = min(max(0, atMs - wallClockMilliseconds()), Self.longestTimerMs)
        refreshTimer.start(after: delay) { [unowned self] in take(.timeReached) }
    }
}
