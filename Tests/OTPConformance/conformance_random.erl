%% Random policies. The same seed and number give the same policy, whatever ran before.
%%
%% A tree of up to 3 levels and 12 children whose ids repeat below different supervisors; a script of up to 30 entries
%% that ends with a stop. Time stands still, creeps, or jumps to the edges of seconds and of windows. Left out is what
%% OTP leaves to its scheduler: exits at one time below supervisors of which one is above the other.
-module(conformance_random).
-export([policy/2]).

-define(LEVELS, 3).
-define(CHILDREN, 12).
-define(ENTRIES, 30).
-define(IDS, [a, b, c, d, e, f, g, h, i, j, k, l]).

-record(world, {
    %% Whatever is in the tree or may come to be.
    specs :: #{conformance_policy:path() => conformance_policy:child()},
    now = 0 :: non_neg_integer(),
    frozen :: boolean(),
    %% Whom the last entry was about; the next one likes to be about the same.
    focus :: conformance_policy:path(),
    %% Latest first.
    script = [] :: [conformance_policy:entry()]
}).

-spec policy(integer(), pos_integer()) -> conformance_policy:policy().
policy(Seed, Number) ->
    rand:seed(exsss, {Seed, Number, 0}),
    {Root, _} = supervisor(top, ?LEVELS, never, rand:uniform(8), [0, 1, 2, 3, 5, 8], ?CHILDREN),
    Specs = specs([], Root),
    BeforeStart = [{one_of([fail_starts, ignore_starts]), Path, 1} || Path <- paths(worker, Specs), chance(3)],
    World = #world{specs = Specs, frozen = chance(25), focus = []},
    #world{script = Script} = grow(rand:uniform(?ENTRIES - 1), World),
    Entries = lists:sublist(lists:reverse(Script), ?ENTRIES - 1),
    Stop = {element(1, lists:last(Entries)), stop},
    Spelling = one_of([shortest, shortest, path]),
    #{supervisor => Root, before_start => BeforeStart, script => Entries ++ [Stop], spelling => Spelling}.

%% A supervisor and what is left of the children that may be declared.
supervisor(Id, Levels, ParentAuto, Count, Intensities, Left) ->
    Auto = one_of([never, never, never, any_significant, all_significant, all_significant]),
    {Children, NewLeft} = children(Levels, Auto, lists:sublist(shuffled(?IDS), Count), Left),
    Options = (common(ParentAuto))#{
        strategy => one_of([one_for_one, one_for_all, rest_for_one]),
        intensity => one_of(Intensities),
        period => one_of([1, 1, 2, 3, 5, 3600]),
        auto_shutdown => Auto
    },
    {conformance_policy:supervisor(Id, Options, Children), NewLeft}.

children(Levels, Auto, [Id | Ids], Left) when Left > 0 ->
    {Child, Left1} = child(Id, Levels, Auto, Left - 1),
    {Children, Left2} = children(Levels, Auto, Ids, Left1),
    {[Child | Children], Left2};
children(_, _, _, Left) ->
    {[], Left}.

child(Id, Levels, Auto, Left) ->
    case Levels > 1 andalso chance(35) of
        true -> supervisor(Id, Levels - 1, Auto, rand:uniform(5) - 1, [0, 1, 1, 2, 3, 4], Left);
        false -> {conformance_policy:worker(Id, maps:merge(common(Auto), one_of(shutdowns()))), Left}
    end.

common(Auto) ->
    Restart = one_of([permanent, permanent, permanent, transient, transient, temporary]),
    #{restart => Restart, significant => Auto =/= never andalso Restart =/= permanent andalso chance(50)}.

