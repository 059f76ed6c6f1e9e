%% A policy as both sides understand it: a tree of specifications and a script, and the file that says it in JSON.
%%
%% A path is the list of ids from below the root to the child; the root's is []. In lines a child goes by its bare id
%% where that is unique in the whole tree, children that the script adds included, else by its path. So it does in
%% scripts, which may also spell out every path.
-module(conformance_policy).
-export([worker/1, worker/2, supervisor/3, children/1, parent/1, names/1, name/2, to_json/1, event_to_json/2]).
-export_type([policy/0, child/0, path/0, action/0, entry/0, names/0]).

-type id() :: atom().
-type path() :: [id()].
-type child() :: #{kind := worker | supervisor, id := id(), atom() => term()}.
-type action() ::
    {exit, path(), crash | normal | shutdown | killed}
    | {fail_starts | ignore_starts, path(), pos_integer()}
    | {terminate_child | restart_child | delete_child, path()}
    | {start_child, path(), child()}
    | stop.
-type entry() :: {AtMilliseconds :: non_neg_integer(), action()}.
-type policy() :: #{
    supervisor := child(), script := [entry()], before_start => [action()], spelling => shortest | path
}.
-type names() :: #{path() => binary()}.

-spec worker(id()) -> child().
worker(Id) -> worker(Id, #{}).

%% Options: restart, significant, shutdown, stop_ms, start_ms.
-spec worker(id(), map()) -> child().
worker(Id, Options) -> maps:merge(#{kind => worker, id => Id, restart => permanent, significant => false}, Options).

%% Options: strategy, intensity, period, auto_shutdown, restart, significant, shutdown.
-spec supervisor(id(), map(), [child()]) -> child().
supervisor(Id, Options, Children) ->
    Defaults = #{
        kind => supervisor, id => Id, restart => permanent, significant => false, strategy => one_for_one,
        intensity => 1, period => 5, auto_shutdown => never, children => Children
    },
    maps:merge(Defaults, Options).

-spec children(child()) -> [child()].
children(Child) -> maps:get(children, Child, []).

-spec parent(path()) -> path().
parent(Path) -> lists:droplast(Path).

%% All paths below the root, whether declared or added by the script, in no order.
paths(#{supervisor := Root, script := Script}) ->
    Added = lists:append([below(Path, [Child]) || {_, {start_child, Path, Child}} <- Script]),
    lists:usort(below([], children(Root)) ++ Added).

below(Path, Children) ->
    lists:append([
        [Path ++ [Id] | below(Path ++ [Id], children(Child))]
     || Child = #{id := Id} <- Children
    ]).

-spec names(policy()) -> names().
names(Policy = #{supervisor := #{id := Root}}) ->
    Paths = [[Root] | paths(Policy)],
    Names = maps:from_list([{Path, shortest(Path, Paths)} || Path <- Paths]),
    Names#{[] => atom_to_binary(Root)}.

shortest(Path, Paths) ->
    Id = lists:last(Path),
    case [Other || Other <- Paths, lists:last(Other) =:= Id] of
        [_] -> atom_to_binary(Id);
        _ -> joined(Path)
    end.

joined(Path) -> iolist_to_binary(lists:join($/, [atom_to_binary(Id) || Id <- Path])).

-spec name(path(), names()) -> binary().
name(Path, Names) -> maps:get(Path, Names, joined(Path)).

%% The file.
-spec to_json(policy()) -> conformance_json:json().
to_json(Policy = #{supervisor := Root, script := Script}) ->
    Names =
        case maps:get(spelling, Policy, shortest) of
            shortest -> names(Policy);
            path -> maps:with([[]], names(Policy))
        end,
    Before = maps:get(before_start, Policy, []),
    [{clock, otp}, {supervisor, supervisor_to_json(Root)}] ++
        [{before_start, {array, [action_to_json(Action, Names) || Action <- Before]}} || Before =/= []] ++
        [{script, {array, [[{at_ms, At} | action_to_json(Action, Names)] || {At, Action} <- Script]}}].

%% What is said of an entry when it happens: the same, but for a new child, of which the name is enough.
-spec event_to_json(action(), names()) -> conformance_json:json().
event_to_json({start_child, Path, #{id := Id}}, Names) ->
    [{call, start_child}, {supervisor, name(Path, Names)}, {child, name(Path ++ [Id], Names)}];
event_to_json(Action, Names) ->
    action_to_json(Action, Names).

action_to_json({exit, Path, Reason}, Names) -> [{exit, name(Path, Names)}, {reason, Reason}];
action_to_json({start_child, Path, Child}, Names) ->
    [{call, start_child}, {supervisor, name(Path, Names)}, {child, child_to_json(Child)}];
action_to_json({Starts, Path, Times}, Names) -> [{Starts, name(Path, Names)}, {times, Times}];
action_to_json({Call, Path}, Names) -> [{call, Call}, {child, name(Path, Names)}];
action_to_json(stop, Names) -> [{stop, name([], Names)}].

child_to_json(Child = #{kind := supervisor}) -> [{supervisor, supervisor_to_json(Child)}];
child_to_json(Child = #{kind := worker}) -> common(Child) ++ optional([shutdown, stop_ms, start_ms], Child).

supervisor_to_json(Child = #{strategy := Strategy, intensity := Intensity, period := Period, auto_shutdown := Auto}) ->
    common(Child) ++ optional([shutdown], Child) ++
        [
            {strategy, Strategy},
            {max_restarts, Intensity},
            {max_seconds, Period},
            {auto_shutdown, Auto},
            {children, {array, lists:map(fun child_to_json/1, children(Child))}}
        ].

common(#{id := Id, restart := Restart, significant := Significant}) ->
    [{id, Id}, {restart, Restart}, {significant, Significant}].

optional(Keys, Child) -> [{Key, maps:get(Key, Child)} || Key <- Keys, is_map_key(Key, Child)].
