%% What happened in one run, in order, as OTP itself tells it.
%%
%% Starts are noted by the start functions. Stops and ends come from call traces on the supervisor module's own
%% functions, so that a stop is seen when the supervisor asks, not when the child obeys; giving up comes from the
%% supervisor's report. All carry a strictly monotonic integer, the order of creation in the whole node: events of
%% different processes merge into the one order that causality allows.
-module(conformance_log).
-export([install/1, new/0, delete/1, use/1, trace/1, note/2, collect/1]).
-export([born/3, pid/2, order_starts/4, next_start/2]).
-export([log/2]).
-export_type([log/0, event/0]).

-opaque log() :: ets:table().
-type event() ::
    {start, conformance_policy:path(), supervisor:startlink_ret()}
    | {stop, conformance_policy:path(), pid(), brutal_kill | timeout()}
    | {kill, pid()}
    | {give_up, conformance_policy:path()}
    | {ended, pid(), conformance_policy:path()}
    | {dead, pid()}
    | {reply, start_child | terminate_child | restart_child | delete_child, conformance_policy:path(), atom()}.

-define(LOG, conformance_log).

%% Once, for all runs: which functions are traced where tracing is on, and who reads the supervisors' reports.
-spec install([module()]) -> ok.
install(Modules) ->
    Returns = [{'_', [], [{return_trace}]}],
    [1 = erlang:trace_pattern({Module, shutdown, 1}, true, [local]) || Module <- Modules],
    [1 = erlang:trace_pattern({Module, terminate, 2}, Returns, [local]) || Module <- Modules],
    1 = erlang:trace_pattern({erlang, exit, 2}, [{['_', kill], [], []}], []),
    ok = logger:add_handler(?MODULE, ?MODULE, #{level => error}),
    ok = logger:remove_handler(default).

-spec new() -> log().
new() -> ets:new(?MODULE, [public, ordered_set]).

-spec delete(log()) -> true.
delete(Log) -> ets:delete(Log).

%% The calling supervisor's reports belong to this log.
-spec use(log()) -> ok.
use(Log) ->
    put(?LOG, Log),
    ok.

%% Traces a process and all that it will spawn; the caller is to collect.
-spec trace(pid()) -> ok.
trace(Pid) ->
    1 = erlang:trace(Pid, true, [call, set_on_spawn, strict_monotonic_timestamp, {tracer, self()}]),
    ok.

-spec note(log(), event()) -> ok.
note(Log, Event) ->
    true = ets:insert_new(Log, {{event, erlang:unique_integer([monotonic])}, Event}),
    ok.

%% Callback of logger, in the process that reports.
log(#{msg := {report, #{label := {supervisor, shutdown}}}}, _Config) ->
    Log = get(?LOG),
    note(Log, {give_up, path(Log, self())});
log(_Event, _Config) ->
    ok.

%% All events since the last time, in order.
-spec collect(log()) -> [event()].
collect(Log) ->
    Delivered = erlang:trace_delivered(all),
    receive
        {trace_delivered, all, Delivered} -> ok
    end,
    Noted = ets:select(Log, [{{{event, '$1'}, '$2'}, [], [{{'$1', '$2'}}]}]),
    ets:match_delete(Log, {{event, '_'}, '_'}),
    [Event || {_, Event} <- lists:keysort(1, Noted ++ traced(Log))].

traced(Log) ->
    receive
        {trace_ts, _, call, {_, shutdown, [Child]}, {_, At}} ->
            [{At, stop(Child, Log)} | traced(Log)];
        {trace_ts, _, call, {erlang, exit, [Pid, kill]}, {_, At}} ->
            [{At, {kill, Pid}} | traced(Log)];
        {trace_ts, Pid, return_from, {_, terminate, 2}, _, {_, At}} ->
            [{At, {ended, Pid, path(Log, Pid)}} | traced(Log)];
        {trace_ts, _, call, {_, terminate, 2}, _} ->
            traced(Log)
    after 0 -> []
    end.

%% #child{pid, id, mfargs, restart_type, significant, shutdown, child_type, modules} of supervisor.erl.
stop({child, Pid, _, _, _, _, Shutdown, _, _}, Log) -> {stop, path(Log, Pid), Pid, Shutdown}.

%% Who is who; the latest process of a path.
-spec born(log(), conformance_policy:path(), pid()) -> ok.
born(Log, Path, Pid) ->
    true = ets:insert(Log, [{{pid, Path}, Pid}, {{path, Pid}, Path}]),
    ok.

-spec pid(log(), conformance_policy:path()) -> pid() | undefined.
pid(Log, Path) ->
    case ets:lookup(Log, {pid, Path}) of
        [{_, Pid}] -> Pid;
        [] -> undefined
    end.

path(Log, Pid) -> ets:lookup_element(Log, {path, Pid}, 2).

%% How the next starts of a worker end; an order replaces the one before.
-spec order_starts(log(), conformance_policy:path(), fail_starts | ignore_starts, non_neg_integer()) -> ok.
order_starts(Log, Path, Outcome, Times) ->
    true = ets:insert(Log, {{next_starts, Path}, Outcome, Times}),
    ok.

-spec next_start(log(), conformance_policy:path()) -> fail_starts | ignore_starts | ready.
next_start(Log, Path) ->
    case ets:lookup(Log, {next_starts, Path}) of
        [{_, Outcome, Times}] when Times > 0 ->
            ok = order_starts(Log, Path, Outcome, Times - 1),
            Outcome;
        _ ->
            ready
    end.
