// What a Streamer asks of other workers, through the parent.

internal import EventLoop
internal import FlyAPI
internal import WorkerProtocol
internal import WorkerRuntime

extension StreamerService {
    /// Sends the question that `effect` stands for; the answer goes to the machine.
    func ask(_ effect: StreamerEffect) {
        switch effect {
        case .register: register()
        case .askCursor: askCursor()
        case .askTable: askTable()
        case .resolveToken(let rejected): resolveToken(rejected: rejected)
        default: preconditionFailure("\(effect) is no question")
        }
    }

    private func register() {
        let request = RegisterRequest(key: app.text, path: worker.path, incarnation: worker.incarnation)
        worker.request(request, timeoutMs: Self.registerTimeoutMs) { [unowned self] in
            perform(machine.registered($0))
        }
    }

    private func askCursor() {
        worker.request(CursorRequest(appName: app.text), timeoutMs: Self.cursorTimeoutMs) { [unowned self] answer in
            let loaded = load((try? answer.get())?.memory ?? [])
            perform(machine.cursorAnswered(answer, loaded: loaded, now: now))
        }
    }

    private func askTable() {
        worker.request(TableGetRequest(appName: app.text)) { [unowned self] in
            // A cache that cannot be asked is an empty one: the AppServer knows.
            let token = try? $0.get().token
            if let token { accept(token) }
            perform(machine.tableAnswered(hasToken: token != nil, now: now))
        }
    }

    private func resolveToken(rejected: Bool) {
        let request = TokenResolveRequest(appName: app.text, rejected: rejected ? fingerprint : nil)
        worker.request(request, timeoutMs: Self.resolveTimeoutMs) { [unowned self] in
            let answer = $0.flatMap { reply -> Result<Void, Failure> in
                guard let token = reply.token else { return .failure(Failure(.noToken, "there is none")) }
                accept(token)
                return .success(())
            }
            perform(machine.tokenResolved(answer, rejected: rejected, now: now))
        }
    }
}
