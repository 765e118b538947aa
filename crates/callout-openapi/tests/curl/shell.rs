//! What a shell would put something in place of.

use super::told;

#[test]
fn what_a_shell_would_expand_is_a_param_or_a_loss() {
    let table: [(&str, &[&str]); 9] = [
        (
            r#"curl "https://shop.example/zones/$ZONE_ID/dns/${Kind}?page=$PAGE&per=5""#,
            &[
                "GET https://shop.example/zones/{zone_id}/dns/{kind}{?page,per}",
                r#"{"per":5}"#,
                "? zone_id",
                "? kind",
                "? page",
                ". the segment \"$ZONE_ID\" of the path is the param \"zone_id\", and a call gives it",
                ". the segment \"${Kind}\" of the path is the param \"kind\", and a call gives it",
                ". the value of the query key \"page\" is the variable $PAGE: a call gives it",
            ],
        ),
        (
            r#"curl https://shop.example/a -H "X-Org: $ORG" -H "Authorization: Bearer $TOKEN" -d "{\"name\": \"$NAME\", \"text\": \"to $NAME at \$5\", \"l\": [\"`id`\"]}""#,
            &[
                "POST https://shop.example/a",
                r#"{"type":"bearer_token"}"#,
                r#"{"X-Org":"$ORG"}"#,
                r#"{"text":"to $NAME at $5","l":["`id`"]}"#,
                "bearer_token: the token behind `Bearer` in the line",
                "? name",
                "- a shell puts something in place of $ORG in the header X-Org: it is sent as it is written",
                "- a shell puts something in place of $NAME in the field \"text\": it is sent as it is written",
                "- a shell puts something in place of `…` in the field \"l\": it is sent as it is written",
                ". the field \"name\" is the variable $NAME: a call gives it",
            ],
        ),
        (
            r#"curl -d user=$USER -d "password=$PW" https://shop.example/a/v$V?b=x$(id)"#,
            &[
                "POST https://shop.example/a/v$V{?b}",
                "form",
                r#"{"b":"x$(id)"}"#,
                "? user",
                "? password",
                "- a shell puts something in place of $V in the path: it is sent as it is written",
                "- a shell puts something in place of $(…) in the query key \"b\": it is sent as it is written",
                ". the field \"user\" is the variable $USER: a call gives it",
                ". the field \"password\" may hold a secret: its value is taken out, a call gives it",
            ],
        ),
        (
            r#"curl "https://me:$PW@shop.example/odata?$filter=a""#,
            &[
                "GET https://shop.example/odata{?$filter}",
                r#"{"type":"api_key_header","header_name":"Authorization"}"#,
                r#"{"$filter":"a"}"#,
                "api_key: `Basic ` and the Base64 of USER:PASSWORD (the line's -u)",
                "- a shell puts something in place of $filter in a key of the query: it is sent as it is written",
            ],
        ),
        (
            "curl 'https://shop.example/a?b=$B' -H 'X-A: $A' -d '{\"c\": \"$(d)\"}'",
            &["POST https://shop.example/a{?b}", r#"{"X-A":"$A"}"#, r#"{"c":"$(d)","b":"$B"}"#],
        ),
        (
            r#"curl https://shop.example/a $OPTS "$OPTS" https://shop.example/b https://shop.example/c > file"#,
            &[
                "GET https://shop.example/a",
                "{}",
                "- a shell puts something in place of $OPTS beside the URL: it is left out",
                "- of several URLs the first is taken",
            ],
        ),
        (
            "curl $BASE/users",
            &["! where the API is cannot be read, for a shell puts something in place of $BASE: write what that is"],
        ),
        (
            r#"curl https://shop.example -d "$DATA""#,
            &["! the body cannot be read, for a shell puts something in place of $DATA in it: write what that is"],
        ),
        (
            r#"curl https://shop.example --json "{\"n\": ${N:-canary}}""#,
            &["! the body cannot be read, for a shell puts something in place of ${…} in it: write what that is"],
        ),
    ];
    for (line, expected) in table {
        let found = told(line);
        assert_eq!(found, expected, "\n{line}\n{}", found.join("\n"));
    }
}
