// The command line of flyfleet under chaos: limits so high that no group gives up by policy, quick restarts, a heartbeat
// that finds a stopped process within seconds.

/// Making the command line.
enum FleetArguments {
    /// Finds a stopped process within seconds.
    static let quickHeartbeat = "1s/4s"

    /// All but the heartbeat.
    static func make(_ plan: SoakPlan, binaries: String, folder: RunFolder) -> [String] {
        let token =
            "'\(binaries)/flysim' --seed \(plan.simulatorSeed) --fly '@\(folder.tokenCommandBehaviour)' "
            + "fly tokens create readonly personal -n soak -x 1h"
        var words = [
            "start", "--apps", plan.apps.joined(separator: ","), "--dialect", plan.dialect, "--api-url",
            "http://127.0.0.1:\(plan.port)", "--token-command", token, "--output", "json", "--state-dir", folder.state,
            "--events", folder.events, "--libexec", binaries, "--poll-interval", "500ms", "--max-restarts", "1000",
            "--max-seconds", "10", "--restart-backoff", "20ms..1s", "--stop-grace", "3s",
        ]
        words += ["--overlap", "\(plan.overlap)s", "--rotate-size", "\(plan.rotateBytes)"]
        if let seconds = plan.rotateSeconds { words += ["--rotate-every", "\(seconds)s"] }
        if plan.packing != .none { words += ["--rotate-compress", plan.packing.rawValue] }
        if plan.syncs { words.append("--sink-sync") }
        for number in 1...plan.sinkCount { words += ["--sink", "file:" + folder.sink(number)] }
        return words
    }
}
