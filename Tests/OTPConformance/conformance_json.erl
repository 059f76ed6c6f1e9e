%% JSON out: objects as lists of pairs in the order given, arrays as {array, List}, atoms and binaries as strings.
%% No escapes: ids and keys here are plain ASCII.
-module(conformance_json).
-export([encode/1]).

-type json() :: [{atom() | binary(), json()}] | {array, [json()]} | integer() | atom() | binary().
-export_type([json/0]).

-spec encode(json()) -> binary().
encode(Term) -> iolist_to_binary(value(Term)).

value({array, Items}) -> [$[, lists:join($,, [value(Item) || Item <- Items]), $]];
value(Pairs) when is_list(Pairs) ->
    [${, lists:join($,, [[string(Key), $:, value(Value)] || {Key, Value} <- Pairs]), $}];
value(Number) when is_integer(Number) -> integer_to_binary(Number);
value(Word) when Word =:= true; Word =:= false; Word =:= null -> atom_to_binary(Word);
value(Text) -> string(Text).

string(Text) when is_atom(Text) -> string(atom_to_binary(Text));
string(Text) when is_binary(Text) -> [$", Text, $"].