%% All the same to workers that end when they are asked.
shutdowns() -> [#{}, #{}, #{}, #{shutdown => brutal_kill}, #{shutdown => infinity}, #{shutdown => 1000}].

%% Whatever is in a tree, by path.
specs(Path, Child) ->
    Below = [specs(Path ++ [Id], Each) || Each = #{id := Id} <- conformance_policy:children(Child)],
    lists:foldl(fun maps:merge/2, #{Path => Child}, Below).

%% Sorted: the order of a map's keys is not for replays.
paths(Kind, Specs) -> lists:sort([Path || {Path, #{kind := Each}} <- maps:to_list(Specs), Each =:= Kind]).

%% The script, entry by entry.
grow(0, World) -> World;
grow(Entries, World) -> grow(Entries - 1, happen(later(World))).

happen(World = #world{specs = Specs}) ->
    case paths(worker, Specs) of
        [] -> start_child(World);
        Workers -> happen(rand:uniform(100), focused(Workers, World), World)
    end.

happen(N, Worker, World) when N =< 45 -> exit_of(Worker, World);
happen(N, Worker, World) when N =< 55 -> exits_beside(Worker, World);
happen(N, Worker, World) when N =< 65 -> add({fail_starts, Worker, rand:uniform(4)}, World);
happen(N, Worker, World) when N =< 72 -> add({ignore_starts, Worker, 1}, World);
happen(N, _, World) when N =< 93 ->
    Child = focused([Path || Path <- lists:sort(maps:keys(World#world.specs)), Path =/= []], World),
    add({one_of([terminate_child, terminate_child, restart_child, restart_child, delete_child]), Child}, World);
happen(_, _, World) ->
    start_child(World).

%% Some of a supervisor's workers die at the same time.
exits_beside(Worker, World = #world{specs = Specs}) ->
    Parent = conformance_policy:parent(Worker),
    Beside = [Path || Path <- paths(worker, Specs), conformance_policy:parent(Path) =:= Parent],
    lists:foldl(fun exit_of/2, World, lists:sublist(shuffled(Beside), 1 + rand:uniform(3))).

%% Exits at one time are handled by their supervisors in no certain order. That matters where one is above the other,
%% so such exits get different times, or something between them.
exit_of(Worker, World = #world{script = Script, now = Now, frozen = Frozen}) ->
    Exit = {exit, Worker, one_of([crash, crash, crash, killed, normal, shutdown])},
    Together = lists:takewhile(fun({At, Action}) -> At =:= Now andalso element(1, Action) =:= exit end, Script),
    case lists:all(fun({_, {exit, Other, _}}) -> may_exit_with(Other, Worker) end, Together) of
        true -> add(Exit, World);
        false when Frozen -> add(Exit, add({restart_child, Worker}, World));
        false -> add(Exit, World#world{now = Now + 1})
    end.

may_exit_with(Other, Worker) ->
    {One, Two} = {conformance_policy:parent(Other), conformance_policy:parent(Worker)},
    One =:= Two orelse not (lists:prefix(One, Two) orelse lists:prefix(Two, One)).

%% A child is added that is new, or was there before, or still is; now and then its start has been spoilt.
start_child(World = #world{specs = Specs}) ->
    Parent = one_of(paths(supervisor, Specs)),
    #{Parent := #{auto_shutdown := Auto}} = Specs,
    Path = Parent ++ [one_of(?IDS)],
    Child =
        case Specs of
            #{Path := Before} -> Before;
            _ -> element(1, child(lists:last(Path), ?LEVELS - length(Parent), Auto, 4))
        end,
    Known = World#world{specs = maps:merge(specs(Path, Child), Specs)},
    Ready =
        case Child of
            #{kind := worker} -> maybe_spoilt(Path, Known);
            #{kind := supervisor} -> Known
        end,
    Added = add({start_child, Parent, Child}, Ready),
    Added#world{focus = Path}.

maybe_spoilt(Path, World) ->
    case chance(30) of
        true -> add({one_of([fail_starts, ignore_starts]), Path, 1}, World);
        false -> World
    end.

add(Action, World = #world{now = Now, script = Script}) ->
    Focus =
        case Action of
            {_, Path} -> Path;
            {_, Path, _} -> Path
        end,
    World#world{script = [{Now, Action} | Script], focus = Focus}.

%% Time goes on, or not; often to where a stamp is just within a window or just not.
later(World = #world{frozen = true}) ->
    World;
later(World = #world{now = Now}) ->
    Time =
        case rand:uniform(100) of
            N when N =< 45 -> Now;
            N when N =< 70 -> Now + rand:uniform(400);
            N when N =< 80 -> edge(Now, 1);
            _ -> window_edge(World)
        end,
    World#world{now = max(Now, Time)}.

window_edge(#world{now = Now, specs = Specs, script = Script}) ->
    #{period := Period} = maps:get(one_of(paths(supervisor, Specs)), Specs),
    Exits = [At || {At, {exit, _, _}} <- lists:sublist(Script, 8)],
    edge(one_of([Now | Exits]), Period + one_of([0, 1])).

edge(Since, Seconds) -> (Since div 1000 + Seconds) * 1000 + one_of([-1, 0, 1]).

focused(Paths, #world{focus = Focus}) ->
    case lists:member(Focus, Paths) andalso chance(40) of
        true -> Focus;
        false -> one_of(Paths)
    end.

chance(Percent) -> rand:uniform(100) =< Percent.

one_of(List) -> lists:nth(rand:uniform(length(List)), List).

shuffled(List) -> [Item || {_, Item} <- lists:sort([{rand:uniform(), Item} || Item <- List])].
