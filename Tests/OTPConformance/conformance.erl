%% Compares `flyfleet policy simulate` with a real OTP supervisor, line by line; Scripts/otp-conformance runs this.
%%
%% OTP comes first: what it does says what flyfleet has to print. Random cases run on a turned clock, or, where their
%% time stands still, on the supervisor as installed. The node ends with 0 only if nothing differs.
-module(conformance).
-export([main/0]).

%% Longest run of one policy, in OTP and in flyfleet; most that flyfleet may print in it; what is kept if it hangs.
-define(PATIENCE_MS, 60_000).
-define(OUTPUT_BYTES, 64 * 1024 * 1024).
-define(KEPT_BYTES, 64 * 1024).
-define(HUNG, <<"(did not end within 60 s and 64 MiB: killed)">>).
%% So many policies on which flyfleet hangs, and the rest of that share is left out.
-define(HANGS, 3).
%% The system's clock is at the mercy of the machine: there a difference counts when it comes back every time.
-define(ATTEMPTS, 3).
%% One random case in so many is also run without --verbose.
-define(SHORT, 10).
%% Differences that are shown, and lines around each.
-define(SHOWN, 5).
-define(AROUND, 3).

-type job() :: {random, pos_integer()} | {scenario, pos_integer(), conformance_scenarios:scenario()}.
-type difference() :: #{
    title := string(), file := file:filename(), replay := iodata(), line := pos_integer(),
    otp := [conformance_run:line()], flyfleet := [binary()]
}.
-type report() :: #{
    how := supervisor | otp_supervisor | real_time | differs | refused,
    entries := non_neg_integer(), actions := #{binary() => pos_integer()}, differences := [difference()],
    hung := boolean()
}.

