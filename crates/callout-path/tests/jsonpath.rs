//! `JSONPath` (RFC 9535) by tables: which queries are refused and where, and what the others select.

use callout_core::{json::Json, limits::Limits};
use callout_path::{Mask, Path};

const SHOP: &str = r#"{"shop":{"book":[
    {"kind":"ref","author":"Rees","price":8.95},
    {"kind":"novel","author":"Waugh","price":12.99},
    {"kind":"novel","author":"Melville","isbn":"0-553","price":8.99},
    {"kind":"novel","author":"Tolkien","isbn":"0-395","price":22.99}],
    "bike":{"color":"red","price":399}}}"#;

/// Query, document, the array of what it selects.
const SELECTED: &[(&str, &str, &str)] = &[
    // The root.
    ("$", "[1,2]", "[[1,2]]"),
    ("$", "null", "[null]"),
    // Names.
    ("$.a", r#"{"a":1,"b":2}"#, "[1]"),
    ("$.a", r#"{"b":2}"#, "[]"),
    ("$.a", r#"[{"a":1}]"#, "[]"),
    ("$.a", r#""a""#, "[]"),
    ("$.a", r#"{"a":null}"#, "[null]"),
    ("$.a.b", r#"{"a":{"b":[]}}"#, "[[]]"),
    ("$.true", r#"{"true":1}"#, "[1]"),
    ("$.length", r#"{"length":1}"#, "[1]"),
    ("$._a1", r#"{"_a1":1}"#, "[1]"),
    ("$.é☺😀", r#"{"é☺😀":1}"#, "[1]"),
    ("$['a']", r#"{"a":1}"#, "[1]"),
    ("$[\"a\"]", r#"{"a":1}"#, "[1]"),
    ("$['']", r#"{"":1}"#, "[1]"),
    ("$['a b.c[0]']", r#"{"a b.c[0]":1}"#, "[1]"),
    ("$['0']", r#"{"0":1}"#, "[1]"),
    ("$['0']", "[1]", "[]"),
    ("$['\\'\"']", r#"{"'\"":1}"#, "[1]"),
    ("$[\"'\\\"\"]", r#"{"'\"":1}"#, "[1]"),
    ("$['\\\\']", r#"{"\\":1}"#, "[1]"),
    ("$['\\/\\b\\f\\n\\r\\t']", r#"{"/\b\f\n\r\t":1}"#, "[1]"),
    ("$['\\u263A']", r#"{"☺":1}"#, "[1]"),
    ("$['\\ud83D\\uDe00']", r#"{"😀":1}"#, "[1]"),
    ("$['\\u0000\\u007f']", "{\"\\u0000\u{7f}\":1}", "[1]"),
    ("$['e\\u0301']", r#"{"é":1}"#, "[]"),
    ("$['a','b']", r#"{"b":2,"a":1}"#, "[1,2]"),
    ("$['a','a']", r#"{"a":1}"#, "[1,1]"),
    ("$['a','x']", r#"{"a":1}"#, "[1]"),
    // Indexes.
    ("$[0]", "[1,2]", "[1]"),
    ("$[1]", "[1,2]", "[2]"),
    ("$[2]", "[1,2]", "[]"),
    ("$[-1]", "[1,2]", "[2]"),
    ("$[-3]", "[1,2]", "[]"),
    ("$[0]", r#"{"0":1}"#, "[]"),
    ("$[0]", r#""a""#, "[]"),
    ("$[0,-1,0]", "[1,2]", "[1,2,1]"),
    ("$[0,'a']", r#"{"a":1}"#, "[1]"),
    ("$[9007199254740991,-9007199254740991]", "[1]", "[]"),
    ("$[0][1]", "[[1,2]]", "[2]"),
    // Wildcards.
    ("$[*]", "[1,[2],{}]", "[1,[2],{}]"),
    ("$.*", r#"{"b":1,"a":[2]}"#, "[1,[2]]"),
    ("$[*]", "[]", "[]"),
    ("$.*", "7", "[]"),
    ("$.*.*", r#"[[1],{"a":2},3]"#, "[1,2]"),
    ("$[*,*]", "[1,2]", "[1,2,1,2]"),
    ("$[*][*,*]", "[[1],[2]]", "[1,1,2,2]"),
    // Slices.
    ("$[1:3]", "[0,1,2,3]", "[1,2]"),
    ("$[2:]", "[0,1,2,3]", "[2,3]"),
    ("$[:2]", "[0,1,2,3]", "[0,1]"),
    ("$[:]", "[0,1]", "[0,1]"),
    ("$[::]", "[0,1]", "[0,1]"),
    ("$[::2]", "[0,1,2,3,4]", "[0,2,4]"),
    ("$[::-1]", "[0,1,2]", "[2,1,0]"),
    ("$[3:0:-2]", "[0,1,2,3]", "[3,1]"),
    ("$[-2:]", "[0,1,2,3]", "[2,3]"),
    ("$[:-3]", "[0,1,2,3]", "[0]"),
    ("$[::0]", "[0,1]", "[]"),
    ("$[5:9]", "[0,1]", "[]"),
    ("$[1:0]", "[0,1]", "[]"),
    ("$[0:9007199254740991:9007199254740991]", "[0,1]", "[0]"),
    ("$[1:2]", r#"{"1":1,":":2}"#, "[]"),
    ("$[1:2,0]", "[0,1]", "[1,0]"),
    // Descents.
    ("$..a", r#"{"a":{"a":1},"b":[{"a":2}]}"#, r#"[{"a":1},1,2]"#),
    ("$..[0]", "[[1,[2]],3]", "[[1,[2]],1,2]"),
    ("$..*", r#"{"a":[1,{"b":2}]}"#, r#"[[1,{"b":2}],1,{"b":2},2]"#),
    ("$..[*]", "[[1]]", "[[1],1]"),
    ("$..['b','a']", r#"{"a":1,"b":2}"#, "[2,1]"),
    ("$..['a','a']", r#"{"a":[{"a":1}]}"#, r#"[[{"a":1}],[{"a":1}],1,1]"#),
    ("$..a..b", r#"{"a":{"a":{"b":1}}}"#, "[1,1]"),
    ("$..a", "5", "[]"),
    ("$.a..[::-1]", r#"{"a":[1,[2,3]]}"#, "[[2,3],1,3,2]"),
    ("$..[?@.a]", r#"{"x":{"a":1},"y":[{"a":2}]}"#, r#"[{"a":1},{"a":2}]"#),
    ("$..[?@..a]", r#"[[{"a":1,"b":[[2]]}],[3]]"#, r#"[[{"a":1,"b":[[2]]}],{"a":1,"b":[[2]]}]"#),
    ("$..book[?@.isbn].author", SHOP, r#"["Melville","Tolkien"]"#),
    ("$.shop..price", SHOP, "[8.95,12.99,8.99,22.99,399]"),
    ("$..book[-1].author", SHOP, r#"["Tolkien"]"#),
    ("$..book[0,1].price", SHOP, "[8.95,12.99]"),
    ("$..book[?@.price < 10].author", SHOP, r#"["Rees","Melville"]"#),
    // Blank space.
    ("$ .a\n[\t'b' , \r'c' ]  [ 0 ]", r#"{"a":{"b":[1],"c":[2]}}"#, "[1,2]"),
    ("$[ 1 : 5 : 2 ]", "[0,1,2,3]", "[1,3]"),
    ("$[ ? @ .a\n== 1 && ! ( @ [ 'b' ] ) ]", r#"[{"a":1},{"a":1,"b":2}]"#, r#"[{"a":1}]"#),
    ("$[?count( @ .* ) == 1]", "[[1],[]]", "[[1]]"),
    ("$[? @ > 1 , 0 ]", "[1,2]", "[2,1]"),
    ("$ ..a", r#"{"a":1}"#, "[1]"),
    // Conditions: existence.
    ("$[?@.a]", r#"[{"a":null},{"a":false},{"b":1},[],"a"]"#, r#"[{"a":null},{"a":false}]"#),
    ("$[?@]", "[0,null,false]", "[0,null,false]"),
    ("$[?!@.a]", r#"[{"a":1},{"b":1},2]"#, r#"[{"b":1},2]"#),
    ("$[?@[0]]", r#"[[],[1],{"0":1}]"#, "[[1]]"),
    ("$[?@.*]", r#"[[],[1],{},{"a":1},1]"#, r#"[[1],{"a":1}]"#),
    ("$[?@[?@ > 1]]", "[[1],[1,2],{}]", "[[1,2]]"),
    ("$[?$.a]", r#"{"a":1,"b":2}"#, "[1,2]"),
    ("$[?$.x]", r#"{"a":1}"#, "[]"),
    ("$.a[?@.b == $.c]", r#"{"a":[{"b":1},{"b":2}],"c":2}"#, r#"[{"b":2}]"#),
    ("$[?@..a]", r#"[[{"a":1}],[{}]]"#, r#"[[{"a":1}]]"#),
    ("$[?@]", r#"{"a":1,"b":null}"#, "[1,null]"),
    ("$[?@.a]", "7", "[]"),
    // Conditions: comparisons.
    ("$[?@ == 1]", r#"[1,1.0,1e0,10e-1,"1",true,[1]]"#, "[1,1.0,1e0,10e-1]"),
    ("$[?@ == -0]", "[0,-0,0.0,1]", "[0,-0,0.0]"),
    (
        "$[?@ == 12345678901234567890123]",
        "[12345678901234567890123,12345678901234567890124]",
        "[12345678901234567890123]",
    ),
    ("$[?@ > 9007199254740992]", "[9007199254740992,9007199254740993]", "[9007199254740993]"),
    ("$[?@ == 'a']", r#"["a","A","ab",["a"]]"#, r#"["a"]"#),
    ("$[?@ == '']", r#"["",null,[],{}]"#, r#"[""]"#),
    ("$[?@ == null]", r#"[null,0,"",false]"#, "[null]"),
    ("$[?@ == false]", "[null,0,false]", "[false]"),
    ("$[?@.a == null]", r#"[{"a":null},{},1]"#, r#"[{"a":null}]"#),
    ("$[?@.a != 1]", r#"[{"a":1},{"a":2},{},3]"#, r#"[{"a":2},{},3]"#),
    ("$[?@.a == @.b]", r#"[{"a":1,"b":1},{"a":1},{}]"#, r#"[{"a":1,"b":1},{}]"#),
    ("$[?@.x == $.y]", "[1]", "[1]"),
    (
        "$[?@.a < @.b]",
        r#"[{"a":1,"b":2},{"a":"a","b":"b"},{"a":1,"b":"2"},{"a":false,"b":true},{"a":[1],"b":[2]}]"#,
        r#"[{"a":1,"b":2},{"a":"a","b":"b"}]"#,
    ),
    ("$[?@ >= 2]", r#"[1,2,2.5,3,"3",null]"#, "[2,2.5,3]"),
    ("$[?@ <= 2]", "[1,2,2.5]", "[1,2]"),
    ("$[?@ <= 'b']", r#"["a","b","c"]"#, r#"["a","b"]"#),
    ("$[?@ >= 'b']", r#"["a","b","c"]"#, r#"["b","c"]"#),
    ("$[?2 < @]", "[1,2,3]", "[3]"),
    ("$[?@ <= null]", "[null,0,false]", "[null]"),
    ("$[?@ >= true]", "[true,false,1]", "[true]"),
    ("$[?@ < null]", "[null,0]", "[]"),
    ("$[?@.a <= @.b]", r#"[{},{"a":1},{"a":[1],"b":[1]}]"#, r#"[{},{"a":[1],"b":[1]}]"#),
    ("$[?@ > 'b']", r#"["a","b","ba","c","é","B"]"#, r#"["ba","c","é"]"#),
    ("$[?@ > '\\uffff']", r#"["😀","\uffff"]"#, r#"["😀"]"#),
    ("$[?@ == $[0]]", r#"[[1,{"a":2.0}],[1.0,{"a":2}],[1,{"a":3}],[1]]"#, r#"[[1,{"a":2.0}],[1.0,{"a":2}]]"#),
    (
        "$[?@ == $[0]]",
        r#"[{"a":1,"b":[]},{"b":[],"a":1},{"a":1},{"a":1,"c":[]}]"#,
        r#"[{"a":1,"b":[]},{"b":[],"a":1}]"#,
    ),
    ("$[?@[0] == @[-1]]", "[[1,2,1],[1,2],[]]", "[[1,2,1],[]]"),
    ("$[?'a' == 'a']", "[1]", "[1]"),
    ("$[?true == false]", "[1]", "[]"),
    // Conditions: together.
    ("$[?@.a || @.b && @.c]", r#"[{"a":1},{"b":1},{"b":1,"c":1}]"#, r#"[{"a":1},{"b":1,"c":1}]"#),
    ("$[?(@.a || @.b) && @.c]", r#"[{"a":1},{"b":1,"c":1}]"#, r#"[{"b":1,"c":1}]"#),
    ("$[?!(@ == 1 || @ == 2)]", "[1,2,3]", "[3]"),
    ("$[?(((@ == 1)))]", "[1,2]", "[1]"),
    ("$[?!(!(@ == 1))]", "[1,2]", "[1]"),
    ("$[?@ > 1 && @ < 4 && @ != 3]", "[1,2,3,4]", "[2]"),
    (
        "$[?@.a[?@.b[?@.c == 1]]]",
        r#"[{"a":[{"b":[{"c":1}]}]},{"a":[{"b":[{"c":2}]}]}]"#,
        r#"[{"a":[{"b":[{"c":1}]}]}]"#,
    ),
    ("$[?@ == 1, ?@ == 2]", "[2,1]", "[1,2]"),
    // Functions.
    ("$[?length(@) == 2]", r#"["ab","é😀",[1,2],{"a":1,"b":2},2,null,"a"]"#, r#"["ab","é😀",[1,2],{"a":1,"b":2}]"#),
    (
        "$[?length(@.a) == length(@.b)]",
        r#"[{"a":"x","b":[1]},{"a":1,"b":2},{"a":"x","b":""}]"#,
        r#"[{"a":"x","b":[1]},{"a":1,"b":2}]"#,
    ),
    ("$[?length('abc') == 3]", "[1]", "[1]"),
    ("$[?length(value($..a)) == 2]", r#"{"a":"xy","b":1}"#, r#"["xy",1]"#),
    ("$[?length(count(@)) == 1]", "[1]", "[]"),
    ("$[?count(@.*) == 0]", "[[],[1],1]", "[[],1]"),
    ("$[?count(@..*) > 2]", "[[1,2],[1,[2]]]", "[[1,[2]]]"),
    ("$[?count(@['a','a']) == 2]", r#"[{"a":1}]"#, r#"[{"a":1}]"#),
    ("$[?count(@) == 1.0]", "[7]", "[7]"),
    ("$[?value(@..a) == 1]", r#"[{"a":1},{"x":{"a":1}},{"a":1,"x":{"a":1}},{}]"#, r#"[{"a":1},{"x":{"a":1}}]"#),
    ("$[?value(@.*) == value(@.x)]", "[[1,2],[]]", "[[1,2],[]]"),
    ("$[?match(@, 'a.c')]", r#"["abc","xabc","abcx","a\nc","a😀c",1]"#, r#"["abc","a😀c"]"#),
    ("$[?search(@, 'b+')]", r#"["abc","ac","bb",null]"#, r#"["abc","bb"]"#),
    ("$[?!match(@, '[0-9]{2,3}')]", r#"["1","12","1234",5]"#, r#"["1","1234",5]"#),
    ("$[?match(@.t, $.p)]", r#"{"p":"x|y","a":{"t":"x"},"b":{"t":"xy"},"c":{"t":"y"}}"#, r#"[{"t":"x"},{"t":"y"}]"#),
    ("$[?match('ab', @)]", r#"["a.","[","(?i)AB","ab","\\w+",1,"a."]"#, r#"["a.","ab","a."]"#),
    ("$[?search('xaby', @) && !match('xaby', @)]", r#"["ab","x.*","b","xa"]"#, r#"["ab","b","xa"]"#),
    ("$[?match(@, value($..p))]", r#"{"q":{"p":"a*"},"v":"aa"}"#, r#"["aa"]"#),
    ("$[?match(1, '1') || match(@, 1)]", r#"["1"]"#, "[]"),
    ("$[?match(@, '')]", r#"["","a"]"#, r#"[""]"#),
    ("$[?match(@, '\\\\.\\\\p{Lu}')]", r#"[".A",".a","xA"]"#, r#"[".A"]"#),
    ("$[?search(@, '^a') && search(@, 'c$')]", r#"["abc","xabc"]"#, r#"["abc"]"#),
];

#[test]
fn what_queries_select() {
    let limits = Limits::default();
    assert!(SELECTED.len() >= 120);
    for (query, document, expected) in SELECTED {
        let path = Path::parse(query, &limits).unwrap_or_else(|error| panic!("{query}: {error}"));
        let document = Json::parse(document).unwrap();
        let found = path.value(&document, &limits).unwrap().map(std::borrow::Cow::into_owned);
        let found = if path.is_single() { found.into_iter().collect() } else { found.unwrap() };
        assert_eq!(found.to_string(), Json::parse(expected).unwrap().to_string(), "{query} on {document}");
    }
}

#[test]
fn singular_queries_give_one_value() {
    let singular = ["$", "$.a", "$['a'][0]['b']", "$[-1]", "$ .a [ 0 ]"];
    let plural = ["$.*", "$[*]", "$..a", "$[0,1]", "$['a','b']", "$[0:1]", "$[::]", "$[?@]", "$..[0]", "$.a.*.b"];
    for (queries, expected) in [(&singular[..], true), (&plural[..], false)] {
        for query in queries {
            assert_eq!(Path::parse(query, &Limits::default()).unwrap().is_single(), expected, "{query}");
        }
    }
}

/// Query, the character at which it is refused, a part of the message.
const REFUSED: &[(&str, usize, &str)] = &[
    // The path as a whole.
    ("", 1, "a path is missing"),
    ("$.", 3, "must follow `.` at once"),
    ("$..", 4, "must follow `..` at once"),
    ("$ ", 3, "blank space at the end"),
    ("$\n", 3, "blank space at the end"),
    (" $", 1, "no blank space before it"),
    ("$a", 2, "JSON Pointer such as `/$ref`"),
    ("$ref", 2, "JSON Pointer"),
    ("$.a$", 4, "`.` or `[` is expected"),
    ("$.a]", 4, "`.` or `[` is expected"),
    ("$.a b", 5, "`.` or `[` is expected"),
    ("$.*a", 4, "`.` or `[` is expected"),
    ("$$", 2, "`.` or `[` is expected"),
    ("$.é$", 4, "`.` or `[` is expected"),
    // Names behind dots.
    ("$. a", 3, "must follow `.` at once"),
    ("$.. a", 4, "must follow `..` at once"),
    ("$...a", 4, "must follow `..` at once"),
    ("$.'a'", 3, "must follow `.` at once"),
    ("$.1", 3, "an element is written `[0]`"),
    ("$..1", 4, "an element is written `[0]`"),
    ("$.[0]", 2, "no `.` stands before `[`"),
    ("$.content-type", 10, "['content-type']"),
    ("$.a.length()", 11, "`.` or `[` is expected"),
    // Brackets.
    ("$[", 2, "a `]` is missing"),
    ("$[0", 2, "a `]` is missing"),
    ("$[?(@.a]", 8, "a `)` is missing before it"),
    ("$[?(@.a", 4, "a `)` is missing"),
    ("$[0)", 4, "a `]` is missing before it"),
    ("$[]", 3, "is not expected here"),
    ("$[0,]", 5, "is not expected here"),
    ("$[,0]", 3, "is not expected here"),
    ("$[0 1]", 5, "is missing before this"),
    ("$['a' 'b']", 7, "is missing before this"),
    ("$[a]", 3, "must be quoted"),
    ("$[(@.length-1)]", 12, "no subtraction"),
    ("$[@.a]", 3, "is not expected here"),
    // Integers.
    ("$[01]", 3, "without leading zeros"),
    ("$[-0]", 3, "no index -0"),
    ("$[1.0]", 3, "an index is a whole number"),
    ("$[1e2]", 3, "an index is a whole number"),
    ("$[- 1]", 3, "a number is written like"),
    ("$[+1]", 3, "has no meaning"),
    ("$[9007199254740992]", 3, "lies between"),
    ("$[-9007199254740992]", 3, "lies between"),
    ("$[1:9007199254740992]", 5, "lies between"),
    ("$[::-0]", 5, "no index -0"),
    ("$[1:2:3:4]", 3, "is not expected here"),
    ("$[1:'a']", 5, "is not expected here"),
    // Strings.
    ("$['a", 3, "this string is not closed"),
    ("$['a\"]", 3, "this string is not closed"),
    ("$['a\tb']", 5, "must be escaped"),
    ("$['\\\"']", 4, "an escape in a string"),
    ("$[\"\\'\"]", 4, "an escape in a string"),
    ("$['\\x41']", 4, "an escape in a string"),
    ("$['\\u12']", 4, "an escape in a string"),
    ("$['\\ud800']", 4, "half a surrogate pair"),
    ("$['\\udc00\\ud800']", 4, "half a surrogate pair"),
    ("$['☺☺\\ud800\\u0041']", 6, "half a surrogate pair"),
    // Conditions.
    ("$[?]", 4, "is not expected here"),
    ("$[?1]", 5, "a literal is no condition"),
    ("$[?'a']", 7, "a literal is no condition"),
    ("$[?true && @.a]", 9, "a literal is no condition"),
    ("$[?@.a = 1]", 8, "compared by `==`"),
    ("$[?@.a === 1]", 10, "compared by `==`"),
    ("$[?@.a =~ /x/]", 8, "there is no `=~`"),
    ("$[?@.a & @.b]", 8, "joined by `&&`"),
    ("$[?@.a and @.b]", 8, "joined by `&&`"),
    ("$[?not @.a]", 4, "negated by `!`"),
    ("$[?@.a == x]", 11, "`x` must be quoted"),
    ("$[?@.a == True]", 11, "`True` must be quoted"),
    ("$[?a == 1]", 4, "members are written `@.a`"),
    ("$[?@.a == 01]", 11, "without leading zeros"),
    ("$[?@.a == 1.]", 11, "a number is written like"),
    ("$[?@.a == -]", 11, "a number is written like"),
    ("$[?@.a == +1]", 11, "has no meaning"),
    ("$[?@.* == 1]", 8, "cannot be compared"),
    ("$[?@..a == 1]", 9, "cannot be compared"),
    ("$[?1 == $[0:1]]", 11, "is not expected here"),
    ("$[?@['a','b'] < 1]", 15, "cannot be compared"),
    ("$[?(@.a) == 1]", 8, "is not expected here"),
    ("$[?@.a == 1 == 2]", 11, "is not expected here"),
    ("$[?!@.a == 1]", 9, "cannot be compared"),
    ("$[?!!@.a]", 5, "is not expected here"),
    ("$[?@.a == [1]]", 11, "is not expected here"),
    ("$[?@.a &&]", 10, "is not expected here"),
    ("$[?@.a @.b]", 8, "is missing before this"),
    ("$[?@.a == {}]", 11, "has no meaning"),
    // Functions.
    ("$[?size(@) == 1]", 4, "there is no function `size`"),
    ("$[?Length(@) == 1]", 4, "there is no function `Length`"),
    ("$[?none_of(@.a, @.b)]", 4, "there is no function `none_of`"),
    ("$[?length (@) == 1]", 4, "must follow `length` at once"),
    ("$[?length(@)]", 4, "is no condition"),
    ("$[?@.a && count(@.*)]", 11, "is no condition"),
    ("$[?!value(@.a)]", 5, "is no condition"),
    ("$[?length() == 1]", 11, "is not expected here"),
    ("$[?length(@, @) == 1]", 12, "is not expected here"),
    ("$[?length(@.*) == 1]", 4, "leads to one value"),
    ("$[?match(@.a)]", 13, "is not expected here"),
    ("$[?match(@..a, 'x')]", 4, "leads to one value"),
    ("$[?length(@) == length(@..a)]", 17, "leads to one value"),
    ("$[?match(@.a, 'x') == true]", 20, "is not compared"),
    ("$[?true == search(@.a, 'x')]", 12, "is not compared"),
    ("$[?count(1) == 1]", 10, "takes a path"),
    ("$[?value(null) == 1]", 10, "takes a path"),
    ("$[?count(length(@)) == 1]", 4, "takes a path"),
    ("$[?length(match(@, 'x')) == 1]", 11, "is no value"),
    ("$[?length(@ == 1) == 1]", 13, "no conditions"),
    ("$[?length(!@.a) == 1]", 11, "no conditions"),
    ("$[?length((@)) == 1]", 11, "no conditions"),
    ("$[?count(@.a[?1]) == 1]", 16, "a literal is no condition"),
    ("$[?count(@ @) == 1]", 12, "is missing before this"),
    ("$[?match(@, 'x') @.a]", 18, "is missing before this"),
    ("$[?count(@.a.) == 1]", 14, "must follow `.` at once"),
    ("$[?match(@, '\\\\d+')]", 4, "write `[0-9]`"),
    ("$[?match(@, 'a{9999}{9999}')]", 4, "nothing to repeat"),
    ("$[?match(@, 'a{999999}')]", 4, "too large"),
    ("$[?match(@, '(')]", 4, "not closed"),
    ("$[?length(length(length(length(@)))) == 1]", 25, "calls stand in each other"),
];

#[test]
fn what_is_refused_and_where() {
    assert!(REFUSED.len() >= 100);
    for (query, position, message) in REFUSED {
        let Err(error) = Path::parse(query, &Limits::default()) else { panic!("{query:?} is accepted") };
        assert_eq!(error.position(), *position, "{query:?}: {error}");
        assert!(error.message().contains(message), "{query:?}: {error}");
        assert_eq!(error.to_string(), format!("at character {position}: {}", error.message()));
    }
}

#[test]
fn what_filters_keep() {
    let table = [
        (
            "$..author",
            r#"{"shop":{"book":[{"author":"Rees"},{"author":"Waugh"},{"author":"Melville"},{"author":"Tolkien"}]}}"#,
        ),
        ("$.shop.bike['price','color']", r#"{"shop":{"bike":{"color":"red","price":399}}}"#),
        ("$.shop.book[::-2].price", r#"{"shop":{"book":[{"price":12.99},{"price":22.99}]}}"#),
        ("$.shop.book[?@.isbn && @.price > 9].author", r#"{"shop":{"book":[{"author":"Tolkien"}]}}"#),
        ("$.shop.bike.color", r#"{"shop":{"bike":{"color":"red"}}}"#),
        ("$.shop.book[?@.price > 100]", "null"),
        ("$.shop.cars", "null"),
    ];
    let document = Json::parse(SHOP).unwrap();
    for (query, expected) in table {
        let mut mask = Mask::new();
        Path::parse(query, &Limits::default()).unwrap().select(&document, &mut mask, &Limits::default()).unwrap();
        assert_eq!(mask.apply(&document).to_string(), expected, "{query}");
    }
}

#[test]
fn an_empty_list_that_a_path_goes_into_is_kept() {
    let table = [
        ("$[*]", "[]", "[]"),
        ("$.a[*].b", r#"{"a":[],"c":[]}"#, r#"{"a":[]}"#),
        ("$.a[:5]", r#"{"a":[]}"#, r#"{"a":[]}"#),
        ("$.a[?@.b > 1].b", r#"{"a":[]}"#, r#"{"a":[]}"#),
        ("$.a['b', *]", r#"{"a":[]}"#, r#"{"a":[]}"#),
        ("$.a[*].b[*]", r#"{"a":[{"b":[]},{"b":[1]},{"b":7},{}]}"#, r#"{"a":[{"b":[]},{"b":[1]}]}"#),
        ("$.*[*]", r#"{"a":[],"b":{},"c":[1]}"#, r#"{"a":[],"c":[1]}"#),
        // A descent keeps the one that it begins at; those that it comes by are no more than others.
        ("$..b", "[]", "[]"),
        ("$.a..b", r#"{"a":[],"c":[]}"#, r#"{"a":[]}"#),
        ("$..b", r#"{"a":[],"c":[{"b":1},[]]}"#, r#"{"c":[{"b":1}]}"#),
        ("$..b[*]", r#"{"a":[],"c":[{"b":[]},[]]}"#, r#"{"c":[{"b":[]}]}"#),
        ("$..[?@.b]", r#"{"a":[],"c":[{"b":1}]}"#, r#"{"c":[{"b":1}]}"#),
        // What goes into no element, and what is no empty list.
        ("$.a[0]", r#"{"a":[]}"#, "null"),
        ("$.a['b', 0]", r#"{"a":[]}"#, "null"),
        ("$.a.b", r#"{"a":[]}"#, "null"),
        ("/a/b", r#"{"a":[]}"#, "null"),
        ("/a/0", r#"{"a":[]}"#, "null"),
        ("$.a[*].b", r#"{"a":[{}]}"#, "null"),
        ("$.a[5:]", r#"{"a":[1]}"#, "null"),
        ("$.a[?@ > 1]", r#"{"a":[1]}"#, "null"),
        ("$.a[*]", r#"{"a":{}}"#, "null"),
        // A condition alone looks into it.
        ("$[?@.b[*]].b", r#"{"a":{"b":[]}}"#, "null"),
    ];
    let limits = Limits::default();
    for (query, document, expected) in table {
        let document = Json::parse(document).unwrap();
        let mut mask = Mask::new();
        Path::parse(query, &limits).unwrap().select(&document, &mut mask, &limits).unwrap();
        assert_eq!(mask.apply(&document).to_string(), expected, "{query} on {document}");
    }
}
