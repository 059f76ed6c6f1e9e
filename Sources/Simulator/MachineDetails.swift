// One machine as `GET /v1/apps/{app}/machines` describes it, with the events of its life.
//
// Each machine was started at the epoch. The first machine of each app ran out of memory and was started again, so that
// a client has a crash to show.

/// A machine and its events, newest first, as the Machines API sends them.
struct MachineDetails: Encodable {
    struct Event: Encodable {
        let type: String
        let status: String
        let source: String
        /// Unix milliseconds.
        let timestamp: Int64
        var request: Request?
    }

    struct Request: Encodable {
        let exitEvent: ExitEvent
        let restartCount: Int
    }

    struct ExitEvent: Encodable {
        let exitCode: Int
        let guestExitCode: Int
        let guestSignal: Int
        let signal: Int
        let oomKilled: Bool
        let requestedStop: Bool
        let restarting: Bool
        let exitedAt: String
    }

    struct Configuration: Encodable {
        struct Metadata: Encodable {
            let flyProcessGroup: String
        }
        let metadata: Metadata
    }

    let id: String
    let name: String
    let state: String
    let region: String
    let instanceId: String
    let config: Configuration
    let events: [Event]

    init(app: SimulatedApp, number: Int, now: Int64) {
        let machine = app.machines[number]
        id = machine.id
        name = "\(app.name)-\(machine.host)"
        state = "started"
        region = machine.region
        instanceId = "01" + hexadecimal(mixed(app.key ^ UInt64(number)), digits: 16)
        config = Configuration(metadata: .init(flyProcessGroup: number == 2 ? "worker" : "app"))
        let start = app.epoch
        let life = number == 0 ? Self.crash(after: start) : []
        let all = life + [Event(type: "start", status: "started", source: "flyd", timestamp: Self.milliseconds(start))]
        events = all.filter { $0.timestamp <= Self.milliseconds(now) }
    }

    private static func crash(after start: Int64) -> [Event] {
        let exit = start + 30 * WireTime.second
        let exitEvent = ExitEvent(
            exitCode: 137, guestExitCode: 0, guestSignal: 9, signal: -1, oomKilled: true, requestedStop: false,
            restarting: true, exitedAt: WireTime.text(exit))
        return [
            Event(type: "start", status: "started", source: "flyd", timestamp: milliseconds(exit) + 1_200),
            Event(
                type: "exit", status: "stopped", source: "flyd", timestamp: milliseconds(exit),
                request: Request(exitEvent: exitEvent, restartCount: 1)),
        ]
    }

    private static func milliseconds(_ instant: Int64) -> Int64 { instant / 1_000_000 }
}
