// The scenario table of OTP's supervisor, row by row, under pure OTP settings: no backoff, no start timeout. The
// numbers are those of the table; each row compares everything the tree does, in order.

import Testing

@testable import Supervision

@Suite("OTP's scenarios") struct OTPScenarioTests {
    @Test("every row gives OTP's actions in OTP's order", arguments: strategies + retries + stops + calls + escalation)
    func row(_ scenario: Scenario) throws {
        let result = try scenario.run()
        #expect(result.log == scenario.expected)
        if let states = scenario.states { #expect(result.states == states) }
    }

    static let strategies: [Scenario] = [
        Scenario(
            title: "1 one_for_one restarts the crashed child alone", spec: SupervisorSpec(.oneForOne, 2, "a b"),
            script: "a crash", expected: "start a", states: "a=running b=running"),
        Scenario(
            title: "2 one_for_one gives up at the third crash of any children",
            spec: SupervisorSpec(.oneForOne, 2, "a b c"), script: "a crash; b crash; a crash",
            expected: "start a, start b, gave_up top, stop c, stop b, finished gave_up a",
            states: "a=down b=down c=down"),
        Scenario(
            title: "3 crashes further apart than the window never give up",
            spec: SupervisorSpec(.oneForOne, 1, "a", within: 1),
            script: "a crash; at 2100; a crash; at 4200; a crash; at 6300; a crash",
            expected: "start a, start a, start a, start a"),
        Scenario(
            title: "4 a stamp exactly as old as the window still counts",
            spec: SupervisorSpec(.oneForOne, 1, "a", within: 5),
            script: "a crash; at 5000; a crash", expected: "start a, gave_up top, finished gave_up a"),
        Scenario(
            title: "4 one millisecond older does not", spec: SupervisorSpec(.oneForOne, 1, "a", within: 5),
            script: "a crash; at 5001; a crash", expected: "start a, start a"),
        Scenario(
            title: "5 OTP's clock at phase .05: 1.1 s apart gives up",
            spec: SupervisorSpec(.oneForOne, 1, "a", within: 1, clock: .wholeSeconds),
            script: "at 50; a crash; at 1150; a crash", expected: "start a, gave_up top, finished gave_up a"),
        Scenario(
            title: "5 OTP's clock at phase .05: 1.9 s apart gives up still",
            spec: SupervisorSpec(.oneForOne, 1, "a", within: 1, clock: .wholeSeconds),
            script: "at 50; a crash; at 1950; a crash", expected: "start a, gave_up top, finished gave_up a"),
        Scenario(
            title: "5 OTP's clock at phase .95: 1.1 s apart survives",
            spec: SupervisorSpec(.oneForOne, 1, "a", within: 1, clock: .wholeSeconds),
            script: "at 950; a crash; at 2050; a crash", expected: "start a, start a"),
        Scenario(
            title: "6 intensity 0: a permanent crash ends the supervisor", spec: SupervisorSpec(.oneForOne, 0, "a b c"),
            script: "b crash", expected: "gave_up top, stop c, stop a, finished gave_up b"),
        Scenario(
            title: "7 intensity 0: a transient child's normal end does not",
            spec: SupervisorSpec(.oneForOne, 0, "a:transient b"), script: "a normal", expected: "",
            states: "a=down b=running"),
        Scenario(
            title: "8 a permanent child is restarted after any end, and each counts",
            spec: SupervisorSpec(.oneForOne, 2, "a"), script: "a normal; a shutdown; a normal",
            expected: "start a, start a, gave_up top, finished gave_up a"),
        Scenario(
            title: "9 a transient child that ends normally is kept, down",
            spec: SupervisorSpec(.oneForOne, 2, "a:transient b:transient"), script: "a normal; b shutdown",
            expected: "",
            states: "a=down b=down"),
        Scenario(
            title: "10 a transient child that crashes is restarted", spec: SupervisorSpec(.oneForOne, 2, "a:transient"),
            script: "a crash", expected: "start a"),
        Scenario(
            title: "11 a temporary child is forgotten, whatever its end",
            spec: SupervisorSpec(.oneForOne, 0, "a:temporary b:temporary c:temporary d"),
            script: "a normal; b shutdown; c crash", expected: "", states: "d=running"),
        Scenario(
            title: "12 a temporary child's crash touches no sibling and does not count",
            spec: SupervisorSpec(.oneForAll, 0, "a b:temporary"), script: "b crash", expected: "", states: "a=running"),
        Scenario(
            title: "13 one_for_all stops the others in reverse and starts all",
            spec: SupervisorSpec(.oneForAll, 1, "a b c"), script: "b crash",
            expected: "stop c, stop a, start a, start b, start c"),
        Scenario(
            title: "14 one_for_all after a permanent child's normal end, counted",
            spec: SupervisorSpec(.oneForAll, 1, "a b c"), script: "b normal; b normal",
            expected: "stop c, stop a, start a, start b, start c, gave_up top, stop c, stop a, finished gave_up b"),
        Scenario(
            title: "15 a group restart brings back what had ended and drops temporary siblings",
            spec: SupervisorSpec(.oneForAll, 1, "a b:transient c:temporary"), script: "b normal; states; a crash",
            expected: "[a=running b=down c=running], stop c, start a, start b", states: "a=running b=running"),
        Scenario(
            title: "16 rest_for_one restarts the crashed child and those after it",
            spec: SupervisorSpec(.restForOne, 1, "a b c"), script: "b crash", expected: "stop c, start b, start c"),
        Scenario(
            title: "17 rest_for_one brings back a child that was stopped by hand",
            spec: SupervisorSpec(.restForOne, 1, "a b c"), script: "terminate c; b crash",
            expected: "stop c, ok, start b, start c"),
        Scenario(
            title: "18 order is the list's, not the names'", spec: SupervisorSpec(.restForOne, 1, "m z k b q"),
            script: "k crash; stop",
            expected:
                "stop q, stop b, start k, start b, start q, stop q, stop b, stop k, stop z, stop m, finished asked"),
        Scenario(
            title: "19 a child added later belongs to the rest", spec: SupervisorSpec(.restForOne, 1, "a b"),
            script: "add z; b crash", expected: "start z, ok z, stop z, start b, start z"),
    ]

    static let retries: [Scenario] = [
        Scenario(
            title: "24 each failed start counts, then the supervisor gives up",
            spec: SupervisorSpec(.oneForOne, 4, "a b"), script: "fail a; a crash",
            expected: "start a, start a, start a, start a, gave_up top, stop b, finished gave_up a"),
        Scenario(
            title: "25 a start that works at the fourth attempt has used four",
            spec: SupervisorSpec(.oneForOne, 4, "a b"), script: "fail a 3; a crash; states; a crash",
            expected: "start a, start a, start a, start a, [a=running b=running], "
                + "gave_up top, stop b, finished gave_up a"),
        Scenario(
            title: "26 one_for_all: another child fails: all are stopped and started again",
            spec: SupervisorSpec(.oneForAll, 2, "a b c"), script: "fail b 1; c crash; c crash",
            expected: "stop b, stop a, start a, start b, stop a, start a, start b, start c, "
                + "gave_up top, stop b, stop a, finished gave_up c"),
        Scenario(
            title: "27 rest_for_one: another child fails: it and later ones are retried, earlier ones stay",
            spec: SupervisorSpec(.restForOne, 2, "a b c d"), script: "fail c 1; b crash; b crash",
            expected: "stop d, stop c, start b, start c, start c, start d, "
                + "gave_up top, stop d, stop c, stop a, finished gave_up b"),
        Scenario(
            title: "28 one_for_all: a sibling that never starts again", spec: SupervisorSpec(.oneForAll, 4, "a b"),
            script: "fail b; a crash",
            expected: "stop b, start a, start b, stop a, start a, start b, stop a, start a, start b, "
                + "stop a, start a, start b, gave_up top, stop a, finished gave_up b"),
        Scenario(
            title: "28 rest_for_one: a sibling that never starts again", spec: SupervisorSpec(.restForOne, 4, "a b"),
            script: "fail b; a crash",
            expected: "stop b, start a, start b, start b, start b, start b, gave_up top, stop a, finished gave_up b"),
        Scenario(
            title: "29 an initial start that fails is not retried", spec: SupervisorSpec(.oneForOne, 9, "a b c"),
            script: "fail b; begin", expected: "start a, start b, stop a, finished start_failed b"),
        Scenario(
            title: "55 ignore at the start keeps a permanent child down and drops a temporary one",
            spec: SupervisorSpec(.oneForOne, 0, "a b:temporary c"), script: "ignore a; ignore b; begin",
            expected: "start a, start b, start c", states: "a=down c=running"),
        Scenario(
            title: "R24b ignore at a restart leaves the child down without a retry",
            spec: SupervisorSpec(.oneForOne, 1, "a b"), script: "ignore a; a crash", expected: "start a",
            states: "a=down b=running"),
        Scenario(
            title: "ignore in a group restart is no failure", spec: SupervisorSpec(.oneForAll, 1, "a b c"),
            script: "ignore b; a crash", expected: "stop c, stop b, start a, start b, start c",
            states: "a=running b=down c=running"),
    ]

    static let stops: [Scenario] = [
        Scenario(
            title: "20 one_for_all: a sibling that dies during the stop costs nothing more",
            spec: SupervisorSpec(.oneForAll, 1, "a b c"), script: "hold c; a crash; b crash; release c",
            expected: "stop c, start a, start b, start c", states: "a=running b=running c=running"),
        Scenario(
            title: "21 one_for_one: two simultaneous crashes cost two", spec: SupervisorSpec(.oneForOne, 1, "a b"),
            script: "a crash; b crash", expected: "start a, gave_up top, stop a, finished gave_up b"),
        Scenario(
            title: "22 rest_for_one: a sibling of the set dies while another is stopping",
            spec: SupervisorSpec(.restForOne, 1, "a b c"), script: "hold c; a crash; b crash; release c",
            expected: "stop c, start a, start b, start c"),
        Scenario(
            title: "23 rest_for_one: one outside the set dies meanwhile: a second full cycle",
            spec: SupervisorSpec(.restForOne, 2, "a b c"), script: "hold c; b crash; a crash; release c",
            expected: "stop c, start b, start c, stop c, stop b, start a, start b, start c"),
        Scenario(
            title: "34 stubborn children are killed one after the other",
            spec: SupervisorSpec(.oneForOne, 1, "a b c", shutdown: .grace(milliseconds: 300)),
            script: "hold a; hold b; hold c; stop; at 149; states; at 299; at 300; at 599; at 600; at 900",
            expected:
                "stop c, [a=running b=running c=stopping], terminate c, kill c stop_timeout, stop b, terminate b, "
                + "kill b stop_timeout, stop a, terminate a, kill a stop_timeout, finished asked"),
        Scenario(
            title: "35 the stubborn one alone is killed",
            spec: SupervisorSpec(.oneForOne, 1, "a b c", shutdown: .grace(milliseconds: 1000)),
            script: "hold b; stop; at 1000",
            expected: "stop c, stop b, terminate b, kill b stop_timeout, stop a, finished asked"),
        Scenario(
            title: "36 brutal_kill does not ask", spec: SupervisorSpec(.oneForOne, 1, "a b", shutdown: .brutalKill),
            script: "stop", expected: "kill b brutal_kill, kill a brutal_kill, finished asked"),
        Scenario(
            title: "37 infinity waits as long as it takes",
            spec: SupervisorSpec(.oneForOne, 1, "a b", shutdown: .infinity),
            script: "hold b; stop; at 100000000; states; release b",
            expected: "stop b, [a=running b=stopping], stop a, finished asked"),
        Scenario(
            title: "a grace of nothing asks and kills at once",
            spec: SupervisorSpec(.oneForOne, 1, "a", shutdown: .grace(milliseconds: 0)), script: "hold a; stop",
            expected: "stop a, terminate a, kill a stop_timeout, finished asked"),
        Scenario(
            title: "38 a dynamic supervisor asks all at once and has one timer",
            spec: SupervisorSpec(.oneForOne, 1, "a b c d", shutdown: .grace(milliseconds: 300), dynamic: true),
            script: "hold b; hold d; stop; at 149; at 150; at 299; at 300",
            expected: "stop a, stop b, stop c, stop d, terminate b, terminate d, kill b stop_timeout, "
                + "kill d stop_timeout, finished asked"),
        Scenario(
            title: "39 children that end by themselves while a slow one is stopping are not restarted",
            spec: SupervisorSpec(.oneForOne, 1, "a b c d e"),
            script: "hold e; stop; a crash; b normal; c shutdown; d crash; release e",
            expected: "stop e, finished asked"),
        Scenario(
            title: "R40 a stop while a group is being stopped goes on downwards and starts nothing",
            spec: SupervisorSpec(.restForOne, 1, "a b c d"), script: "hold d; b crash; stop; release d",
            expected: "stop d, stop c, stop a, finished asked"),
        Scenario(
            title: "R40 a stop while a child is starting stops that child too",
            spec: SupervisorSpec(.oneForOne, 1, "a b c"), script: "slow b; begin; stop",
            expected: "start a, start b, stop b, stop a, finished asked"),
        Scenario(
            title: "R40 a stop while a group is being started", spec: SupervisorSpec(.oneForAll, 1, "a b c"),
            script: "slow b; begin; ready b; c crash; hold b; stop; at 4999; at 5000",
            expected: "start a, start b, start c, stop b, stop a, start a, start b, stop b, terminate b, "
                + "kill b stop_timeout, stop a, finished asked"),
        Scenario(
            title: "a stop while a child is terminated by hand waits for that one first",
            spec: SupervisorSpec(.oneForOne, 1, "a b c"), script: "hold b; terminate b; stop; release b",
            expected: "stop b, error shuttingDown, stop c, stop a, finished asked"),
        Scenario(
            title: "a second stop changes nothing", spec: SupervisorSpec(.oneForOne, 1, "a b"),
            script: "hold b; stop; stop; release b; stop", expected: "stop b, stop a, finished asked"),
        Scenario(
            title: "a stop before the start starts nothing", spec: SupervisorSpec(.oneForOne, 1, "a b"),
            script: "stop; begin", expected: "finished asked"),
        Scenario(
            title: "41 rest_for_one, intensity 0: the crashed child is not touched",
            spec: SupervisorSpec(.restForOne, 0, "a b c"), script: "b crash",
            expected: "gave_up top, stop c, stop a, finished gave_up b"),
        Scenario(
            title: "R15 the stamp is taken when the exit is handled, before siblings are stopped",
            spec: SupervisorSpec(.oneForAll, 1, "a b", within: 5, shutdown: .infinity),
            script: "hold b; a crash; at 4000; release b; at 5001; a crash",
            expected: "stop b, start a, start b, stop b, start a, start b"),
        Scenario(
            title: "59 as in OTP, stops longer than the window never give up",
            spec: SupervisorSpec(.oneForAll, 1, "a b", within: 1, shutdown: .infinity),
            script:
                "hold b; a crash; at 2300; release b; hold b; a crash; at 4600; release b; hold b; a crash; release b",
            expected: "stop b, start a, start b, stop b, start a, start b, stop b, start a, start b"),
        Scenario(
            title: "59 beyond OTP, a restart's own duration does not pass in the window: it gives up",
            spec: SupervisorSpec(.oneForAll, 1, "a b", within: 1, shutdown: .infinity), settings: standingStill,
            script: "hold b; a crash; at 2300; release b; hold b; at 3300; a crash",
            expected: "stop b, start a, start b, gave_up top, stop b"),
        Scenario(
            title: "59 beyond OTP, time up between crashes does pass: it is restarted again",
            spec: SupervisorSpec(.oneForAll, 1, "a b", within: 1, shutdown: .infinity), settings: standingStill,
            script: "hold b; a crash; at 2300; release b; hold b; at 3301; a crash; release b",
            expected: "stop b, start a, start b, stop b, start a, start b"),
        Scenario(
            title: "killing everything spares nobody and asks nobody", spec: SupervisorSpec(.oneForOne, 1, "a b c"),
            script: "hold c; stop; kill",
            expected: "stop c, kill c stop_now, kill b stop_now, kill a stop_now, finished asked"),
    ]

    static let calls: [Scenario] = [
        Scenario(
            title: "30 terminate_child ends a retry loop", spec: waiting("a b", 9), settings: backedOff,
            script: "fail a; a crash; terminate a; at 100000; states",
            expected: "start a, backoff a 1, ok, [a=down b=running]"),
        Scenario(
            title: "31 calls about a child in a retry loop", spec: waiting("a b", 9), settings: backedOff,
            script: "fail a; a crash; restart a; delete a; add a",
            expected: "start a, backoff a 1, error restarting, error restarting, error alreadyPresent"),
        Scenario(
            title: "32 a stop during a retry loop is instant", spec: waiting("a b", 9), settings: backedOff,
            script: "fail a; a crash; stop", expected: "start a, backoff a 1, stop b, finished asked"),
        Scenario(
            title: "33 the states during a group's retry loop",
            spec: SupervisorSpec(.restForOne, 9, "a b c"), settings: backedOff, script: "fail b; b crash; states",
            expected: "stop c, start b, backoff b 1, [a=running b=restarting c=down]"),
        Scenario(
            title: "56 start_child whose start fails leaves nothing and counts nothing",
            spec: SupervisorSpec(.oneForOne, 0, "a"), script: "fail z 1; add z; states; delete z",
            expected: "start z, error start_failed, [a=running], error notFound"),
        Scenario(
            title: "57 terminate twice, delete, add again: at the end", spec: SupervisorSpec(.oneForOne, 0, "a b"),
            script: "terminate a; terminate a; delete a; add a; stop",
            expected: "stop a, ok, ok, ok, start a, ok a, stop a, stop b, finished asked"),
        Scenario(
            title: "58 a child restarted by hand keeps its place", spec: SupervisorSpec(.oneForOne, 0, "a b c"),
            script: "terminate a; restart a; stop",
            expected: "stop a, ok, start a, ok a, stop c, stop b, stop a, finished asked"),
        Scenario(
            title: "R7 start_child of a present id", spec: SupervisorSpec(.oneForOne, 0, "a b:transient"),
            script: "b normal; add a; add b", expected: "error already_started, error alreadyPresent"),
        Scenario(
            title: "R41 calls about running and unknown children", spec: SupervisorSpec(.oneForOne, 0, "a"),
            script: "restart a; delete a; restart x; delete x; terminate x; add y x; terminate top; add b a",
            expected: "error running, error running, error notFound, error notFound, error notFound, error notFound, "
                + "error notFound, error notFound"),
        Scenario(
            title: "R41 terminate_child forgets a temporary child",
            spec: SupervisorSpec(.oneForOne, 0, "a:temporary b"),
            script: "terminate a; restart a", expected: "stop a, ok, error notFound", states: "b=running"),
        Scenario(
            title: "R41 calls do not touch the restart window", spec: SupervisorSpec(.oneForOne, 1, "a"),
            script: "terminate a; restart a; terminate a; restart a; a crash",
            expected: "stop a, ok, start a, ok a, stop a, ok, start a, ok a, start a"),
        Scenario(
            title: "restart_child whose start fails leaves the child down", spec: SupervisorSpec(.oneForOne, 0, "a"),
            script: "terminate a; fail a 1; restart a; states; restart a",
            expected: "stop a, ok, start a, error start_failed, [a=down], start a, ok a"),
        Scenario(
            title: "restart_child and start_child of a child that ignores",
            spec: SupervisorSpec(.oneForOne, 0, "a:transient"),
            script: "a normal; ignore a 1; restart a; ignore y 1; add y; ignore z 1; add z:temporary",
            expected: "start a, ok ignored, start y, ok ignored, start z, ok ignored", states: "a=down y=down"),
        Scenario(
            title: "calls wait while an operation runs", spec: SupervisorSpec(.oneForAll, 1, "a b"),
            script: "hold b; a crash; terminate a; add z; release b",
            expected: "stop b, start a, start b, stop a, ok, start z, ok z"),
        Scenario(
            title: "an exit during a start is handled after it", spec: SupervisorSpec(.oneForOne, 1, "a b"),
            script: "slow b; begin; a crash; states; ready b",
            expected: "start a, start b, [a=down b=starting], start a"),
        Scenario(
            title: "a specification that is not allowed is refused", spec: SupervisorSpec(.oneForOne, 0, "a"),
            script: "add z:transient!; add top", expected: "error invalid_spec, error invalid_spec"),
        Scenario(
            title: "61 a dynamic child is forgotten when terminated while restarting",
            spec: SupervisorSpec(.oneForOne, 9, "a b", dynamic: true), settings: backedOff,
            script: "fail a; a crash; terminate a; at 100000",
            expected: "start a, backoff a 1, ok", states: "b=running"),
        Scenario(
            title: "60 restarting children count towards max_children",
            spec: SupervisorSpec(.oneForOne, 9, "a", dynamic: true, maxChildren: 1), settings: backedOff,
            script: "fail a; a crash; add b; terminate a; add b",
            expected: "start a, backoff a 1, error maxChildren, ok, start b, ok b"),
        Scenario(
            title: "62 a dynamic child whose restart ignores is forgotten",
            spec: SupervisorSpec(.oneForOne, 9, "a b", dynamic: true), script: "ignore a; a crash", expected: "start a",
            states: "b=running"),
        Scenario(
            title: "R23 a dynamic supervisor knows no restart_child and no delete_child",
            spec: SupervisorSpec(.oneForOne, 9, "a", dynamic: true),
            script: "restart a; delete a; terminate a; terminate a",
            expected: "error dynamicSupervisor, error dynamicSupervisor, stop a, ok, error notFound"),
    ]

    /// OTP but for the window's clock, which stands still during a restart.
    static let standingStill = SupervisionSettings(
        backoff: nil, startTimeoutMilliseconds: nil, countsRestartTime: false)

    /// The first restart is at once, every further one waits exactly one millisecond: too short to be jittered.
    static let backedOff = SupervisionSettings(backoff: BackoffSettings(initialMilliseconds: 1, capMilliseconds: 1))

    static func waiting(_ children: String, _ restarts: Int) -> SupervisorSpec {
        SupervisorSpec(.oneForOne, restarts, children)
    }
}
