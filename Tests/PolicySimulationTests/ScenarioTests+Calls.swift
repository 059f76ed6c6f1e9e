// Rows 55 to 63: starts that answer `ignore`, calls in every state, dynamic supervisors, many children.

import Testing

extension ScenarioTests {
    static let calls = [
        PolicyScenario(
            title: "55 ignore at the start keeps a permanent child down and drops a temporary one",
            supervisor: #""children":[{"id":"a"},{"id":"b","restart":"temporary"},{"id":"c"}]"#,
            beforeStart: #"{"ignore_starts":"a"},{"ignore_starts":"b","times":1}"#, script: "", options: verbose,
            expected: "start a ignored, start b ignored, start c, [a=down c=running]"),
        PolicyScenario(
            title: "R24b ignore at a restart leaves the child down without another attempt",
            supervisor: #""children":[{"id":"a"}]"#,
            script: #"{"at_ms":0,"ignore_starts":"a","times":2},{"at_ms":0,"exit":"a"}"#, options: verbose,
            expected: "start a, [a=running], [a=running], start a ignored, [a=down]"),
        PolicyScenario(
            title: "56 start_child whose start fails leaves nothing and counts nothing",
            supervisor: #""max_restarts":0,"children":[{"id":"a"}]"#,
            script: #"""
                {"at_ms":0,"fail_starts":"z"},{"at_ms":0,"call":"start_child","supervisor":"top","child":{"id":"z"}},
                {"at_ms":0,"call":"delete_child","child":"z"}
                """#, options: verbose,
            expected: "start a, [a=running], [a=running], start z failed, reply start_child z start_failed, "
                + "[a=running], reply delete_child z not_found, [a=running]"),
        PolicyScenario(
            title: "57 terminate twice, delete, add again: at the end",
            supervisor: #""children":[{"id":"a"},{"id":"b"}]"#,
            script: #"""
                {"at_ms":0,"call":"terminate_child","child":"a"},{"at_ms":0,"call":"terminate_child","child":"a"},
                {"at_ms":0,"call":"delete_child","child":"a"},
                {"at_ms":0,"call":"start_child","supervisor":"top","child":{"id":"a"}},{"at_ms":1,"stop":"top"}
                """#, options: verbose,
            expected: "start a, start b, [a=running b=running], stop a, reply terminate_child a ok, "
                + "[a=down b=running], reply terminate_child a ok, [a=down b=running], reply delete_child a ok, "
                + "[b=running], start a, reply start_child a ok, [b=running a=running], "
                + "@1, stop a, stop b, exit top shutdown, []"),
        PolicyScenario(
            title: "58 a child restarted by hand keeps its place", supervisor: #""children":[\#(workers(3))]"#,
            script: #"""
                {"at_ms":0,"call":"terminate_child","child":"a"},{"at_ms":0,"call":"restart_child","child":"a"},
                {"at_ms":0,"stop":"top"}
                """#,
            expected: "start a, start b, start c, stop a, start a, stop c, stop b, stop a, exit top shutdown"),
        PolicyScenario(
            title: "R7, R41 answers about children in every state",
            supervisor: #""children":[{"id":"a"},{"id":"b","restart":"transient"}]"#,
            script: #"""
                {"at_ms":0,"call":"restart_child","child":"a"},{"at_ms":0,"call":"delete_child","child":"a"},
                {"at_ms":0,"call":"start_child","supervisor":"top","child":{"id":"a"}},
                {"at_ms":0,"exit":"b","reason":"normal"},
                {"at_ms":0,"call":"start_child","supervisor":"top","child":{"id":"b"}},
                {"at_ms":0,"ignore_starts":"b"},{"at_ms":0,"call":"restart_child","child":"b"},
                {"at_ms":0,"call":"terminate_child","child":"no"},
                {"at_ms":0,"call":"start_child","supervisor":"a","child":{"id":"no"}},
                {"at_ms":0,"call":"start_child","supervisor":"top","child":{"id":"s","significant":true}},
                {"at_ms":0,"exit":"no"},{"at_ms":0,"stop":"top"},{"at_ms":0,"call":"restart_child","child":"a"}
                """#, options: verbose,
            expected: "start a, start b, [a=running b=running], reply restart_child a running, [a=running b=running], "
                + "reply delete_child a running, [a=running b=running], "
                + "reply start_child a already_started, [a=running b=running], [a=running b=down], "
                + "reply start_child b already_present, [a=running b=down], [a=running b=down], "
                + "start b ignored, reply restart_child b ignored, [a=running b=down], "
                + "reply terminate_child no not_found, [a=running b=down], "
                + "reply start_child a/no not_found, [a=running b=down], "
                + "reply start_child s invalid_spec, [a=running b=down], [a=running b=down], "
                + "stop a, exit top shutdown, [], reply restart_child a not_running, []"),
        PolicyScenario(
            title: "R40 a call that waits is refused when its supervisor is stopped",
            supervisor: #""strategy":"one_for_all","children":[{"id":"a"},{"id":"b","stop_ms":100}]"#,
            script: #"""
                {"at_ms":0,"exit":"a"},{"at_ms":10,"call":"terminate_child","child":"a"},{"at_ms":20,"stop":"top"},
                {"at_ms":30,"call":"restart_child","child":"a"}
                """#, options: verbose,
            expected: "start a, start b, [a=running b=running], stop b, [a=down b=stopping], "
                + "@10, [a=down b=stopping], @20, reply terminate_child a shutting_down, [], "
                + "@30, reply restart_child a shutting_down, [], @100, exit top shutdown"),
        PolicyScenario(
            title: "a supervisor is added, and its children are called by name",
            supervisor: #""children":[{"id":"a"}]"#,
            script: #"""
                {"at_ms":0,"call":"start_child","supervisor":"top","child":
                {"supervisor":{"id":"g","children":[{"id":"a"},{"id":"x","start_ms":5,"stop_ms":7}]}}},
                {"at_ms":10,"call":"start_child","supervisor":"g","child":{"id":"y"}},{"at_ms":11,"exit":"y"},
                {"at_ms":20,"call":"terminate_child","child":"g"}
                """#, options: verbose,
            expected: "start a, [a=running], start g/a, [a=running g=starting], @5, start x, start g, "
                + "reply start_child g ok, @10, start y, reply start_child y ok, "
                + "[a=running g=running g/a=running x=running y=running], "
                + "@11, start y, [a=running g=running g/a=running x=running y=running], "
                + "@20, stop g, stop y, stop x, [a=running g=stopping], @27, stop g/a, reply terminate_child g ok"),
    ]

    static let dynamics = [
        PolicyScenario(
            title: "60 restarting children count towards max_children",
            supervisor: #""dynamic":true,"max_children":1,"max_restarts":9,"children":[{"id":"a"}]"#,
            script: #"""
                {"at_ms":0,"fail_starts":"a"},{"at_ms":0,"exit":"a"},
                {"at_ms":0,"call":"start_child","supervisor":"top","child":{"id":"b"}}
                """#, options: backedOff(4, 4),
            expected: "start a, [a=running], [a=running], start a failed, backoff a 4, [a=restarting], "
                + "reply start_child b max_children, [a=restarting], @4, start a"),
        PolicyScenario(
            title: "61 a dynamic child that is restarting is forgotten when terminated",
            supervisor: #""dynamic":true,"max_restarts":9,"children":[{"id":"a"},{"id":"b"}]"#,
            script: #"""
                {"at_ms":0,"fail_starts":"a"},{"at_ms":0,"exit":"a"},{"at_ms":0,"call":"terminate_child","child":"a"},
                {"at_ms":500,"call":"restart_child","child":"b"}
                """#, options: backedOff(4, 4),
            expected: "start a, start b, [a=running b=running], [a=running b=running], "
                + "start a failed, backoff a 4, [a=restarting b=running], reply terminate_child a ok, [b=running], "
                + "@500, reply restart_child b dynamic_supervisor, [b=running]"),
        PolicyScenario(
            title: "62 a dynamic child whose restart ignores is forgotten",
            supervisor: #""dynamic":true,"children":[{"id":"a"},{"id":"b"}]"#,
            script: #"{"at_ms":0,"ignore_starts":"a"},{"at_ms":0,"exit":"a"}"#, options: verbose,
            expected: "start a, start b, [a=running b=running], [a=running b=running], start a ignored, [b=running]"),
        PolicyScenario(
            title: "backoff: the first restart is at once, then it doubles up to the cap; the last wait is over too",
            supervisor: #""max_restarts":9,"children":[{"id":"a"}]"#,
            script: #"{"at_ms":0,"fail_starts":"a","times":3},{"at_ms":0,"exit":"a"}"#, options: backedOff(1, 3),
            expected: "start a, [a=running], [a=running], start a failed, backoff a 1, [a=restarting], "
                + "@1, start a failed, backoff a 2, @3, start a failed, backoff a 3, @6, start a"),
    ]

    @Test("63 a thousand and ten thousand children are started, crash and are stopped", arguments: [1_000, 10_000])
    func manyChildren(count: Int) throws {
        let children = (0..<count).map { #"{"id":"c\#($0)"}"# }.joined(separator: ",")
        let json = #"""
            {"supervisor":{"id":"top","strategy":"one_for_all","children":[\#(children)]},
            "script":[{"at_ms":0,"exit":"c0"},{"at_ms":1,"stop":"top"}]}
            """#
        let lines = try simulate(json)
        #expect(lines.count == count + (count - 1) + count + count + 1)
        #expect(lines[count] == #"{"at_ms":0,"action":"stop","child":"c\#(count - 1)"}"#)
        #expect(lines.last == #"{"at_ms":1,"action":"exit","supervisor":"top","reason":"shutdown"}"#)
    }
}
