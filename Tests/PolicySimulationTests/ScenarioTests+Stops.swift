// Rows 30 to 39 of the scenario table: retry loops that somebody interrupts, and stops that take their time.

import Testing

extension ScenarioTests {
    static let stops = [
        PolicyScenario(
            title: "30 terminate_child ends a retry loop", supervisor: retrying,
            script: retryLoop + #",{"at_ms":150,"call":"terminate_child","child":"a"}"#, options: verbose,
            expected: loopBegins + "[a=starting b=running], @200, start a failed, reply terminate_child a ok"),
        PolicyScenario(
            title: "31 calls about a child in a retry loop", supervisor: retrying,
            script: retryLoop + #"""
                ,{"at_ms":150,"call":"restart_child","child":"a"},{"at_ms":150,"call":"delete_child","child":"a"},
                {"at_ms":150,"call":"start_child","supervisor":"top","child":{"id":"a"}},
                {"at_ms":150,"call":"terminate_child","child":"a"}
                """#, options: verbose,
            expected: loopBegins + String(repeating: "[a=starting b=running], ", count: 4)
                + "@200, start a failed, reply restart_child a restarting, reply delete_child a restarting, "
                + "reply start_child a already_present, reply terminate_child a ok"),
        PolicyScenario(
            title: "32 a stop during a retry loop starts nothing more", supervisor: retrying,
            script: retryLoop + #",{"at_ms":150,"stop":"top"}"#,
            expected: "@100, start a, start b, @150, stop b, stop a, exit top shutdown"),
        PolicyScenario(
            title: "33 the states during a group's retry loop",
            supervisor: #"""
                "strategy":"rest_for_one","max_restarts":9,"children":[{"id":"a"},{"id":"b"},{"id":"c"}]
                """#,
            script: #"{"at_ms":0,"fail_starts":"b","times":2},{"at_ms":0,"exit":"b"},{"at_ms":2,"stop":"top"}"#,
            options: backedOff(4, 4),
            expected: "start a, start b, start c, [a=running b=running c=running], [a=running b=running c=running], "
                + "stop c, start b failed, backoff b 4, [a=running b=restarting c=down], "
                + "@2, stop a, exit top shutdown, []"),
        PolicyScenario(
            title: "34 stubborn children are killed one after the other",
            supervisor: #"""
                "children":[{"id":"a","shutdown":300,"stop_ms":null},{"id":"b","shutdown":300,"stop_ms":null},
                {"id":"c","shutdown":300,"stop_ms":null}]
                """#, script: #"{"at_ms":0,"stop":"top"}"#,
            expected: "start a, start b, start c, stop c, @300, kill c, stop b, @600, kill b, stop a, "
                + "@900, kill a, exit top shutdown"),
        PolicyScenario(
            title: "35 the stubborn one alone is killed",
            supervisor: #""children":[{"id":"a"},{"id":"b","shutdown":1000,"stop_ms":1001},{"id":"c"}]"#,
            script: #"{"at_ms":0,"stop":"top"}"#,
            expected: "start a, start b, start c, stop c, stop b, @1000, kill b, stop a, exit top shutdown"),
        PolicyScenario(
            title: "35 who ends just in time is not killed",
            supervisor: #""children":[{"id":"a","shutdown":1000,"stop_ms":1000}]"#,
            script: #"{"at_ms":0,"stop":"top"}"#, expected: "start a, stop a, @1000, exit top shutdown"),
        PolicyScenario(
            title: "35 the default grace is five seconds",
            supervisor: #""children":[{"id":"a","stop_ms":null}]"#,
            script: #"{"at_ms":7,"stop":"top"}"#, expected: "start a, @7, stop a, @5007, kill a, exit top shutdown"),
        PolicyScenario(
            title: "36 brutal_kill gives no time",
            supervisor: #""children":[{"id":"a","shutdown":"brutal_kill","stop_ms":null},{"id":"b","shutdown":0}]"#,
            script: #"{"at_ms":0,"stop":"top"}"#, expected: "start a, start b, stop b, stop a, exit top shutdown"),
        PolicyScenario(
            title: "36 brutal_kill of a supervisor kills what is below it",
            supervisor: #"""
                "children":[{"supervisor":{"id":"g","shutdown":"brutal_kill","children":[{"id":"x"},
                {"supervisor":{"id":"h","auto_shutdown":"any_significant","children":[{"id":"y"}]}}]}}]
                """#, script: #"{"at_ms":0,"stop":"top"}"#,
            expected: "start x, start y, start h, start g, stop g, kill y, kill x, exit top shutdown"),
        PolicyScenario(
            title: "37 infinity waits as long as it takes",
            supervisor: #""children":[{"id":"a"},{"id":"b","shutdown":"infinity","stop_ms":86400000}]"#,
            script: #"{"at_ms":0,"stop":"top"}"#,
            expected: "start a, start b, stop b, @86400000, stop a, exit top shutdown"),
        PolicyScenario(
            title: "37 and for ever, if it must; an exit of the process ends the wait",
            supervisor: #""children":[{"id":"a"},{"id":"b","shutdown":"infinity","stop_ms":null}]"#,
            script: #"{"at_ms":0,"stop":"top"},{"at_ms":99999999,"exit":"b"}"#,
            expected: "start a, start b, stop b, @99999999, stop a, exit top shutdown"),
        PolicyScenario(
            title: "37 a stop that never ends has no end in the output",
            supervisor: #""children":[{"id":"b","shutdown":"infinity","stop_ms":null}]"#,
            script: #"{"at_ms":0,"stop":"top"}"#, expected: "start b, stop b"),
        PolicyScenario(
            title: "38 a dynamic supervisor asks all at once and has one deadline",
            supervisor: #"""
                "dynamic":true,"children":[{"id":"a"},{"id":"b","shutdown":300,"stop_ms":null},{"id":"c","stop_ms":200},
                {"id":"d","shutdown":300,"stop_ms":null}]
                """#, script: #"{"at_ms":0,"stop":"top"}"#,
            expected: "start a, start b, start c, start d, stop a, stop b, stop c, stop d, "
                + "@300, kill b, kill d, exit top shutdown"),
        PolicyScenario(
            title: "39 children that end by themselves while a slow one is stopping are not restarted",
            supervisor: #"""
                "children":[{"id":"a"},{"id":"b"},{"id":"c"},{"id":"d"},{"id":"e","stop_ms":100}]
                """#,
            script: #"""
                {"at_ms":0,"stop":"top"},{"at_ms":50,"exit":"a"},{"at_ms":50,"exit":"b","reason":"normal"},
                {"at_ms":50,"exit":"d","reason":"killed"}
                """#,
            expected: "start a, start b, start c, start d, start e, stop e, @100, stop c, exit top shutdown"),
        PolicyScenario(
            title: "a process that dies while it starts is a failed start",
            supervisor: #""children":[{"id":"a","start_ms":100},{"id":"b"}]"#,
            script: #"{"at_ms":50,"exit":"a","reason":"normal"}"#,
            expected: "@50, start a failed, exit top failed_to_start_child a"),
        PolicyScenario(
            title: "R15 the stamp is taken when the exit is handled; on OTP's clock the stop passes in the window",
            clock: "otp",
            supervisor: #"""
                "strategy":"one_for_all","children":[{"id":"a"},{"id":"b","shutdown":"infinity","stop_ms":4000}]
                """#,
            script: #"{"at_ms":0,"exit":"a"},{"at_ms":6000,"exit":"a"}"#,
            expected: "start a, start b, stop b, @4000, start a, start b, @6000, stop b, @10000, start a, start b"),
    ]

    /// Every start takes 100 ms.
    static let retrying = #""max_restarts":9,"children":[{"id":"a","start_ms":100},{"id":"b"}]"#
    /// The first attempt is under way from 100 to 200.
    static let retryLoop = #"{"at_ms":100,"fail_starts":"a","times":9},{"at_ms":100,"exit":"a"}"#
    static let loopBegins = "[], @100, start a, start b, [a=running b=running], [a=starting b=running], @150, "
}
