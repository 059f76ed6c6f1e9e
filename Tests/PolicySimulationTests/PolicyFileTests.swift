// What a file may say, and what the error says of one that may not: each is one line with its place and a remedy.

import Supervision
import Testing

@testable import PolicySimulation

@Suite("PolicyFile") struct PolicyFileTests {
    @Test("what is left out has OTP's defaults")
    func defaults() throws {
        let file = try PolicyFile(json: Array(#"{"supervisor":{"id":"top","children":[{"id":"a"}]}}"#.utf8))
        var supervisor = PolicySupervisor(id: "top")
        supervisor.children = [.worker(PolicyWorker(id: "a"))]
        #expect(file == PolicyFile(clock: .exact, supervisor: supervisor, beforeStart: [], script: []))
        #expect(
            supervisor.spec(clock: .exact)
                == SupervisorSpec(
                    strategy: .oneForOne, intensity: RestartIntensity(maxRestarts: 1, maxSeconds: 5),
                    autoShutdown: .never, children: [ChildSpec(id: "a")]))
    }

    @Test("every key is read")
    func everyKey() throws {
        let json = #"""
            {"clock":"otp","supervisor":{"id":"top","strategy":"rest_for_one","max_restarts":7,"max_seconds":8,
            "auto_shutdown":"all_significant","restart":"permanent","significant":false,"shutdown":"infinity","children":[
            {"id":"a","restart":"transient","significant":true,"shutdown":12,"start_ms":3,"stop_ms":null},
            {"id":"b","shutdown":"brutal_kill"},
            {"supervisor":{"id":"g","restart":"temporary","dynamic":true,"max_children":4,"children":[]}}]},
            "before_start":[{"fail_starts":"a"},{"ignore_starts":"b","times":2}],"script":[]}
            """#
        let file = try PolicyFile(json: Array(json.utf8))
        var supervisor = PolicySupervisor(id: "top", strategy: .restForOne, maxRestarts: 7, maxSeconds: 8)
        supervisor.autoShutdown = .allSignificant
        supervisor.shutdown = .infinity
        let timing = PolicyWorker.Timing(startMilliseconds: 3, stopMilliseconds: nil)
        let group = PolicySupervisor(id: "g", restart: .temporary, dynamic: true, maxChildren: 4)
        supervisor.children = [
            .worker(
                PolicyWorker(
                    id: "a", restart: .transient, significant: true, shutdown: .grace(milliseconds: 12), timing: timing)
            ),
            .worker(PolicyWorker(id: "b", shutdown: .brutalKill)), .supervisor(group),
        ]
        let starts: [PolicyEntry.Event] = [.nextStarts("a", .fails, times: 1), .nextStarts("b", .ignores, times: 2)]
        #expect(file == PolicyFile(clock: .wholeSeconds, supervisor: supervisor, beforeStart: starts, script: []))
    }

    @Test(
        "a bad file is refused with one line: where, what, and what to do", arguments: faults + treeFaults + nameFaults)
    func refused(_ json: String, _ words: String) {
        let error = #expect(throws: PolicyFileError.self) {
            _ = try PolicySimulator(PolicyFile(json: Array(json.utf8)))
        }
        #expect(error?.description == words)
    }

    /// A tree with these keys beside the root's id.
    static func tree(_ keys: String) -> String { #"{"supervisor":{"id":"top",\#(keys)}}"# }

    /// A tree of `a` and the supervisor `g` of `b`, with this script.
    static func script(_ entries: String) -> String {
        #"{"supervisor":{"id":"top","children":[{"id":"a"},{"supervisor":{"id":"g","children":[{"id":"b"}]}}]},"#
            + #""script":[\#(entries)]}"#
    }

    static let supervisorKeys =
        "id, strategy, max_restarts, max_seconds, auto_shutdown, restart, significant, shutdown, dynamic, "
        + "max_children, children"

    static let faults: [(String, String)] = [
        ("", "line 1, column 1: not JSON: it ends too early; mend the syntax"),
        ("{\n  \"supervisor\": {,}}", "line 2, column 18: not JSON: a key in quotes belongs here; mend the syntax"),
        (#"{"supervisor":{"id":"t"},}"#, "line 1, column 26: not JSON: a key in quotes belongs here; mend the syntax"),
        (
            #"{"supervisor":{"id":"t","\u0069d":"u"}}"#,
            "line 1, column 25: not JSON: this key is there twice; mend the syntax"
        ),
        ("\u{feff}{}", "line 1, column 1: a byte order mark; save the file as UTF-8 without one"),
        (
            String(repeating: "[", count: JSONSyntax.depth + 1),
            "line 1, column 257: nested more than 256 levels deep; flatten the tree"
        ),
        ("[]", "not what belongs here; write an object"),
        ("{}", #""supervisor" is missing; add it"#),
        (#"{"supervisor":{}}"#, #"supervisor: "id" is missing; add it"#),
        (#"{"supervisor":{"id":1}}"#, "supervisor.id: not what belongs here; write a text"),
        (#"{"supervisor":{"id":""}}"#, "supervisor.id: an id is empty; write one of 1 to 255 bytes"),
        (
            tree(#""children":[{"supervisor":{"id":"g","children":[{"id":""}]}}]"#),
            "supervisor.children[0].supervisor.children[0].id: an id is empty; write one of 1 to 255 bytes"
        ),
        (
            #"{"supervisor":{"id":"t"},"clok":1}"#,
            #"unknown key "clok"; use clock, supervisor, before_start, script"#
        ),
        (#"{"supervisor":{"id":"t"},"clock":"utc"}"#, #"clock: "utc" is unknown; use exact, otp"#),
        (tree(#""max_restart":1"#), #"supervisor: unknown key "max_restart"; use \#(supervisorKeys)"#),
        (
            tree(#""max_restarts":1.5"#),
            "supervisor.max_restarts: not what belongs here; write a whole number from 0 to 1000000"
        ),
        (
            tree(#""max_restarts":99999999999999999999"#),
            "supervisor.max_restarts: not what belongs here; write a whole number from 0 to 1000000"
        ),
        (
            tree(#""max_seconds":"1""#),
            "supervisor.max_seconds: not what belongs here; write a whole number from 1 to 31536000"
        ),
        (
            tree(#""dynamic":true,"max_children":99999999999999999999"#),
            "supervisor.max_children: not what belongs here; write a whole number from 0 to 100000"
        ),
        (
            tree(#""shutdown":99999999999999999999"#),
            "supervisor.shutdown: not what belongs here; write brutal_kill, infinity or 0 to 86400000 milliseconds"
        ),
        (tree(#""children":{}"#), "supervisor.children: not what belongs here; write an array"),
        (tree(#""children":null"#), "supervisor.children: not what belongs here; write an array"),
        (tree(#""children":[7]"#), "supervisor.children[0]: not what belongs here; write an object"),
        (tree(#""dynamic":0"#), "supervisor.dynamic: not what belongs here; write true or false"),
        (
            tree(#""strategy":"one_for_two""#),
            #"supervisor.strategy: "one_for_two" is unknown; use one_for_one, one_for_all, rest_for_one"#
        ),
        (
            tree(#""shutdown":1.5"#),
            "supervisor.shutdown: not what belongs here; write brutal_kill, infinity or 0 to 86400000 milliseconds"
        ),
        (
            tree(#""shutdown":"kill""#),
            #"supervisor.shutdown: "kill" is unknown; use brutal_kill, infinity, 0 to 86400000 milliseconds"#
        ),
        (
            tree(#""children":[{"id":"a","pid":1}]"#),
            #"supervisor.children[0]: unknown key "pid"; use id, restart, significant, shutdown, stop_ms, start_ms"#
        ),
        (
            tree(#""children":[{"supervisor":{"id":"g"},"id":"a"}]"#),
            #"supervisor.children[0]: unknown key "id"; use supervisor"#
        ),
        (
            tree(#""children":[{"supervisor":{"id":"g","children":[{"id":"a","restart":"never"}]}}]"#),
            #"supervisor.children[0].supervisor.children[0].restart: "never" is unknown; "#
                + "use permanent, transient, temporary"
        ),
        (
            tree(#""children":[{"id":"a","stop_ms":-1}]"#),
            "supervisor.children[0].stop_ms: -1 is out of range; use 0 to 86400000"
        ),
        (
            tree(#""children":[{"id":"a","start_ms":null}]"#),
            "supervisor.children[0].start_ms: not what belongs here; write a whole number from 0 to 86400000"
        ),
        (script(#"{"exit":"a"}"#), #"script[0]: "at_ms" is missing; add it"#),
        (script(#"{"at_ms":-1,"exit":"a"}"#), "script[0].at_ms: -1 is out of range; use 0 to 315576000000"),
        (
            script(#"{"at_ms":99999999999999999999,"exit":"a"}"#),
            "script[0].at_ms: not what belongs here; write a whole number from 0 to 315576000000"
        ),
        (
            script(#"{"at_ms":5,"exit":"a"},{"at_ms":4,"exit":"a"}"#),
            "script[1]: at_ms 4 comes after 5; sort the script by at_ms"
        ),
        (
            script(#"{"at_ms":5}"#),
            "script[0]: nothing happens; name one of exit, fail_starts, ignore_starts, call, stop"
        ),
        (
            script(#"{"at_ms":5,"exit":"a","stop":"top"}"#),
            "script[0]: exit and stop in one entry; write an entry for each"
        ),
        (
            script(#"{"at_ms":5,"exit":"a","times":2}"#),
            #"script[0]: unknown key "times"; use at_ms, exit, reason"#
        ),
        (
            script(#"{"at_ms":5,"exit":"a","reason":"oom"}"#),
            #"script[0].reason: "oom" is unknown; use crash, normal, shutdown, killed"#
        ),
        (
            script(#"{"at_ms":5,"fail_starts":"a","times":1000001}"#),
            "script[0].times: 1000001 is out of range; use 0 to 1000000"
        ),
        (
            script(#"{"at_ms":5,"call":"which_children","child":"a"}"#),
            #"script[0].call: "which_children" is unknown; "#
                + "use terminate_child, restart_child, delete_child, start_child"
        ),
        (
            script(#"{"at_ms":5,"call":"start_child","supervisor":"g","child":"c"}"#),
            "script[0].child: not what belongs here; write an object"
        ),
        (
            #"{"supervisor":{"id":"top"},"before_start":[{"exit":"a"}]}"#,
            "before_start[0]: nothing happens; name one of fail_starts, ignore_starts"
        ),
        (
            #"{"supervisor":{"id":"top"},"before_start":[{"fail_starts":"a","at_ms":0}]}"#,
            #"before_start[0]: unknown key "at_ms"; use fail_starts, times"#
        ),
    ]

    static let treeFaults: [(String, String)] = [
        (
            tree(#""children":[{"id":"a"},{"id":"b"},{"id":"a"}]"#),
            "supervisor.children[2]: a: this id is taken; give every child of a supervisor its own"
        ),
        (
            tree(#""children":[{"id":"a b"}]"#),
            "supervisor.children[0]: a b: an id needs 1 to 255 bytes without slashes, spaces or control characters; "
                + "rename it"
        ),
        (tree(#""max_restarts":-1"#), "supervisor: top: max_restarts is -1; use 0 to 1000000"),
        (
            tree(#""children":[{"id":"a"},{"supervisor":{"id":"g","max_seconds":0}}]"#),
            "supervisor.children[1].supervisor: g: max_seconds is 0; use 1 to 31536000"
        ),
        (
            tree(
                #""children":[{"supervisor":{"id":"g","auto_shutdown":"any_significant","children":[{"id":"x","significant":true}]}}]"#
            ),
            "supervisor.children[0].supervisor.children[0]: g/x: a permanent child cannot be significant; "
                + "make it transient or temporary"
        ),
        (
            tree(#""children":[{"id":"a","restart":"transient","significant":true}]"#),
            "supervisor.children[0]: a: a significant child needs a supervisor with auto_shutdown any_significant or "
                + "all_significant"
        ),
        (
            tree(#""dynamic":true,"strategy":"one_for_all""#),
            "supervisor: top: a dynamic supervisor cannot be one_for_all; use one_for_one"
        ),
    ]

    static let nameFaults: [(String, String)] = [
        (
            script(#"{"at_ms":0,"stop":"g"}"#),
            #"script[0].stop: only the root can be stopped, and "g" is not it; stop "top", or call terminate_child"#
        ),
        (
            script(#"{"at_ms":0,"exit":"g"}"#),
            #"script[0].exit: "g" is a supervisor and has no process of its own; name one of the workers below it"#
        ),
        (
            script(#"{"at_ms":0,"fail_starts":"top"}"#),
            #"script[0].fail_starts: "top" is a supervisor and has no process of its own; "#
                + "name one of the workers below it"
        ),
        (
            script(
                #"{"at_ms":0,"exit":"c"},{"at_ms":0,"call":"start_child","supervisor":"g","child":{"id":"c"}},"#
                    + #"{"at_ms":0,"call":"start_child","supervisor":"g","child":{"supervisor":{"id":"h","children":[{"id":"c"}]}}}"#
            ),
            #"script[0].exit: "c" may be g/c or g/h/c; write the path"#
        ),
        (script(#"{"at_ms":0,"exit":""}"#), #"script[0].exit: "" names nothing; write an id, or a path like group/id"#),
    ]

    /// What a terminal would obey, each end of both ranges, and what stands beside them.
    static let controls: [(UInt32, isControl: Bool)] = [
        (0x01, true), (0x1f, true), (0x20, true), (0x21, false), (0x7e, false), (0x7f, true), (0x80, true),
        (0x9b, true), (0x9f, true), (0xa1, false),
    ]

    @Test("nothing that is printed holds a control character, of C1 either", arguments: controls)
    func controlCharacters(scalar: UInt32, isControl: Bool) throws {
        let name = "a\(try #require(Unicode.Scalar(scalar)))"
        let escape = #"a\u\#(String(repeating: "0", count: scalar < 0x10 ? 3 : 2))\#(String(scalar, radix: 16))"#
        func refused(_ json: String) -> PolicyFileError.Problem? {
            do throws(PolicyFileError) {
                _ = try PolicySimulator(PolicyFile(json: Array(json.utf8)))
                return nil
            } catch {
                return error.problem
            }
        }
        let id = refused(PolicyFileTests.tree(#""children":[{"id":"\#(escape)"}]"#))
        guard isControl else {
            #expect(id == nil)
            #expect(refused(PolicyFileTests.script(#"{"at_ms":0,"exit":"\#(escape)"}"#)) == nil)
            return
        }
        let words = "an id needs 1 to 255 bytes without slashes, spaces or control characters; rename it"
        #expect(id == .refused("\(name): \(words)"))
        #expect(refused(PolicyFileTests.script(#"{"at_ms":0,"exit":"\#(escape)"}"#)) == .badName(name))
    }

    @Test("the length of a file, the number of children and the depth of a tree have bounds", arguments: [0, 1])
    func bounds(beyond: Int) {
        let padding = String(repeating: " ", count: PolicyLimits.bytes + beyond - 27)
        expect(#"{"supervisor":{"id":"top"}} "#.dropLast() + padding, refusedIf: beyond == 1) {
            if case .tooLong = $0 { true } else { false }
        }
        let children = (0..<PolicyLimits.children + beyond).map { #"{"id":"\#($0)"}"# }.joined(separator: ",")
        expect(PolicyFileTests.tree(#""children":[\#(children)]"#)[...], refusedIf: beyond == 1) {
            $0 == .tooManyChildren(PolicyLimits.children + 1)
        }
        let levels = SpecLimits.depth - 1 + beyond
        let nested =
            #"{"supervisor":{"id":"top","children":["#
            + String(repeating: #"{"supervisor":{"id":"g","children":["#, count: levels)
            + String(repeating: "]}}", count: levels + 1)
        expect(nested[...], refusedIf: beyond == 1) {
            if case .refused(let words) = $0 { words.contains("more than 32 levels") } else { false }
        }
    }

    private func expect(
        _ json: Substring, refusedIf isTooMuch: Bool, _ isRight: (PolicyFileError.Problem) -> Bool
    ) {
        do throws(PolicyFileError) {
            _ = try PolicySimulator(PolicyFile(json: Array(json.utf8)))
            #expect(!isTooMuch)
        } catch {
            #expect(isTooMuch && isRight(error.problem), "\(error)")
        }
    }
}
