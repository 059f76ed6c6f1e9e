%% The corner cases of supervision, one by one. The numbers are those of OTPConformance.md, which also tells of the ones
%% that are missing here, and why.
%%
%% How a scenario is run: stepwise, on a turned clock; in real time, on the supervisor as installed, where only
%% the order counts; differs, which is real time and a difference that is meant; refused, where OTP does not even start.
%% Each ends with a stop of the root.
-module(conformance_scenarios).
-export([all/0]).
-export_type([scenario/0]).

-import(conformance_policy, [worker/1, worker/2]).

-type how() :: stepwise | real_time | differs | refused.
-type scenario() :: {Name :: string(), how(), conformance_policy:policy()}.

-spec all() -> [scenario()].
all() ->
    lists:flatten([restarts(), windows(), groups(), failed_starts(), stops(), escalations(), significant(), calls()]).

restarts() ->
    Types = [worker(a), worker(b, #{restart => transient}), worker(c, #{restart => temporary})],
    [
        steps("1 one_for_one restarts the one that crashed", #{intensity => 2, period => 3600}, ab(), [crash(0, a)]),
        steps("2 the third of two allowed restarts", #{intensity => 2, period => 3600}, ab(),
            [crash(0, a), crash(1, b), crash(2, a)]),
        steps("6 no restarts allowed", #{intensity => 0}, ab(), [crash(0, a)]),
        steps("7 no restarts allowed, none needed", #{intensity => 0}, Types, [exit(0, b, normal), exit(1, c, killed)]),
        steps("8 permanent", #{intensity => 4}, Types,
            [exit(0, a, crash), exit(1, a, normal), exit(2, a, shutdown), exit(3, a, killed)]),
        steps("9 transient, orderly", #{}, Types, [exit(0, b, normal), restart(0, b), exit(0, b, shutdown)]),
        steps("10 transient, abnormal", #{intensity => 2}, Types, [exit(0, b, crash), exit(1, b, killed)]),
        [
            steps(["11 temporary, ", atom_to_list(Reason)], #{intensity => 0}, Types, [exit(0, c, Reason)])
         || Reason <- reasons()
        ],
        steps("12 a temporary child crashes in a group", #{strategy => one_for_all, intensity => 0}, Types,
            [crash(0, c)]),
        steps("64 an exit of nobody", #{}, Types, 
            [exit(0, c, normal), crash(1, c), terminate(1, a), crash(1, a), crash(1, nobody), terminate(1, nobody)])
    ].

windows() ->
    Flags = #{intensity => 1, period => 1},
    [
        steps("3 never twice in a window", Flags, ab(), crashes([0, 2100, 4200, 6300], a)),
        real("3 never twice in a window, by the clock", Flags, ab(), crashes([300, 2400, 4500], a), 4600),
        steps("4 exactly a window apart", #{intensity => 1, period => 5}, ab(), crashes([0, 5000], a)),
        steps("4 a whole second more", #{intensity => 1, period => 5}, ab(), crashes([0, 6000], a)),
        [
            steps(["5 two crashes at ", integer_to_list(At), " and ", integer_to_list(At + Apart)], Flags, ab(),
                crashes([At, At + Apart], a))
         || At <- [50, 500, 899, 900, 950, 999], Apart <- [1000, 1100, 1900, 2050]
        ],
        real("5 two crashes 1.5 s apart, early in a second", Flags, ab(), crashes([200, 1700], a), 1800),
        real("5 two crashes 1.5 s apart, late in a second", Flags, ab(), crashes([600, 2100], a), 2200)
    ].

groups() ->
    All = #{strategy => one_for_all},
    Rest = #{strategy => rest_for_one},
    Mixed = [worker(a), worker(b, #{restart => transient}), worker(c, #{restart => temporary})],
    Unsorted = [worker(Id) || Id <- [e, b, d, a, c]],
    SlowC = [worker(a), worker(b), worker(c, #{stop_ms => 300})],
    [
        steps("13 one_for_all", All, abc(), [crash(0, b)]),
        steps("14 one_for_all, an orderly exit", All, abc(), [exit(0, b, normal)]),
        steps("15 a group brings back who had ended, and drops the temporary", All, Mixed,
            [exit(0, b, normal), crash(1, a)]),
        steps("16 rest_for_one", Rest, abc(), [crash(0, b)]),
        steps("17 a group brings back who was terminated", Rest, abc(), [terminate(0, c), crash(0, b)]),
        steps("18 order is the order of the list", Rest, Unsorted, [crash(0, d)]),
        steps("19 who was added last is stopped first", Rest, ab(), [add(0, [], worker(z)), crash(0, b)]),
        steps("20 two exits at one time are one restart of all", All, ab(), [crash(0, a), crash(0, b)]),
        steps("21 two exits at one time are two restarts of one", #{}, ab(), [crash(0, a), crash(0, b)]),
        real("22 an exit in the set while the group stops", Rest, SlowC, [crash(100, a), crash(250, b)], 700),
        real("23 an exit outside the set while the group stops", Rest#{intensity => 2}, SlowC,
            [crash(100, b), crash(250, a)], 1000),
        real("23 the same, and one too many", Rest, SlowC, [crash(100, b), crash(250, a)], 1000)
    ].

failed_starts() ->
    Four = #{intensity => 4},
    All = #{strategy => one_for_all},
    Rest = #{strategy => rest_for_one},
    SlowA = [worker(a, #{start_ms => 200}), worker(b)],
    SlowB = [worker(a), worker(b, #{start_ms => 200}), worker(c)],
    [
        steps("24 a start that never succeeds again", Four, ab(), [fail(0, a, 100), crash(0, a)]),
        steps("25 a start that succeeds the fourth time", Four, ab(), [fail(0, a, 3), crash(0, a)]),
        steps("26 one_for_all, another start fails", All#{intensity => 2}, abc(), [fail(0, b, 1), crash(0, c)]),
        steps("27 rest_for_one, another start fails", Rest#{intensity => 2}, [worker(Id) || Id <- [a, b, c, d]],
            [fail(0, c, 1), crash(0, b)]),
        [
            steps(["28 another start never succeeds, ", atom_to_list(Strategy)], Four#{strategy => Strategy}, abc(),
                [fail(0, b, 100), crash(0, a)])
         || Strategy <- [one_for_all, rest_for_one]
        ],
        before("29 the first start fails", [{fail_starts, [b], 1}], abc()),
        before("29 the first start fails, a level down", [{fail_starts, [g, b], 1}], [worker(a), sup(g, #{}, abc())]),
        before("55 starts that have nothing to do", [{ignore_starts, [a], 1}, {ignore_starts, [b], 1}],
            [worker(a), worker(b, #{restart => temporary}), worker(c)]),
        real("30 terminate_child between attempts", #{intensity => 50}, SlowA,
            [fail(300, a, 100), crash(300, a), terminate(600, a), restart(900, a)], 1300),
        real("31 other calls between attempts", #{intensity => 50}, SlowA,
            [fail(300, a, 100), crash(300, a), restart(600, a), delete(620, a), add(640, [], worker(a)),
                terminate(800, a)], 1100),
        differs("32 a stop between attempts", #{intensity => 50}, SlowA, [fail(300, a, 100), crash(300, a)], 600),
        real("33 rest_for_one between attempts: running, restarting, undefined", Rest#{intensity => 50}, SlowB,
            [fail(300, b, 100), crash(300, b), restart(600, a), restart(620, b), delete(640, c), terminate(800, b)],
            1100)
    ].

stops() ->
    Deaf = #{stop_ms => null, shutdown => 150},
    Types = [{a, permanent}, {b, transient}, {c, temporary}, {d, permanent}],
    Others = [worker(Id, #{restart => Type}) || {Id, Type} <- Types],
    Many = [worker(list_to_atom("n" ++ integer_to_list(N))) || N <- lists:seq(1, 1000)],
    Slow = [worker(a), worker(b, #{stop_ms => 2100})],
    Cycle = #{strategy => one_for_all, intensity => 1, period => 1},
    [
        real("34 three that do not listen", #{}, [worker(Id, Deaf) || Id <- [a, b, c]], [], 100),
        real("35 one that does not listen", #{}, [worker(a), worker(b, Deaf), worker(c)], [], 100),
        steps("36 brutal_kill", #{}, [worker(a, Deaf#{shutdown => brutal_kill}), worker(b)], [crash(0, a)]),
        real("37 infinity", #{}, [worker(a), worker(b, #{stop_ms => 400, shutdown => infinity})], [], 100),
        real("39 exits while another is stopped", #{}, Others ++ [worker(z, #{stop_ms => 400})],
            [exit(300, a, crash), exit(300, b, normal), exit(300, c, killed), exit(300, d, shutdown)], 100),
        real("59 a cycle longer than the window", Cycle, Slow, [crash(100, a), crash(2400, a)], 4700),
        steps("63 a thousand children", #{}, Many, [])
    ].

escalations() ->
    Fragile = #{intensity => 0},
    Two = #{intensity => 2},
    X = [g, x],
    [
        steps("41 giving up in a group", #{strategy => rest_for_one, intensity => 0}, abc(), [crash(0, b)]),
        steps("42 a transient supervisor gives up", #{},
            [worker(a), sup(g, Fragile#{restart => transient}, [worker(x)]), worker(b)], [crash(0, X)]),
        steps("43 a permanent supervisor gives up", #{}, [worker(a), sup(g, Fragile, [worker(x)]), worker(b)],
            [crash(0, X), crash(1, X)]),
        steps("44 the product of the limits", Two, [sup(g, Two, [worker(x)])], [crash(At, X) || At <- lists:seq(1, 9)]),
        steps("45 added children go with their supervisor", #{strategy => one_for_all},
            [worker(a), sup(g, Fragile, [worker(x)]), sup(h, #{}, [worker(y)])],
            [add(0, [g], worker(p)), add(0, [h], sup(q, #{}, [worker(r)])), crash(0, X)])
    ].

significant() ->
    Any = #{auto_shutdown => any_significant},
    AllOf = #{auto_shutdown => all_significant},
    Significant = #{significant => true, restart => transient},
    Brief = #{significant => true, restart => temporary},
    Pair = [worker(a, Significant), worker(b, Significant), worker(c)],
    Bystander = [worker(a, Significant), worker(b), worker(c, Brief)],
    Chain = fun(Flags) ->
        [worker(y), sup(b, maps:merge(Any#{restart => transient}, Flags), [worker(x), worker(c, Significant)])]
    end,
    [
        steps("46 a significant child ends", Any, Pair, [exit(0, a, normal)]),
        steps("47 a significant child crashes", Any, Pair, [crash(0, a)]),
        steps("48 a significant child is terminated", Any, Pair, [terminate(0, a)]),
        steps("49 a temporary significant child crashes", Any, Bystander, [crash(0, c)]),
        steps("50 all significant children end", AllOf, Pair, [exit(0, a, normal), exit(1, b, normal)]),
        steps("50 one ends while the other's crash is in the mailbox", AllOf#{intensity => 2}, Pair,
            [crash(0, c), exit(0, a, normal), crash(0, b)]),
        steps("51 one is terminated, the other ends", AllOf, Pair, [terminate(0, a), exit(0, b, normal)]),
        [
            steps(["52 significant bystanders, ", atom_to_list(Strategy)], Any#{strategy => Strategy}, Bystander,
                [exit(0, b, killed)])
         || Strategy <- [one_for_all, rest_for_one]
        ],
        steps("53 significance goes up", Any, Chain(#{significant => true}), [exit(0, [b, c], normal)]),
        steps("53 significance ends", Any, Chain(#{}), [exit(0, [b, c], normal)]),
        refused("54 permanent and significant", Any, [worker(a, #{significant => true})]),
        refused("54 significant for nobody", #{}, [worker(a, Significant)]),
        refused("54 two children of one name", #{}, [worker(a), worker(a)])
    ].

calls() ->
    [
        steps("56 start_child fails", #{intensity => 0}, ab(),
            [fail(0, z, 1), add(0, [], worker(z)), add(0, [], worker(z))]),
        steps("57 terminate twice, delete, start again", #{}, ab(),
            [
                terminate(0, a), terminate(0, a), delete(0, a), restart(0, a),
                add(0, [], worker(a)), add(0, [], worker(a)), terminate(0, [nobody, a])
            ]),
        steps("58 a child started by hand keeps its place", #{}, abc(), [terminate(0, a), restart(0, a)])
    ].

ab() -> [worker(a), worker(b)].
abc() -> [worker(a), worker(b), worker(c)].

reasons() -> [crash, normal, shutdown, killed].

sup(Id, Flags, Children) -> conformance_policy:supervisor(Id, Flags, Children).

crash(At, Id) -> exit(At, Id, crash).
crashes(Times, Id) -> [crash(At, Id) || At <- Times].
exit(At, Id, Reason) -> {At, {exit, path(Id), Reason}}.
fail(At, Id, Times) -> {At, {fail_starts, path(Id), Times}}.
terminate(At, Id) -> {At, {terminate_child, path(Id)}}.
restart(At, Id) -> {At, {restart_child, path(Id)}}.
delete(At, Id) -> {At, {delete_child, path(Id)}}.
add(At, Parent, Child) -> {At, {start_child, Parent, Child}}.

path(Id) when is_atom(Id) -> [Id];
path(Path) -> Path.

steps(Name, Flags, Children, Entries) -> scenario(stepwise, Name, Flags, Children, Entries, last_time(Entries)).
real(Name, Flags, Children, Entries, StopAt) -> scenario(real_time, Name, Flags, Children, Entries, StopAt).
differs(Name, Flags, Children, Entries, StopAt) -> scenario(differs, Name, Flags, Children, Entries, StopAt).
refused(Name, Flags, Children) -> scenario(refused, Name, Flags, Children, [], 0).

before(Name, BeforeStart, Children) ->
    {Title, How, Policy} = steps(Name, #{}, Children, []),
    {Title, How, Policy#{before_start => BeforeStart}}.

scenario(How, Name, Flags, Children, Entries, StopAt) ->
    Script = lists:keysort(1, Entries ++ [{StopAt, stop}]),
    {lists:flatten(Name), How, #{supervisor => sup(top, Flags, Children), script => Script}}.

last_time([]) -> 0;
last_time(Entries) -> element(1, lists:last(Entries)).