main() ->
    Defaults = #{random => 2000, from => 1, seed => rand:uniform(1 bsl 32), scenarios => true},
    Options = #{seed := Seed, folder := Folder} = narrowed(options(init:get_plain_arguments(), Defaults)),
    ok = conformance_supervisor:load(),
    ok = conformance_log:install([supervisor, otp_supervisor]),
    io:format("otp-conformance: ~ts against ~ts, seed ~b~n", [flyfleet_version(Options), otp_version(), Seed]),
    Begin = erlang:monotonic_time(millisecond),
    Jobs = jobs(Options),
    Reports = run_all(Jobs, Options),
    Differences = lists:append([Found || #{differences := Found} <- Reports]),
    lists:foreach(fun show/1, lists:sublist(Differences, ?SHOWN)),
    LeftOut = length(Jobs) - length(Reports),
    Summary = summary(Reports, LeftOut, length(Differences), erlang:monotonic_time(millisecond) - Begin),
    io:format("~ts", [Summary]),
    %% An exit code of 0 alone proves nothing: the script asks for this too.
    ok = file:write_file(filename:join(Folder, "summary"), Summary),
    halt(min(1, length(Differences) + LeftOut)).

options([], Options) -> Options;
options(["--random", N | Rest], Options) -> options(Rest, Options#{random := list_to_integer(N)});
options(["--seed", N | Rest], Options) -> options(Rest, Options#{seed := list_to_integer(N)});
options(["--from", N | Rest], Options) -> options(Rest, Options#{from := list_to_integer(N)});
options(["--case", N | Rest], Options) -> options(Rest, Options#{only => {'case', list_to_integer(N)}});
options(["--scenarios-only" | Rest], Options) -> options(Rest, Options#{only => scenarios});
options(["--flyfleet", Program | Rest], Options) -> options(Rest, Options#{flyfleet => Program});
options(["--folder", Folder | Rest], Options) -> options(Rest, Options#{folder => Folder}).

%% What is the only thing wanted wins over the rest, in whatever order they come.
narrowed(Options = #{only := {'case', N}}) -> Options#{from := N, random := 1, scenarios := false};
narrowed(Options = #{only := scenarios}) -> Options#{random := 0};
narrowed(Options) -> Options.

jobs(#{scenarios := Scenarios, random := Random, from := From}) ->
    [{scenario, N, Scenario} || Scenarios, {N, Scenario} <- lists:enumerate(conformance_scenarios:all())] ++
        [{random, N} || N <- lists:seq(From, From + Random - 1)].

%% Real time is spent waiting: those jobs all run at once, beside as many others as there are processors.
-spec run_all([job()], map()) -> [report()].
run_all(Jobs, Options) ->
    {RealTime, Stepwise} = lists:partition(fun is_real_time/1, Jobs),
    Width = erlang:system_info(schedulers_online),
    Numbered = lists:enumerate(Stepwise),
    Shares = [[Job || {N, Job} <- Numbered, N rem Width =:= Share] || Share <- lists:seq(0, Width - 1)],
    Runners = [
        spawn_monitor(fun() -> exit({reports, run_share(Share, Options, 0)}) end)
     || Share <- [[Job] || Job <- RealTime] ++ Shares
    ],
    lists:append([
        receive
            {'DOWN', Monitor, process, Pid, {reports, Reports}} -> Reports;
            {'DOWN', Monitor, process, Pid, Reason} -> error({runner, Reason})
        end
     || {Pid, Monitor} <- Runners
    ]).

run_share([Job | Jobs], Options, Hangs) when Hangs < ?HANGS ->
    Report = #{hung := HasHung} = run(Job, Options),
    [Report | run_share(Jobs, Options, Hangs + length([hang || HasHung]))];
run_share(_, _, _) ->
    [].

is_real_time({scenario, _, {_, How, _}}) -> How =:= real_time orelse How =:= differs;
is_real_time(_) -> false.

-spec run(job(), map()) -> report().
run({random, N}, Options = #{seed := Seed}) ->
    Policy = #{script := Script} = conformance_random:policy(Seed, N),
    Module =
        case lists:usort([At || {At, _} <- Script]) of
            [_] -> supervisor;
            _ -> otp_supervisor
        end,
    Labels = #{
        title => io_lib:format("case ~b of seed ~b", [N, Seed]),
        file => io_lib:format("case-~b.json", [N]),
        replay => io_lib:format("Scripts/otp-conformance --seed ~b --case ~b", [Seed, N])
    },
    patiently(fun() -> compare(Module, Policy, Labels, N rem ?SHORT =:= 0, Options) end);
run({scenario, N, {Name, How, Policy}}, Options) ->
    Labels = #{
        title => "scenario " ++ Name,
        file => io_lib:format("scenario-~b.json", [N]),
        replay => "Scripts/otp-conformance --scenarios-only"
    },
    case How of
        stepwise -> compare(otp_supervisor, Policy, Labels, true, Options);
        real_time -> patiently(fun() -> compare_in_real_time(Policy, Labels, Options) end);
        differs -> expect_difference(Policy, Labels, Options);
        refused -> compare_refusals(Policy, Labels, Options)
    end.

%% The output of --verbose, and, where that is wanted too, the one without, which leaves lines out.
compare(Module, Policy, Labels, WantsShort, Options) ->
    Expected = in_time(fun() -> conformance_run:stepwise(Policy, Module) end),
    File = write(Policy, Labels, Options),
    Output = output(["--verbose", File], Options),
    Short = [
        [lists:filter(fun is_short/1, Expected), output([File], Options)]
     || WantsShort, not lists:member(?HUNG, Output)
    ],
    report(Module, Policy, [[Expected, Output] | Short], File, Labels).

compare_in_real_time(Policy, Labels, Options) ->
    Expected = in_time(fun() -> conformance_run:in_real_time(Policy) end),
    File = write(Policy, Labels, Options),
    Timeless = [without_time(Line) || Line <- output(["--verbose", File], Options), not is_note(Line)],
    report(real_time, Policy, [[Expected, Timeless]], File, Labels).

patiently(Compare) -> patiently(Compare, ?ATTEMPTS).

patiently(Compare, Attempts) ->
    case Compare() of
        #{how := How, differences := [_ | _], hung := false} when How =/= otp_supervisor, Attempts > 1 ->
            patiently(Compare, Attempts - 1);
        Report ->
            Report
    end.

%% A difference that is meant is there; when it is not, the table of differences is out of date.
expect_difference(Policy, Labels, Options) ->
    case compare_in_real_time(Policy, Labels, Options) of
        Report = #{differences := [#{file := File}], hung := false} ->
            ok = file:delete(File),
            Report#{how := differs, differences := []};
        Report = #{hung := true} ->
            Report;
        Report ->
            Nothing = Labels#{file := "(nothing differs, and something should)", line => 1, otp => [], flyfleet => []},
            Report#{how := differs, differences := [Nothing]}
    end.

%% What OTP calls a bad specification is bad configuration to flyfleet.
compare_refusals(Policy, Labels, Options) ->
    Answer = in_time(fun() -> conformance_run:start_alone(Policy) end),
    File = write(Policy, Labels, Options),
    Word = fun
        (true) -> <<"refused">>;
        (false) -> <<"accepted">>
    end,
    Flyfleet =
        case simulate([File], Options) of
            {hung, _} -> ?HUNG;
            {Status, _} -> Word(Status =:= 78)
        end,
    Pair = [[Word(is_bad_specification(Answer))], [Flyfleet]],
    report(refused, Policy, [Pair], File, Labels).

is_bad_specification({error, {start_spec, _}}) -> true;
is_bad_specification(_) -> false.

report(How, #{script := Script}, Pairs = [[Lines, _] | _], File, Labels) ->
    Differences = [
        Labels#{file := File, line => N, otp => Expected, flyfleet => Output}
     || [Expected, Output] <- Pairs, N <- first_difference(Expected, Output, 1)
    ],
    Differences =:= [] andalso file:delete(File),
    Actions = lists:foldl(fun(Line, Counts) -> counted(action(first(Line)), Counts) end, #{}, Lines),
    #{
        how => How, entries => length(Script), actions => Actions, differences => lists:sublist(Differences, 1),
        hung => lists:any(fun([_, Output]) -> lists:member(?HUNG, Output) end, Pairs)
    }.

counted(Action, Counts) -> maps:update_with(Action, fun(N) -> N + 1 end, 1, Counts).

first_difference([], [], _) ->
    [];
first_difference([Expected | ExpectedLines], [Line | Lines], N) ->
    case Expected =:= Line orelse (is_list(Expected) andalso lists:member(Line, Expected)) of
        true -> first_difference(ExpectedLines, Lines, N + 1);
        false -> [N]
    end;
first_difference(_, _, N) ->
    [N].

is_short([Line | _]) -> is_short(Line);
is_short(Line) -> not is_note(Line) andalso action(Line) =/= <<"reply">>.

%% Of --verbose, and no reply.
is_note(Line) -> lists:member(action(Line), [<<"event">>, <<"states">>]).

action(Line) ->
    case re:run(Line, <<"\"action\":\"([a-z_]+)\"">>, [{capture, [1], binary}]) of
        {match, [Action]} -> Action;
        nomatch -> <<>>
    end.

without_time(Line) -> re:replace(Line, <<"^\\{\"at_ms\":[0-9]+,">>, <<"{">>, [{return, binary}]).

%% In a process of its own, which takes everything it started with it.
in_time(Run) ->
    {Pid, Monitor} = spawn_monitor(fun() -> exit({done, Run()}) end),
    receive
        {'DOWN', Monitor, process, Pid, {done, Result}} -> Result;
        {'DOWN', Monitor, process, Pid, Reason} -> [iolist_to_binary(io_lib:format("OTP's side failed: ~0p", [Reason]))]
    after ?PATIENCE_MS ->
        exit(Pid, kill),
        [<<"OTP's side did not end">>]
    end.

write(Policy, #{file := Name}, #{folder := Folder}) ->
    File = filename:join(Folder, lists:flatten(Name)),
    ok = file:write_file(File, [conformance_json:encode(conformance_policy:to_json(Policy)), $\n]),
    File.

output(Arguments, Options) ->
    case simulate(Arguments, Options) of
        {0, Lines} -> Lines;
        {hung, Lines} -> Lines ++ [?HUNG];
        {Status, Lines} -> Lines ++ [iolist_to_binary(io_lib:format("exit code ~b", [Status]))]
    end.

simulate(Arguments, #{flyfleet := Program}) ->
    run_program(Program, ["policy", "simulate", "--clock", "otp" | Arguments]).

run_program(Program, Arguments) ->
    Port = open_port({spawn_executable, Program}, [{args, Arguments}, exit_status, binary, stderr_to_stdout]),
    Timer = erlang:start_timer(?PATIENCE_MS, self(), Port),
    {Status, Output} = read(Port, Timer, [], ?OUTPUT_BYTES),
    _ = erlang:cancel_timer(Timer),
    {Status, binary:split(Output, <<"\n">>, [global, trim])}.

read(Port, Timer, Read, Room) ->
    receive
        {Port, {data, Data}} when byte_size(Data) =< Room ->
            read(Port, Timer, [Read | Data], Room - byte_size(Data));
        {Port, {data, _}} ->
            {kill(Port), beginning(Read)};
        {Port, {exit_status, Status}} ->
            {Status, iolist_to_binary(Read)};
        {timeout, Timer, Port} ->
            {kill(Port), beginning(Read)}
    end.

beginning(Read) -> binary:part(iolist_to_binary(Read), 0, min(?KEPT_BYTES, iolist_size(Read))).

%% It leads a session of its own: all of that goes.
kill(Port) ->
    case erlang:port_info(Port, os_pid) of
        {os_pid, Pid} -> os:cmd("kill -s KILL -- -" ++ integer_to_list(Pid));
        undefined -> ended
    end,
    catch port_close(Port),
    forget(Port),
    hung.

forget(Port) ->
    receive
        {Port, _} -> forget(Port)
    after 0 -> ok
    end.

flyfleet_version(#{flyfleet := Program}) ->
    case run_program(Program, ["--version"]) of
        {0, [Version | _]} ->
            Version;
        {Status, _} ->
            io:format(standard_error, "otp-conformance: ~ts --version: ~p~n", [Program, Status]),
            halt(1)
    end.

otp_version() ->
    Release = erlang:system_info(otp_release),
    Version =
        case file:read_file(filename:join([code:root_dir(), "releases", Release, "OTP_VERSION"])) of
            {ok, Text} -> string:trim(Text);
            {error, _} -> Release
        end,
    ["OTP ", Version].

show(#{title := Title, file := File, replay := Replay, line := N, otp := Otp, flyfleet := Flyfleet}) ->
    io:format("~n~ts: line ~b differs~n  policy: ~ts~n  replay: ~ts~n", [Title, N, File, Replay]),
    First = max(1, N - ?AROUND),
    [io:format("           ~ts~n", [first(Line)]) || Line <- lists:sublist(Otp, First, N - First)],
    [io:format("  OTP      ~ts~n", [first(Line)]) || Line <- lists:sublist(Otp ++ [<<"(end)">>], N, ?AROUND)],
    [io:format("  flyfleet ~ts~n", [Line]) || Line <- lists:sublist(Flyfleet ++ [<<"(end)">>], N, ?AROUND)].

first([Line | _]) -> Line;
first(Line) -> Line.

summary(Reports, LeftOut, Differences, Milliseconds) ->
    Of = fun(How) -> length([Report || Report = #{how := Each} <- Reports, Each =:= How]) end,
    Sum = fun(#{actions := Each}, Sums) -> maps:merge_with(fun(_, One, Two) -> One + Two end, Each, Sums) end,
    Actions = lists:foldl(Sum, #{}, Reports),
    Count = fun(Action) -> maps:get(Action, Actions, 0) end,
    io_lib:format(
        "cases: ~b on a turned clock, ~b on the supervisor as installed, ~b there in real time; "
        "refused by both: ~b; meant to differ: ~b~n"
        "script entries: ~b; lines: ~b (start ~b, stop ~b, give_up ~b, exit ~b, reply ~b, states ~b)~n"
        "differences: ~b;~ts ~.1f s~n",
        [
            Of(otp_supervisor), Of(supervisor), Of(real_time) + Of(differs),
            Of(refused), Of(differs),
            lists:sum([Entries || #{entries := Entries} <- Reports]), lists:sum(maps:values(Actions)),
            Count(<<"start">>), Count(<<"stop">>), Count(<<"give_up">>), Count(<<"exit">>), Count(<<"reply">>),
            Count(<<"states">>), Differences, [io_lib:format(" left out after hangs: ~b;", [LeftOut]) || LeftOut > 0],
            Milliseconds / 1000
        ]
    ).
