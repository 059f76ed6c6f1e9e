// The command runner against real shell scripts in the place of `fly`.

import EventLoop
import Foundation
import Testing
import TokenService
import WorkerHarness

@Suite("CommandRun", .serialized) struct CommandRunTests {
    private let folder: TemporaryFolder

    init() throws {
        folder = try TemporaryFolder()
    }

    private typealias Outcome = Result<String, SkipReason>

    private func fly(_ script: String) throws -> String {
        try folder.write("fly", "#!/bin/sh\n" + script, executable: true)
    }

    /// Runs words to the outcome.
    private func run(
        _ words: [String], environment: [String: String] = ["PATH": "/usr/bin:/bin"], timeoutMs: Int64 = 20_000,
        everyMillisecond act: @escaping (CommandRun) -> Void = { _ in }
    ) throws -> Outcome {
        let loop = try Loop()
        var outcome: Outcome?
        let ticker = LoopTimer(loop)
        let launcher = try TestedWorker.builtProgram("flyfleet-tokens")
        let run = CommandRun(
            loop, launcher: launcher, words: words, environment: environment, timeoutMs: timeoutMs
        ) {
            outcome = $0
            ticker.close()
        }
        ticker.start(after: 1, repeating: 1) { [unowned run] in act(run) }
        loop.run()
        #expect(loop.isEmpty)
        return try #require(outcome)
    }

    /// The pid a script has written; nil while it has not.
    private func pid(_ name: String) -> Int32? {
        folder.read(name).flatMap { Int32(String(decoding: $0, as: UTF8.self).trimmingCharacters(in: .newlines)) }
    }

    /// Shell words that wait for a file of the script's own.
    private func wait(_ name: String) -> String { "until [ -s \(folder.path)/\(name) ]; do sleep 0.01; done" }

    @Test("the token is taken from stdout, whatever stderr says")
    func token() throws {
        let fly = try fly("echo 'Warning: fm2_noise' >&2; echo 'Update available'; echo 'FlyV1 fm2_a,fm2_b'; echo >&2")
        #expect(try run([fly, "tokens", "create"]) == .success("fm2_a,fm2_b"))
    }

