%% Runs a policy in a real supervisor and tells what `flyfleet policy simulate --clock otp` has to print about it.
%%
%% With a turned clock every script entry is followed until nothing is under way any more. That is certain, not timed: a
%% supervisor that has work before it lists a child that is dead (its exit is not handled yet) or restarting (its retry
%% waits in the mailbox), and one that is at work does not answer which_children before it is done. In real time the
%% entries come when they are due, and what follows from them follows when it does.
-module(conformance_run).
-export([stepwise/2, in_real_time/1, start_alone/1]).
-export_type([line/0]).

%% Where OTP leaves a word open, a line has alternatives.
-type line() :: binary() | [binary()].

-record(run, {
    tree :: conformance_tree:run(),
    names :: conformance_policy:names(),
    %% Holds the root as an application master would, and alone may ask it to end.
    parent :: pid(),
    %% Processes that ended by themselves: OTP "stops" those too, and finds them gone.
    dead = #{} :: #{pid() => []},
    %% Processes that were asked to end, and how.
    asked = #{} :: #{pid() => {conformance_policy:path(), brutal_kill | timeout()}}
}).

%% All lines of a run, with --verbose. The clock stands still unless the module is otp_supervisor.
-spec stepwise(conformance_policy:policy(), supervisor | otp_supervisor) -> [line()].
stepwise(Policy = #{supervisor := Root, script := Script}, Module) ->
    Clock = conformance_supervisor:new_clock(),
    Run = begin_run(Policy, Module, Clock),
    Start = event(0, [{start, name([], Run)}]),
    start_root(Run, Root),
    receive
        {started, _} -> ok
    end,
    {Lines, Started} = settled(0, Run),
    {_, Steps} = lists:foldl(
        fun(Batch = [{At, _} | _], {Before, Done}) ->
            ok = conformance_supervisor:set_clock(Clock, At),
            Events = [event(At, conformance_policy:event_to_json(Action, Run#run.names)) || {_, Action} <- Batch],
            perform([Action || {_, Action} <- Batch], Before),
            {After, Now} = settled(At, Before),
            {Now, [After, Events | Done]}
        end,
        {Started, []},
        batches(Script)
    ),
    end_run(Run),
    lists:append([[Start], Lines | lists:reverse(Steps)]).

%% Starts, stops, kills, give-ups, ends and replies, in order and without times.
-spec in_real_time(conformance_policy:policy()) -> [line()].
in_real_time(Policy = #{supervisor := Root, script := Script}) ->
    Run = begin_run(Policy, supervisor, undefined),
    %% The window's clock begins a second where the script does.
    timer:sleep(1000 - erlang:monotonic_time(millisecond) rem 1000),
    Begin = erlang:monotonic_time(millisecond),
    start_root(Run, Root),
    lists:foreach(
        fun({At, Action}) ->
            timer:sleep(max(0, Begin + At - erlang:monotonic_time(millisecond))),
            perform_at_once(Action, Run)
        end,
        Script
    ),
    receive
        {ended, _} -> ok
    end,
    {Lines, _} = render(conformance_log:collect(log(Run)), undefined, Run),
    end_run(Run),
    Lines.

%% What the start of the root answers.
-spec start_alone(conformance_policy:policy()) -> supervisor:startlink_ret().
start_alone(#{supervisor := Root}) ->
    process_flag(trap_exit, true),
    conformance_tree:start_child(#{module => supervisor, log => conformance_log:new(), clock => undefined}, [], Root).

begin_run(Policy, Module, Clock) ->
    Log = conformance_log:new(),
    Tree = #{module => Module, log => Log, clock => Clock},
    Orders = maps:get(before_start, Policy, []),
    [ok = conformance_log:order_starts(Log, Path, Outcome, Times) || {Outcome, Path, Times} <- Orders],
    Driver = self(),
    Parent = spawn_link(fun() -> parent(Driver, Tree) end),
    ok = conformance_log:trace(Parent),
    #run{tree = Tree, names = conformance_policy:names(Policy), parent = Parent}.

end_run(Run = #run{parent = Parent}) ->
    Monitor = monitor(process, Parent),
    unlink(Parent),
    Parent ! finish,
    receive
        {'DOWN', Monitor, process, Parent, _} -> ok
    end,
    conformance_log:delete(log(Run)).

parent(Driver, Tree) ->
    process_flag(trap_exit, true),
    receive
        {start, Root} ->
            case conformance_tree:start_child(Tree, [], Root) of
                {ok, Pid} ->
                    Driver ! {started, Pid},
                    parent_of(Pid, Driver);
                {error, _} ->
                    Driver ! {started, none},
                    parent_of(none, Driver)
            end;
        {'EXIT', Driver, _} -> ok
    end.

parent_of(Root, Driver) ->
    receive
        stop ->
            is_pid(Root) andalso exit(Root, shutdown),
            parent_of(Root, Driver);
        {'EXIT', Root, _} ->
            Driver ! {ended, Root},
            parent_of(none, Driver);
        finish ->
            is_pid(Root) andalso exit(Root, kill);
        {'EXIT', Driver, _} ->
            is_pid(Root) andalso exit(Root, kill)
    end.

start_root(#run{parent = Parent}, Root) -> Parent ! {start, Root}.

log(#run{tree = #{log := Log}}) -> Log.

%% Exits at one time are one batch.
batches([]) ->
    [];
batches([Entry = {At, {exit, _, _}} | Entries]) ->
    {Exits, Rest} = lists:splitwith(
        fun
            ({ExitAt, {exit, _, _}}) -> ExitAt =:= At;
            (_) -> false
        end,
        Entries
    ),
    [[Entry | Exits] | batches(Rest)];
batches([Entry | Entries]) ->
    [[Entry] | batches(Entries)].

%% All processes are dead before a supervisor hears of the first; then one supervisor after the other does.
perform(Exits = [{exit, _, _} | _], Run = #run{tree = #{module := Module}}) ->
    Exiting = [
        {Supervisor, Pid, Reason}
     || {exit, Path, Reason} <- Exits,
        Pid <- living(Path, Run),
        Supervisor <- living(conformance_policy:parent(Path), Run)
    ],
    Supervisors = lists:uniq([Supervisor || {Supervisor, _, _} <- Exiting]),
    [ok = sys:suspend(Supervisor) || Supervisor <- Supervisors],
    [exit_below(Supervisor, Pid, Reason, Run) || {Supervisor, Pid, Reason} <- Exiting, is_process_alive(Pid)],
    resume(Supervisors, Module, Run);
perform([stop], Run = #run{parent = Parent}) ->
    lists:foreach(
        fun(Root) ->
            Parent ! stop,
            receive
                {ended, Root} -> ok
            end
        end,
        living([], Run)
    );
perform([Action], Run) ->
    perform_at_once(Action, Run).

%% Ends a worker, and waits until its exit signal lies in its supervisor's mailbox: the order there is the script's.
exit_below(Supervisor, Pid, Reason, Run) ->
    end_process(Pid, Reason, Run),
    wait_until(fun() ->
        {messages, Messages} = process_info(Supervisor, messages),
        lists:any(fun(Message) -> element(1, Message) =:= 'EXIT' andalso element(2, Message) =:= Pid end, Messages)
    end).

%% A suspended supervisor that its parent asks to end does so at once (sys:suspend_loop/6), and is not there any more.
resume([], _, _) ->
    ok;
resume([Supervisor | Supervisors], Module, Run) ->
    is_process_alive(Supervisor) andalso sys:resume(Supervisor),
    settle(Module, conformance_log:pid(log(Run), []), Supervisors),
    resume(Supervisors, Module, Run).

end_process(Pid, Reason, Run) ->
    conformance_log:note(log(Run), {dead, Pid}),
    case Reason of
        killed -> exit(Pid, kill);
        _ -> Pid ! {exit, Reason}
    end.

perform_at_once({exit, Path, Reason}, Run) ->
    [end_process(Pid, Reason, Run) || Pid <- living(Path, Run)];
perform_at_once({Outcome, Path, Times}, Run) when Outcome =:= fail_starts; Outcome =:= ignore_starts ->
    conformance_log:order_starts(log(Run), Path, Outcome, Times);
perform_at_once(stop, #run{parent = Parent}) ->
    Parent ! stop;
perform_at_once(Call, Run = #run{tree = #{clock := undefined}}) ->
    spawn_link(fun() -> call(Call, Run) end);
perform_at_once(Call, Run) ->
    call(Call, Run).

call({start_child, Parent, Child = #{id := Id}}, Run = #run{tree = Tree = #{module := Module}}) ->
    call(start_child, Parent ++ [Id], Run, fun(Supervisor) ->
        Module:start_child(Supervisor, conformance_tree:child_spec(Tree, Parent, Child))
    end);
call({Call, Path}, Run = #run{tree = #{module := Module}}) ->
    call(Call, Path, Run, fun(Supervisor) -> Module:Call(Supervisor, lists:last(Path)) end).

call(Call, Path, Run, Ask) ->
    Result =
        case living(conformance_policy:parent(Path), Run) of
            [Supervisor] ->
                try
                    result(Ask(Supervisor))
                catch
                    exit:_ -> no_process
                end;
            [] ->
                no_process
        end,
    conformance_log:note(log(Run), {reply, Call, Path, Result}).

result(ok) -> ok;
result({ok, undefined}) -> ignored;
result({ok, Pid}) when is_pid(Pid) -> ok;
result({error, {already_started, _}}) -> already_started;
result({error, Word}) when Word =/= failed, is_atom(Word) -> Word;
result({error, _}) -> start_failed.

living(Path, Run) ->
    [Pid || Pid <- [conformance_log:pid(log(Run), Path)], is_pid(Pid), is_process_alive(Pid)].

%% Waits until nothing is under way, and tells what happened since the last time and how everything is.
settled(At, Run = #run{tree = #{module := Module}}) ->
    View = settle(Module, conformance_log:pid(log(Run), []), []),
    {Lines, Now} = render(conformance_log:collect(log(Run)), At, Run),
    States = [{name(Path, Run), State} || {Path, State} <- View],
    {Lines ++ [line(At, states, [{states, States}])], Now}.

%% Those that are suspended are not asked.
settle(Module, Root, Suspended) ->
    case is_pid(Root) andalso is_process_alive(Root) of
        false ->
            [];
        true ->
            try
                view(Module, Root, [], Suspended)
            catch
                %% A supervisor ended instead of answering; something is still under way.
                exit:_ -> settle(Module, Root, Suspended);
                throw:unsettled -> settle(Module, Root, Suspended)
            end
    end.

view(Module, Supervisor, Path, Suspended) ->
    Children =
        case lists:member(Supervisor, Suspended) of
            true -> [];
            false -> lists:reverse(Module:which_children(Supervisor))
        end,
    lists:append([
        case Child of
            undefined ->
                [{Path ++ [Id], down}];
            restarting ->
                throw(unsettled);
            Pid ->
                is_process_alive(Pid) orelse throw(unsettled),
                Below = [view(Module, Pid, Path ++ [Id], Suspended) || Kind =:= supervisor],
                [{Path ++ [Id], running} | lists:append(Below)]
        end
     || {Id, Child, Kind, _} <- Children
    ]).

wait_until(Condition) ->
    Condition() orelse
        begin
            erlang:yield(),
            wait_until(Condition)
        end.

%% Events as lines. No time, no at_ms.
render(Events, At, Run) ->
    {Lines, Now} = lists:mapfoldl(fun(Event, Before) -> render_event(Event, At, Before) end, Run, Events),
    {lists:append(Lines), Now}.

render_event({start, [], {ok, _}}, _, Run) ->
    {[], Run};
render_event({start, Path, {ok, _}}, At, Run) ->
    {[line(At, start, [{child, name(Path, Run)}, {ok, true}])], Run};
render_event({start, Path, ignore}, At, Run) ->
    {[line(At, start, [{child, name(Path, Run)}, {ok, true}, {ignored, true}])], Run};
render_event({start, Path, {error, {shutdown, {failed_to_start_child, Id, _}}}}, At, Run) ->
    Exit = [{supervisor, name(Path, Run)}, {reason, failed_to_start_child}, {child, name(Path ++ [Id], Run)}],
    Start = [line(At, start, [{child, name(Path, Run)}, {ok, false}]) || Path =/= []],
    {[line(At, exit, Exit) | Start], Run};
render_event({start, Path, {error, failed}}, At, Run) ->
    {[line(At, start, [{child, name(Path, Run)}, {ok, false}])], Run};
render_event({stop, Path, Pid, Shutdown}, At, Run = #run{dead = Dead, asked = Asked}) ->
    case is_map_key(Pid, Dead) of
        true -> {[], Run};
        false -> {[line(At, stop, [{child, name(Path, Run)}])], Run#run{asked = Asked#{Pid => {Path, Shutdown}}}}
    end;
render_event({kill, Pid}, At, Run = #run{dead = Dead, asked = Asked}) ->
    case Asked of
        #{Pid := {_, brutal_kill}} -> {[], Run};
        #{Pid := {Path, _}} -> {[line(At, kill, [{child, name(Path, Run)}])], Run};
        #{} when is_map_key(Pid, Dead) -> {[], Run}
    end;
render_event({give_up, Path}, At, Run) ->
    {[line(At, give_up, [{supervisor, name(Path, Run)}])], Run};
render_event({ended, Pid, Path}, At, Run = #run{dead = Dead, asked = Asked}) ->
    case is_map_key(Pid, Asked) of
        true ->
            {[], Run};
        false ->
            Line = line(At, exit, [{supervisor, name(Path, Run)}, {reason, shutdown}]),
            {[Line], Run#run{dead = Dead#{Pid => []}}}
    end;
render_event({dead, Pid}, _, Run = #run{dead = Dead}) ->
    {[], Run#run{dead = Dead#{Pid => []}}};
render_event({reply, Call, Path, no_process}, At, Run) ->
    {[[reply(At, Call, Path, Result, Run) || Result <- [not_running, not_found]]], Run};
render_event({reply, Call, Path, Result}, At, Run) ->
    {[reply(At, Call, Path, Result, Run)], Run}.

reply(At, Call, Path, Result, Run) ->
    line(At, reply, [{call, Call}, {child, name(Path, Run)}, {result, Result}]).

name(Path, #run{names = Names}) -> conformance_policy:name(Path, Names).

event(At, Entry) -> line(At, event, Entry).

line(At, Action, Fields) ->
    conformance_json:encode([{at_ms, At} || At =/= undefined] ++ [{action, Action} | Fields]).
