%% OTP's own supervisor on a clock that can be turned by hand.
%%
%% otp_supervisor is the abstract code of the installed supervisor.beam, compiled again with two changes: the one call
%% of erlang:monotonic_time(1) reads a counter, and gen_server is told the new module name. Everything else, the
%% arithmetic of the restart window above all, stays OTP's. Where the changes do not fit exactly, load/0 throws: this is
%% another OTP than the one that was read.
-module(conformance_supervisor).
-export([load/0, new_clock/0, set_clock/2, use_clock/1, now_seconds/0]).

%% What must be found, and how often: add_restart/1 reads the clock, start_link/2,3 name the module.
-define(EXPECTED_SITES, #{clock => 1, start_link => 2}).

-define(CLOCK, conformance_clock).

-spec load() -> ok.
load() ->
    {ok, {supervisor, [{abstract_code, {raw_abstract_v1, Forms}}]}} =
        beam_lib:chunks(code:which(supervisor), [abstract_code]),
    {Changed, Sites} = change(Forms, #{}),
    Sites =:= ?EXPECTED_SITES orelse error({another_supervisor, #{found => Sites, expected => ?EXPECTED_SITES}}),
    {ok, otp_supervisor, Beam} = compile:forms(Changed, []),
    {module, otp_supervisor} = code:load_binary(otp_supervisor, "otp_supervisor.beam", Beam),
    ok.

change({attribute, Line, module, supervisor}, Sites) ->
    {{attribute, Line, module, otp_supervisor}, Sites};
change({call, Line, {remote, _, {atom, _, erlang}, {atom, _, monotonic_time}}, [{integer, _, 1}]}, Sites) ->
    Read = {remote, Line, {atom, Line, ?MODULE}, {atom, Line, now_seconds}},
    {{call, Line, Read, []}, count(clock, Sites)};
change({call, Line, {remote, _, {atom, _, gen_server}, {atom, _, start_link}} = Function, Arguments}, Sites) ->
    {{call, Line, Function, lists:map(fun rename/1, Arguments)}, count(start_link, Sites)};
change(Form, Sites) when is_tuple(Form) ->
    {Parts, NewSites} = change(tuple_to_list(Form), Sites),
    {list_to_tuple(Parts), NewSites};
change([Form | Forms], Sites) ->
    {Head, Sites1} = change(Form, Sites),
    {Tail, Sites2} = change(Forms, Sites1),
    {[Head | Tail], Sites2};
change(Other, Sites) ->
    {Other, Sites}.

rename({atom, Line, supervisor}) -> {atom, Line, otp_supervisor};
rename(Argument) -> Argument.

count(Site, Sites) -> maps:update_with(Site, fun(N) -> N + 1 end, 1, Sites).

%% A clock in milliseconds, at 0.
-spec new_clock() -> atomics:atomics_ref().
new_clock() -> atomics:new(1, [{signed, true}]).

-spec set_clock(atomics:atomics_ref(), integer()) -> ok.
set_clock(Clock, Milliseconds) -> atomics:put(Clock, 1, Milliseconds).

%% The calling supervisor lives by this clock.
-spec use_clock(atomics:atomics_ref()) -> ok.
use_clock(Clock) ->
    put(?CLOCK, Clock),
    ok.

%% What erlang:monotonic_time(1) is to a supervisor: whole seconds, rounded down.
-spec now_seconds() -> integer().
now_seconds() ->
    Milliseconds = atomics:get(get(?CLOCK), 1),
    (Milliseconds - (((Milliseconds rem 1000) + 1000) rem 1000)) div 1000.