    @Test("it finds the command in its PATH, gets its words one by one, its environment exactly, and an empty stdin")
    func surroundings() throws {
        _ = try fly(
            """
            { for word; do echo "[$word]"; done; env | sort; echo "read: $(cat)"; } > \(folder.path)/seen
            echo fm2_a
            """)
        let environment = ["PATH": "\(folder.path):/usr/bin:/bin", "HOME": "/nowhere", "FLYFLEET_PARENT_PID": "1"]
        #expect(try run(["fly", "a b", "", "$HOME"], environment: environment) == .success("fm2_a"))
        let seen = String(decoding: folder.read("seen") ?? [], as: UTF8.self)
        // What the shell itself adds is not the runner's.
        let added = ["PWD=", "SHLVL=", "_="]
        let lines = seen.split(separator: "\n").filter { line in !added.contains { line.hasPrefix($0) } }
        #expect(
            lines == [
                "[a b]", "[]", "[$HOME]", "HOME=/nowhere", "PATH=\(folder.path):/usr/bin:/bin", "read: ",
            ])
    }

    @Test(
        "a failure is told with the last line of stderr, without secrets",
        arguments: [
            ("echo fm2_a; echo 'Error: no access' >&2; exit 1", "fly ended with exit code 1: Error: no access"),
            ("echo first >&2; echo 'bad fm2_x' >&2; echo >&2; exit 3", "fly ended with exit code 3: bad [redacted]"),
            ("exit 2", "fly ended with exit code 2"), ("kill -SEGV $$", "fly was killed by signal 11"),
            ("echo 'all is well'; echo hint >&2", "fly printed no token: hint"), ("exit 0", "fly printed no token"),
            ("read answer || { echo 'no terminal' >&2; exit 1; }", "fly ended with exit code 1: no terminal"),
            ("head -c 100000 /dev/zero | tr '\\0' s >&2; exit 1", "fly ended with exit code 1"),
        ])
    func failing(script: String, reason: String) throws {
        #expect(try run([try fly(script)]) == .failure(SkipReason(reason)))
    }

    @Test("a command that is not there is named with the system's reason")
    func missing() throws {
        let reason = "no-such-fly ended with exit code 127: could not run no-such-fly: No such file or directory"
        #expect(try run(["no-such-fly"]) == .failure(SkipReason(reason)))
    }

    @Test("a launcher that is not there is a reason as well")
    func noLauncher() throws {
        let loop = try Loop()
        var outcome: Outcome?
        let run = CommandRun(
            loop, launcher: "/nonexistent/launcher", words: ["fly"], environment: [:], timeoutMs: 1000
        ) { outcome = $0 }
        loop.run()
        let reason = "fly was not run: could not start /nonexistent/launcher: no such file or directory (ENOENT)"
        #expect(outcome == .failure(SkipReason(reason)))
        withExtendedLifetime(run) {}
    }

    @Test(
        "64 KiB of output are read, more are refused and the command is killed",
        arguments: [(65_536, true), (65_537, false)])
    func output(bytes: Int, isRead: Bool) throws {
        // The last line is the token; the rest is chatter before it.
        let fly = try fly(
            """
            head -c \(bytes - 7) /dev/zero | tr '\\0' '\\n'; printf '\\nfm2_a\\n'
            [ \(bytes) = 65536 ] || exec sleep 600
            """)
        let expected: Outcome =
            isRead ? .success("fm2_a") : .failure(SkipReason("fly printed more than 65536 bytes and was killed"))
        #expect(try run([fly]) == expected)
    }

    @Test("an endless flood is refused")
    func flood() throws {
        let outcome = try run([try fly("exec yes fm2_a")])
        #expect(outcome == .failure(SkipReason("fly printed more than 65536 bytes and was killed")))
    }

    @Test("a command that hangs is killed at its time, with its grandchildren")
    func hanging() throws {
        let fly = try fly("sleep 600 & echo $! > \(folder.path)/grandchild; echo $$ > \(folder.path)/leader; wait")
        let outcome = try run([fly], timeoutMs: 2_000)
        #expect(outcome == .failure(SkipReason("fly did not end within 2000 ms and was killed")))
        for name in ["leader", "grandchild"] { #expect(ProcessWatch.ends(try #require(pid(name)))) }
    }

    @Test("a command that ignores SIGTERM is killed all the same")
    func stubborn() throws {
        let fly = try fly("trap '' TERM INT HUP; echo $$ > \(folder.path)/leader; while :; do sleep 1; done")
        #expect(
            try run([fly], timeoutMs: 2_000) == .failure(SkipReason("fly did not end within 2000 ms and was killed")))
        #expect(ProcessWatch.ends(try #require(pid("leader"))))
    }

    @Test("what a command leaves behind in its group is killed at its end, and does not hold up the outcome")
    func leftBehind() throws {
        let fly = try fly("sleep 600 & echo $! > \(folder.path)/grandchild; echo fm2_a")
        #expect(try run([fly]) == .success("fm2_a"))
        #expect(ProcessWatch.ends(try #require(pid("grandchild"))))
    }

    @Test("nothing of the session is left either when those between the command and it die with the command")
    func leftBehindInOtherGroups() throws {
        // Eight in the command's group, each with a job in a group of its own.
        let fly = try fly(
            """
            for n in 1 2 3 4 5 6 7 8; do
                bash -c 'set -m; sleep 600 & echo $! >> \(folder.path)/jobs; wait' &
            done
            until [ "$(cat \(folder.path)/jobs | wc -l)" = 8 ]; do sleep 0.01; done
            echo fm2_a
            """)
        for _ in 0..<10 {
            try folder.write("jobs", "")
            #expect(try run([fly]) == .success("fm2_a"))
            let jobs = String(decoding: try #require(folder.read("jobs")), as: UTF8.self)
                .split(separator: "\n").compactMap { Int32($0) }
            #expect(jobs.count == 8)
            for job in jobs {
                let isGone = ProcessWatch.ends(job, deadlineMs: 1000)
                #expect(isGone)
                if !isGone { kill(job, SIGKILL) }
            }
        }
    }

    @Test("what left the group and holds the pipes does not hold up the outcome either")
    func escaped() throws {
        let fly = try fly(
            "setsid sh -c 'echo $$ > \(folder.path)/escaped; exec sleep 600' & \(wait("escaped")); echo fm2_a")
        #expect(try run([fly]) == .success("fm2_a"))
        kill(try #require(pid("escaped")), SIGKILL)
    }

    @Test("a command dies with its launcher, whatever killed that")
    func launcherKilled() throws {
        let fly = try fly("echo $PPID > \(folder.path)/launcher; echo $$ > \(folder.path)/leader; exec sleep 600")
        var isKilled = false
        let outcome = try run(
            [fly],
            everyMillisecond: { _ in
                guard !isKilled, let launcher = pid("launcher"), pid("leader") != nil else { return }
                isKilled = true
                kill(launcher, SIGKILL)
            })
        #expect(outcome == .failure(SkipReason("fly was killed by signal 9")))
        #expect(ProcessWatch.ends(try #require(pid("leader"))))
    }

    @Test("a run that is cancelled ends with its whole group")
    func cancelled() throws {
        let fly = try fly("sleep 600 & echo $! > \(folder.path)/grandchild; wait")
        let outcome = try run([fly], everyMillisecond: { if pid("grandchild") != nil { $0.cancel() } })
        #expect(outcome == .failure(SkipReason("fly was ended before it was done")))
        #expect(ProcessWatch.ends(try #require(pid("grandchild"))))
    }
}
