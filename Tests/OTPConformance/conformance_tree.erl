%% The tree under test: callback module of every supervisor, start functions, workers. All of it runs inside the
%% processes that are observed; it does what the policy says and never looks at what a supervisor decides.
-module(conformance_tree).
-behaviour(supervisor).
-export([start_child/3, child_spec/3, init/1]).
-export_type([run/0]).

%% No clock: the supervisor of the installation, in real time.
-type run() :: #{
    module := supervisor | otp_supervisor, log := conformance_log:log(), clock := atomics:atomics_ref() | undefined
}.

%% The start function of everybody. What it answers is noted when it is over, so a supervisor comes after its children.
-spec start_child(run(), conformance_policy:path(), conformance_policy:child()) -> supervisor:startlink_ret().
start_child(Run = #{module := Module, log := Log}, Path, Child = #{kind := supervisor}) ->
    Answer = Module:start_link(?MODULE, {Run, Path, Child}),
    conformance_log:note(Log, {start, Path, Answer}),
    Answer;
start_child(#{log := Log}, Path, Child = #{kind := worker}) ->
    Outcome = conformance_log:next_start(Log, Path),
    timer:sleep(maps:get(start_ms, Child, 0)),
    Answer =
        case Outcome of
            fail_starts -> {error, failed};
            ignore_starts -> ignore;
            ready -> start_worker(Log, Path, maps:get(stop_ms, Child, 0))
        end,
    conformance_log:note(Log, {start, Path, Answer}),
    Answer.

start_worker(Log, Path, StopMs) ->
    Supervisor = self(),
    Pid = spawn_link(fun() ->
        process_flag(trap_exit, true),
        Supervisor ! {ready, self()},
        work(Supervisor, StopMs)
    end),
    receive
        {ready, Pid} ->
            conformance_log:born(Log, Path, Pid),
            {ok, Pid}
    end.

work(Supervisor, StopMs) ->
    receive
        {exit, Reason} -> exit(Reason);
        {'EXIT', Supervisor, Reason} -> end_work(Reason, StopMs)
    end.

%% Asked to end, it takes its time, unless it ends by itself before.
end_work(Reason, null) ->
    end_work(Reason, infinity);
end_work(Reason, StopMs) ->
    receive
        {exit, OwnReason} -> exit(OwnReason)
    after StopMs -> exit(Reason)
    end.

init({Run = #{clock := Clock, log := Log}, Path, Child = #{intensity := Intensity, period := Period}}) ->
    Clock =:= undefined orelse conformance_supervisor:use_clock(Clock),
    conformance_log:use(Log),
    conformance_log:born(Log, Path, self()),
    Flags = (maps:with([strategy, auto_shutdown], Child))#{intensity => Intensity, period => Period},
    {ok, {Flags, [child_spec(Run, Path, Each) || Each <- conformance_policy:children(Child)]}}.

-spec child_spec(run(), conformance_policy:path(), conformance_policy:child()) -> supervisor:child_spec().
child_spec(Run, Parent, Child = #{kind := Kind, id := Id}) ->
    Start = {?MODULE, start_child, [Run, Parent ++ [Id], Child]},
    (maps:with([restart, significant, shutdown], Child))#{id => Id, type => Kind, start => Start}.
