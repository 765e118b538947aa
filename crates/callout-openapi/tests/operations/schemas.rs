//! Schemas: what is written of them, and what is cut.

use callout_core::json::Json;

use crate::{SEVERAL, body, expect, imported, told};

#[test]
fn schemas_stand_alone_and_are_of_one_dialect() {
    let schema = |version: &str, schema: &str, components: &str| {
        let found = imported(
            version,
            "/x",
            "post",
            &body("application/json", &format!(r#"{{"properties": {{"p": {schema}}}}}"#), true),
            components,
        );
        let told = told(&found);
        let written = Json::parse(&told[1]).unwrap();
        let property =
            written.get("properties").and_then(|all| all.get("p")).map(ToString::to_string).unwrap_or_default();
        let definitions = written.get("$defs").map(|all| format!(" {all}")).unwrap_or_default();
        let losses: Vec<_> =
            told[2..].iter().filter(|line| line.starts_with('-')).map(|line| format!(" {line}")).collect();
        format!("{property}{definitions}{}", losses.concat())
    };
    for (text, expected) in [
        (
            r#"{"type": "string", "nullable": true, "enum": ["a", "a"]}"#,
            r#"{"type":["string","null"],"enum":["a",null]}"#,
        ),
        (
            r#"{"type": "integer", "minimum": 1, "exclusiveMinimum": true, "maximum": 9, "exclusiveMaximum": false}"#,
            r#"{"type":"integer","exclusiveMinimum":1,"maximum":9}"#,
        ),
        (
            r#"{"nullable": true, "allOf": [{"type": "string"}]}"#,
            r#"{"anyOf":[{"allOf":[{"type":"string"}]},{"type":"null"}]}"#,
        ),
        (
            r#"{"type": "file", "required": true, "items": 3, "minLength": -1, "pattern": 5, "x-a": 1, "example": 1, "xml": {}}"#,
            "{} - `type` is not in shape: it is not checked - `items` is not in shape: it is not checked - `minLength` is not in shape: it is not checked - `pattern` is not in shape: it is not checked",
        ),
        // What stands around what is not in shape gives way.
        (
            r#"{"oneOf": [{"type": "any"}, {"type": "string"}]}"#,
            r#"{"anyOf":[{},{"type":"string"}]} - `type` is not in shape: it is not checked"#,
        ),
        (r#"{"not": {"type": "file"}}"#, "{} - `type` is not in shape: it is not checked"),
        (
            r#"{"oneOf": [{"minimum": "10"}, {"maximum": 9}]}"#,
            r#"{"anyOf":[{},{"maximum":9}]} - `minimum` is not in shape: it is not checked"#,
        ),
        (r#"{"properties": 1, "additionalProperties": false}"#, "{} - `properties` is not in shape: it is not checked"),
        (
            r#"{"oneOf": [{"type": "number", "required": false, "exclusiveMinimum": true, "anyOf": [], "pattern": null}, {"type": "null"}]}"#,
            r#"{"oneOf":[{"type":"number"},{"type":"null"}]}"#,
        ),
        (
            r#"{"type": "array", "items": {"type": "object", "properties": {"r": {"readOnly": true}, "w": {"writeOnly": true}}, "required": ["r", "w"]}}"#,
            r#"{"type":"array","items":{"type":"object","properties":{"w":{}},"required":["w"]}}"#,
        ),
        (
            r#"{"allOf": [{"properties": {"id": {"readOnly": true}}}, {"required": ["id", "n"]}], "required": ["id"]}"#,
            r#"{"allOf":[{"properties":{}},{"required":["n"]}]}"#,
        ),
        (
            r#"{"allOf": [{"properties": {"id": {"readOnly": true}}}, {"properties": {"in": {"required": ["id"]}}}]}"#,
            r#"{"allOf":[{"properties":{}},{"properties":{"in":{"required":["id"]}}}]}"#,
        ),
        // What stands around a property that is left out gives way, but for what closes the object.
        (
            r#"{"oneOf": [{"properties": {"k": {"enum": ["a"], "readOnly": true}, "n": {}}}, {"properties": {"k": {"enum": ["b"], "readOnly": true}, "n": {}}}]}"#,
            r#"{"anyOf":[{"properties":{"n":{}}},{"properties":{"n":{}}}]}"#,
        ),
        (r#"{"not": {"properties": {"id": {"enum": ["x"], "readOnly": true}}}}"#, "{}"),
        (
            r#"{"properties": {"id": {"readOnly": true}}, "additionalProperties": false}"#,
            r#"{"properties":{},"additionalProperties":false}"#,
        ),
        (r#"{"type": "string", "enum": [1, true, "x"]}"#, r#"{"type":"string","enum":["1","true","x"]}"#),
        (
            r#"{"minLength": 2.0, "multipleOf": 0, "default": [1], "description": "<b>Bold</b> text"}"#,
            r#"{"minLength":2,"default":[1],"description":"Bold text"} - `multipleOf` is not in shape: it is not checked"#,
        ),
        ("7", "{} - is no schema but of type number: anything is accepted"),
        (
            r#"{"$ref": "other.yaml#/A"}"#,
            r#"{} - `$ref` "other.yaml#/A" leads out of the document, and nothing is fetched: anything is accepted"#,
        ),
        (r##"{"$ref": "#/nowhere"}"##, r##"{} - `$ref` "#/nowhere" leads nowhere: anything is accepted"##),
    ] {
        assert_eq!(schema("3.0.3", text, "{}"), expected, "{text}");
    }
    for (text, expected) in [
        (r#"{"type": ["string", "null", "string"], "const": null}"#, r#"{"type":["string","null"],"const":null}"#),
        (
            r#"{"type": ["string", "any"], "const": null}"#,
            r#"{"const":null} - `type` is not in shape: it is not checked"#,
        ),
        ("true", "{}"),
        ("false", r#"{"not":{}}"#),
        (
            r#"{"items": [{"type": "string"}], "exclusiveMinimum": 1, "dependentRequired": {"a": ["b"], "c": 1}}"#,
            r#"{"prefixItems":[{"type":"string"}],"exclusiveMinimum":1,"dependentRequired":{"a":["b"]}}"#,
        ),
        (r##"{"$dynamicRef": "#x"}"##, "{} - `$dynamicRef` is not followed: anything is accepted"),
    ] {
        assert_eq!(schema("3.1.0", text, "{}"), expected, "{text}");
    }
    let components = r##"{
        "Tree": {"type": "object", "description": "T", "properties": {"next": {"$ref": "#/components/schemas/Tree"}}},
        "Once": {"type": "object", "properties": {"x": {"type": "string", "pattern": "^[a-z]+$", "enum": ["a", "b"]}}},
        "Tag": {"type": "string", "description": "a tag"},
        "Base": {"properties": {"id": {"readOnly": true}, "n": {"type": "null"}}},
        "Own": {"required": ["id", "n"], "properties": {"id": {}, "own": {"$ref": "#/components/schemas/Own"}}},
        "A": {"$ref": "#/components/schemas/B"}, "B": {"$ref": "#/components/schemas/A"}}"##;
    for (text, expected) in [
        // What refers to itself is a definition; what is used once, or is small, is written in place.
        (
            r##"{"$ref": "#/components/schemas/Tree"}"##,
            r##"{"$ref":"#/$defs/Tree"} {"Tree":{"type":"object","description":"T","properties":{"next":{"$ref":"#/$defs/Tree"}}}}"##,
        ),
        (
            r##"{"$ref": "#/components/schemas/Once"}"##,
            r#"{"type":"object","properties":{"x":{"type":"string","pattern":"^[a-z]+$","enum":["a","b"]}}}"#,
        ),
        (
            r##"{"prefixItems": [{"$ref": "#/components/schemas/Tag"}, {"$ref": "#/components/schemas/Tag", "description": "mine"}, {"$ref": "#/components/schemas/Tag", "maxLength": 3}]}"##,
            r#"{"prefixItems":[{"type":"string","description":"a tag"},{"type":"string","description":"mine"},{"type":"string","description":"a tag","maxLength":3}]}"#,
        ),
        // What one part has as only read, the others do not require.
        (
            r##"{"allOf": [{"$ref": "#/components/schemas/Base"}, {"allOf": [{"required": ["id", "n"]}]}]}"##,
            r#"{"allOf":[{"properties":{"n":{"type":"null"}}},{"allOf":[{"required":["n"]}]}]}"#,
        ),
        (
            r##"{"$ref": "#/components/schemas/Base", "required": ["n", "id"]}"##,
            r#"{"properties":{"n":{"type":"null"}},"required":["n"]}"#,
        ),
        (
            r##"{"allOf": [{"$ref": "#/components/schemas/Own"}, {"properties": {"id": {"readOnly": true}}}]}"##,
            r##"{"allOf":[{"$ref":"#/$defs/Own"},{"properties":{}}]} {"Own":{"required":["n"],"properties":{"id":{},"own":{"$ref":"#/$defs/Own_2"}}},"Own_2":{"required":["id","n"],"properties":{"id":{},"own":{"$ref":"#/$defs/Own_2"}}}}"##,
        ),
        (r##"{"$ref": "#/components/schemas/A"}"##, "{} - `$ref` leads round in a circle: anything is accepted"),
    ] {
        assert_eq!(schema("3.1.0", text, components), expected, "{text}");
    }
}

#[test]
fn large_and_deep_schemas_are_cut_and_it_is_said() {
    let wide: Vec<String> =
        (0..3_000).map(|at| format!(r#""p{at}": {{"type": "string", "description": "{}"}}"#, "d".repeat(60))).collect();
    let found = imported(
        "3.0.3",
        "/x",
        "post",
        &body(
            "application/json",
            &format!(r#"{{"properties": {{"in": {{"properties": {{{}}}}}}}}}"#, wide.join(",")),
            true,
        ),
        "{}",
    );
    let lines = told(&found);
    assert!(lines[1].len() <= 64 << 10, "{}", lines[1].len());
    assert!(lines.iter().any(|line| line.starts_with("- the schema is too large")), "{:?}", &lines[2..]);
    let deep = (0..40)
        .fold("{\"type\": \"string\"}".to_owned(), |inner, _| format!(r#"{{"type": "array", "items": {inner}}}"#));
    let found = imported(
        "3.1.0",
        "/x",
        "post",
        &body("application/json", &format!(r#"{{"properties": {{"p": {deep}}}}}"#), true),
        "{}",
    );
    let lines = told(&found);
    assert_eq!(lines[2..], ["- the schema nests too deep: what is below is not checked"]);
}

#[test]
fn alternatives_that_are_cut_may_both_hold() {
    let alternative = |name: &str| format!(r#"{{"type": "object", "required": ["{name}"], "properties": {{}}}}"#);
    let alternatives = format!(r#"{{"oneOf": [{}, {}]}}"#, alternative("card"), alternative("bank"));
    let deep = (0..29).fold(alternatives, |inner, _| format!(r#"{{"type": "array", "items": {inner}}}"#));
    let schema = format!(r#"{{"properties": {{"p": {deep}}}}}"#);
    let lines = told(&imported("3.1.0", "/x", "post", &body("application/json", &schema, true), "{}"));
    assert!(lines[1].contains(r#""items":{"anyOf":[{"type":"object"},{"type":"object"}]}"#), "{}", lines[1]);
    let cut = "- the schema nests too deep: what is below is not checked";
    assert_eq!(lines[2..], [cut, cut, SEVERAL]);
}

/// A format is not checked and a discriminator not read: a value that is meant for one alternative may fit another.
#[test]
fn one_of_stays_where_no_value_fits_two_of_its_alternatives() {
    let components = r##"{
        "Base": {"type": "object", "required": ["type"], "properties": {"type": {"type": "string"}, "n": {"type": "integer"}}},
        "Card": {"allOf": [{"$ref": "#/components/schemas/Base"}, {"type": "object", "properties": {"type": {"enum": ["card"]}}}]},
        "Bank": {"allOf": [{"$ref": "#/components/schemas/Base"}, {"properties": {"type": {"$ref": "#/components/schemas/Name"}}}]},
        "Name": {"type": "string", "enum": ["bank"]},
        "Cash": {"type": "object", "properties": {"type": {"const": "cash"}}},
        "Gift": {"type": "object", "properties": {"type": {"const": "gift"}}},
        "Text": {"type": "string"}}"##;
    let written = |version: &str, schema: &str| {
        let schema = format!(r#"{{"properties": {{"p": {schema}}}}}"#);
        told(&imported(version, "/x", "post", &body("application/json", &schema, true), components))
    };
    let refer = |names: &[&str]| {
        let all: Vec<_> = names.iter().map(|name| format!(r##"{{"$ref": "#/components/schemas/{name}"}}"##)).collect();
        all.join(", ")
    };
    let kind = |name: &str| format!(r#"{{"required": ["k"], "properties": {{"k": {{"const": "{name}"}}}}}}"#);
    for (alternatives, stays) in [
        // By their types.
        (r#"{"type": "string", "format": "date"}, {"type": "integer"}"#.to_owned(), true),
        (r#"{"type": ["integer", "null"]}, {"type": ["string", "array"]}"#.to_owned(), true),
        (format!(r#"{}, {{"anyOf": [{{"type": "object"}}, {{"type": "null"}}]}}"#, refer(&["Text"])), true),
        (r#"{"type": "string", "format": "date"}, {"type": "string", "format": "date-time"}"#.to_owned(), false),
        (r#"{"type": "integer"}, {"type": "number"}"#.to_owned(), false),
        (r#"{"type": ["integer", "null"]}, {"type": ["string", "null"]}"#.to_owned(), false),
        (r#"{"type": "string"}, {"minLength": 3}"#.to_owned(), false),
        // By their constants.
        (r#"{"const": "a"}, {"enum": ["b", 1]}, {"const": null}"#.to_owned(), true),
        (r#"{"type": "string"}, {"enum": ["me"]}"#.to_owned(), false),
        (r#"{"enum": [1, 2]}, {"const": 1.0}"#.to_owned(), false),
        (r#"{"enum": [{"a": 1}]}, {"enum": [{"a": 1.0}]}"#.to_owned(), false),
        // By those of a member that one of each two requires.
        (refer(&["Card", "Bank", "Cash"]), true),
        (refer(&["Card", "Base"]), false),
        (refer(&["Cash", "Gift"]), false),
        (format!("{}, {}", kind("a"), kind("b")), false),
        (format!(r#"{{"allOf": [{{"type": "object"}}, {}]}}, {}"#, kind("a"), kind("b")), true),
        (format!(r#"{{"oneOf": [{}], "type": "object"}}, {}"#, [kind("a"), kind("b")].join(", "), kind("c")), true),
        (format!(r#"{{"oneOf": [{}], "type": "object"}}, {}"#, [kind("a"), kind("b")].join(", "), kind("b")), false),
        // Where only the members are spoken of, it is meant.
        (r#"{"required": ["a"]}, {"required": ["b", "c"], "description": "Both."}"#.to_owned(), true),
        (r#"{"required": ["a"]}, {"properties": {"b": {}}}"#.to_owned(), false),
    ] {
        let lines = written("3.1.0", &format!(r#"{{"oneOf": [{alternatives}]}}"#));
        let keyword = if stays { "oneOf" } else { "anyOf" };
        assert!(lines[1].contains(&format!(r#""p":{{"{keyword}":["#)), "{alternatives}: {}", lines[1]);
        assert_eq!(lines.contains(&SEVERAL.to_owned()), !stays, "{alternatives}: {lines:?}");
    }
    // What stands around them holds for each.
    for (around, stays) in [(r#""type": "object", "#, true), (r#""type": ["object", "string"], "#, false)] {
        let schema = format!(r#"{{{around}"oneOf": [{}, {}]}}"#, kind("a"), kind("b"));
        assert_eq!(written("3.1.0", &schema)[1].contains("oneOf"), stays, "{schema}");
    }
    let schema = format!(r#"{{"required": ["type"], "oneOf": [{}]}}"#, refer(&["Cash", "Gift"]));
    assert!(written("3.1.0", &schema)[1].contains("oneOf"), "{schema}");
    for (own, stays) in [("", true), (r#", "nullable": true"#, false)] {
        let schema = format!(r#"{{"oneOf": [{{"type": "string", "nullable": true}}, {{"type": "integer"{own}}}]}}"#);
        assert_eq!(written("3.0.3", &schema)[1].contains("oneOf"), stays, "{schema}");
    }
    // `not` would refuse what the document allows.
    assert_eq!(
        written("3.1.0", r#"{"not": {"oneOf": [{"minimum": 1}, {"maximum": 9}]}}"#)[1..],
        [r#"{"type":"object","properties":{"p":{}}}"#, SEVERAL]
    );
}

/// To compare what is listed over and over would take gigabytes.
#[test]
fn alternatives_that_list_too_much_are_not_compared() {
    let list = |count: usize| (0..count).map(|at| format!("\"n{at}\"")).collect::<Vec<_>>().join(", ");
    for (alternatives, properties, constants, required, stays) in
        [(20, 20, 9, 9, true), (20, 20, 3_000, 9, false), (120, 0, 9, 9, true), (120, 0, 9, 6_000, false)]
    {
        let refer = |at: usize| format!(r##", "p{at}": {{"$ref": "#/components/schemas/Long"}}"##);
        let long = (0..properties).map(refer).collect::<Vec<String>>().concat();
        let kind = |at: usize| {
            format!(r#"{{"type": "object", "required": ["k"], "properties": {{"k": {{"enum": ["k{at}"]}}{long}}}}}"#)
        };
        let all: Vec<_> = (0..alternatives).map(kind).collect();
        let schema = format!(r#"{{"required": [{}], "oneOf": [{}]}}"#, list(required), all.join(", "));
        let schema = format!(r#"{{"properties": {{"p": {schema}}}}}"#);
        let components = format!(r#"{{"Long": {{"enum": [{}]}}}}"#, list(constants));
        let lines = told(&imported("3.1.0", "/x", "post", &body("application/json", &schema, true), &components));
        let keyword = if stays { r#""oneOf":[{"# } else { r#""anyOf":[{"# };
        assert!(lines[1].contains(keyword), "{alternatives} {properties} {constants} {required}");
    }
}

#[test]
fn schemas_that_combine_themselves_are_looked_through_so_far_and_it_is_said() {
    let itself = r##"{"$ref": "#/components/schemas/A"}"##;
    for keyword in ["allOf", "anyOf", "oneOf"] {
        let components = format!(r#"{{"A": {{"{keyword}": [{itself}, {itself}, {itself}]}}}}"#);
        expect(
            &imported("3.0.3", "/x", "post", &body("application/json", itself, true), &components),
            &[
                "POST /x",
                r#"{"type":"object"}"#,
                "- its schemas are too large to be looked through: what is beyond is not carried over",
                ". the body may be anything: an object is sent",
            ],
        );
    }
}
