//! What a template can look at of the values that it is given, told from its text.
//!
//! Names are taken without regard to where they are set and where they end: a name may stand for all
//! that it stands for anywhere in the template. That is more than it needs, and never less.

use callout_core::json::{Json, SmolStr};
use callout_path::{Hop, Route};

use super::{
    expr::{Args, Chain, Expr, Root, Step, StepKind},
    ops::LONG_NAME,
    parse::{Loop, Program, Use},
};
use crate::plan::{End, Reach};

/// A template that looks at more places than this wants everything.
const MAX_REACHES: usize = 256;
/// Loops over elements of elements, and so on.
const MAX_LOOPS: usize = 8;
/// So does one whose names stand for more: each may be the variable of several loops, and what those go through too.
const MAX_RESOLVED: usize = 16_384;

/// The uses of a template, by name.
#[derive(Debug, Default)]
pub(super) struct Uses {
    used: Vec<Used>,
    /// Variables of loops, and what the loops go through.
    loops: Vec<(SmolStr, Used)>,
}

/// A name, and where one goes from what it stands for.
#[derive(Clone, Debug)]
struct Used {
    name: SmolStr,
    route: Route,
    end: End,
}

/// What names are found to lead to.
struct Search {
    result_is_body: bool,
    /// So many more names are looked at.
    left: usize,
    found: Vec<Reach>,
}

impl Uses {
    pub(super) fn of(program: &Program) -> Self {
        let mut all = Self::default();
        for (at, site) in program.sites.iter().enumerate() {
            let variable = program.loops.iter().find(|each| each.site == at);
            match (variable, site.usage, simple(&site.expr)) {
                (Some(Loop { variable, .. }), Use::Iterate, Some(used)) => all.each(variable, used),
                _ => all.expr(&site.expr),
            }
        }
        all
    }

    /// Where they lead in the body. `None` if they may want all of it.
    pub(super) fn reaches(&self, result_is_body: bool) -> Option<Vec<Reach>> {
        let mut search = Search { result_is_body, left: MAX_RESOLVED, found: Vec::new() };
        for used in &self.used {
            self.resolve(&used.name, &used.route, used.end, 0, &mut search)?;
        }
        Some(search.found)
    }

    /// Whether a loop through all of `result` is the only use of it.
    pub(super) fn is_one_loop_through_result(&self) -> bool {
        let is_result = |used: &&Used| used.name == "result";
        let mut loops = self.loops.iter().map(|(_, source)| source).filter(is_result);
        // The loop is a use of its own.
        self.used.iter().filter(is_result).count() == 1
            && loops.next().is_some_and(|source| source.route.is_empty())
            && loops.next().is_none()
    }

    /// Whether an expression is a name and nothing else.
    pub(super) fn is_name(expr: &Expr, name: &str) -> bool {
        simple(expr).is_some_and(|used| used.name == name && used.route.is_empty())
    }

    /// The name of the member, if an expression is a member of what that name stands for and nothing else.
    pub(super) fn member_of(expr: &Expr, name: &str) -> Option<SmolStr> {
        let Used { name: root, route, .. } = simple(expr)?;
        let [hops] = <[_; 1]>::try_from(route).ok().filter(|_| root == name)?;
        match <[Hop; 1]>::try_from(hops) {
            Ok([Hop::Member(member)]) => Some(member),
            _ => None,
        }
    }

    fn resolve(&self, name: &SmolStr, route: &Route, end: End, loops: usize, search: &mut Search) -> Option<()> {
        // To put a way together costs what it is long.
        search.left = search.left.checked_sub(1 + route.len())?;
        let Search { result_is_body, found, .. } = search;
        if found.len() >= MAX_REACHES || loops > MAX_LOOPS {
            return None;
        }
        let from = |first: Option<Hop>| {
            let route = first.map(|hop| vec![hop]).into_iter().chain(route.iter().cloned()).collect();
            Reach { route, end }
        };
        match name.as_str() {
            "response" => found.push(from(None)),
            "result" if *result_is_body => found.push(from(None)),
            "result" | "params" | "status" => {}
            _ if !*result_is_body => {}
            _ if name.len() > LONG_NAME => return None,
            _ => found.push(from(Some(Hop::Member(name.clone())))),
        }
        for (_, source) in self.loops.iter().filter(|(variable, _)| variable == name) {
            let mut whole = source.route.clone();
            whole.push(vec![Hop::Elements]);
            whole.extend(route.iter().cloned());
            self.resolve(&source.name, &whole, end, loops + 1, search)?;
        }
        Some(())
    }

    /// A loop: how many elements there are, or which keys, and what is done with each.
    fn each(&mut self, variable: &SmolStr, used: Used) {
        let mut children = used.clone();
        children.route.push(vec![Hop::Members, Hop::Elements]);
        children.end = End::Place;
        self.used.push(children);
        self.loops.push((variable.clone(), used));
    }

    fn all<'e>(&mut self, exprs: impl IntoIterator<Item = &'e Expr>) {
        for expr in exprs {
            self.expr(expr);
        }
    }

    fn expr(&mut self, expr: &Expr) {
        match expr {
            Expr::Const(_) => {}
            Expr::List(all) | Expr::And(all) | Expr::Or(all) | Expr::Concat(all) => self.all(all),
            Expr::Map(members) => members.iter().for_each(|(key, value)| self.all([key, value])),
            Expr::Not(inner) | Expr::Negate(inner) => self.expr(inner),
            Expr::Compare(first, rest) => {
                self.expr(first);
                self.all(rest.iter().map(|(_, operand)| operand));
            }
            Expr::Arith(first, rest) => {
                self.expr(first);
                self.all(rest.iter().map(|(_, operand)| operand));
            }
            Expr::If(branches) => {
                self.all([&branches.test, &branches.then]);
                self.all(&branches.other);
            }
            Expr::Chain(chain) => self.chain(chain),
        }
    }

    fn chain(&mut self, chain: &Chain) {
        match &chain.root {
            Root::Name(name) => {
                let route = chain.steps.iter().map_while(hops).collect();
                self.used.push(Used { name: name.clone(), route, end: End::Whole });
            }
            Root::Value(expr) => self.expr(expr),
            Root::Cycle(exprs) | Root::Range(exprs) => self.all(exprs),
            Root::Loop(_) => {}
        }
        for step in &chain.steps {
            match &step.kind {
                StepKind::Attr(_) => {}
                StepKind::Item(key) => self.expr(key),
                StepKind::Slice(bounds) => self.all(bounds.iter().flatten()),
                StepKind::Method(_, args) | StepKind::Test { args, .. } => self.all(args),
                StepKind::Filter(_, Args { mapped: _, named, rest }) => self.all(named.iter().flatten().chain(rest)),
            }
        }
    }
}

/// A name with members and elements of it, and nothing else.
fn simple(expr: &Expr) -> Option<Used> {
    let Expr::Chain(chain) = expr else { return None };
    let Root::Name(name) = &chain.root else { return None };
    let route = chain.steps.iter().map(hops).collect::<Option<_>>()?;
    Some(Used { name: name.clone(), route, end: End::Whole })
}

/// Where a step leads, if that is to one place whatever it is taken from. All but objects and arrays
/// is read as a whole wherever a route passes.
fn hops(step: &Step) -> Option<Vec<Hop>> {
    // Longer names cost more to look for in larger objects, so that those must be whole.
    let member = |name: &SmolStr| (name.len() <= LONG_NAME).then(|| Hop::Member(name.clone()));
    match &step.kind {
        // Of a list of two these are its elements.
        StepKind::Attr(name) if matches!(name.as_str(), "grouper" | "list") => None,
        StepKind::Attr(name) | StepKind::Item(Expr::Const(Json::String(name))) => Some(vec![member(name)?]),
        StepKind::Item(Expr::Const(Json::Number(number))) => {
            let index = number.as_i128().map(|index| usize::try_from(index).map_or(Hop::Elements, Hop::Element));
            Some([member(&number.as_str().into())?].into_iter().chain(index).collect())
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use callout_core::limits::Limits;

    use super::*;
    use crate::template::Template;

    fn reaches(source: &str, result_is_body: bool) -> String {
        let template = Template::compile(source, &Limits::default()).unwrap();
        let Some(reaches) = template.reaches(result_is_body) else { return "all".to_owned() };
        let shown = reaches.iter().map(|Reach { route, end }| {
            let hops = route.iter().map(|hops| {
                let hops = hops.iter().map(|hop| match hop {
                    Hop::Member(name) => name.to_string(),
                    Hop::Element(index) => index.to_string(),
                    Hop::Members => "*".to_owned(),
                    Hop::Elements => "[]".to_owned(),
                    Hop::Through(_) => "?".to_owned(),
                });
                hops.collect::<Vec<_>>().join("|")
            });
            let route = format!("/{}", hops.collect::<Vec<_>>().join("/"));
            if *end == End::Place { format!("({route})") } else { route }
        });
        shown.collect::<Vec<_>>().join(" ")
    }

    #[test]
    fn what_a_template_looks_at() {
        let long = format!("{{{{ result.{} }}}}", "x".repeat(65));
        let table = [
            ("no values {{ status }} {{ params.q }}", ""),
            ("{{ result.a.b }}", "/a/b"),
            ("{{ total }}", "/total"),
            ("{{ response.meta['x y'] }}", "/meta/x y"),
            ("{{ result[0].a }} {{ result[-1] }}", "/0|0/a /-1|[]"),
            ("{{ result }}", "/"),
            ("{{ result.items | length }}", "/items"),
            ("{{ result.a.get('b').c }}", "/a"),
            ("{{ result[params.k].x }}", "/"),
            ("{{ a[b.c] }}", "/a /b/c"),
            ("{{ result.pair.list }} {{ result.pair.grouper }}", "/pair /pair"),
            (long.as_str(), "/"),
            ("{% for i in result %}{{ i.t }} {{ i.u.login }}{% endfor %}", "(/*|[]) /i/t /[]/t /i/u/login /[]/u/login"),
            ("{% for i in items %}{{ i }}{% endfor %}", "(/items/*|[]) /i /items/[]"),
            (
                "{% for o in orders %}{% for l in o.lines %}{{ l.sku }}{% endfor %}{% endfor %}",
                "(/orders/*|[]) (/o/lines/*|[]) (/orders/[]/lines/*|[]) /l/sku /o/lines/[]/sku /orders/[]/lines/[]/sku",
            ),
            ("{% for a, b in pairs %}{{ a }}{% endfor %}", "/pairs /a"),
            ("{% for i in xs if i.ok %}{{ loop.index }}{% endfor %}", "(/xs/*|[]) /i/ok /xs/[]/ok"),
            ("{% for i in xs | sort %}{{ i.x }}{% endfor %}", "/xs /i/x"),
            ("{% for i in xs[:2] %}{{ i.x }}{% endfor %}", "/xs /i/x"),
            ("{% set r = result.a %}{{ r.b }}", "/a /r/b"),
            ("{{ 'x' if a.b is defined else c ~ d }}{{ [e, {'k': f}] }}", "/a/b /c /d /e /f"),
            ("{{ a | default(b) | replace('x', c) }}", "/a /b /c"),
            ("{{ a | map('default', default_value=b) | list }} {{ +c.d }}", "/a /b /c/d"),
            ("{{ a[true].b }} {{ 1 in c }}", "/a /c"),
            // A name that goes through itself has no end.
            ("{% for x in x.more %}{{ x.y }}{% endfor %}", "all"),
        ];
        for (source, expected) in table {
            assert_eq!(reaches(source, true), expected, "{source}");
        }
    }

    #[test]
    fn names_that_stand_for_very_much_are_not_followed_to_the_end() {
        let through = |variable: char, elements: char| format!("{{% for {variable} in {elements} %}}{{% endfor %}}");
        let pairs = ('a'..='h').zip('b'..='i');
        let source: String = pairs.map(|(variable, elements)| through(variable, elements).repeat(70)).collect();
        for result_is_body in [false, true] {
            assert_eq!(reaches(&source, result_is_body), "all");
        }
    }

    #[test]
    fn what_elements_take_of_a_text() {
        let table = [
            ("{% for i in result %}{{ i.a }}, {% endfor %}", Some((2, "a"))),
            ("{% for i in result %}{{ i.a }}{{ i['b c'] }}{{ i.a }}{% endfor %}", Some((0, "a b c a"))),
            // What is printed otherwise may be shorter, or nothing.
            (
                "{% for i in result %}-{{ i.a.b }}{{ i.a|trim }}{{ i[0] }}{{ i }}{{ j.a }}{{ i.a ~ i.b }}{{ i.grouper }}{% endfor %}",
                Some((1, "")),
            ),
            (
                "{% for i in result %}-{% if i.b %}{{ i.a }}{% endif %}{% for j in i.c %}{{ i.a }}{% endfor %}{% endfor %}",
                Some((1, "")),
            ),
            // The name may stand for something else there.
            ("{% for i in result %}-{% set i = {'a': ''} %}{{ i.a }}{% endfor %}", Some((1, ""))),
            (
                "{% for i in result %}-{% if i.b %}{% set i = {'a': ''} %}{% endif %}{{ i.a }}{% endfor %}",
                Some((1, "")),
            ),
            (
                "{% for i in result %}-{% for j in i.c %}{% else %}{% set i = {'a': ''} %}{% endfor %}{{ i.a }}{% endfor %}",
                Some((1, "")),
            ),
            (
                "{% for i in result %}{% for i in i.c %}{% set i = {'a': ''} %}{% endfor %}{{ i.a }}{% endfor %}",
                Some((0, "a")),
            ),
            (
                "{{ status }}: {% for i in result %}-é{{ i }};{% if i.a %}{% break %}{% endif %}{% else %}{% endfor %}",
                Some((3, "")),
            ),
            ("{% for i in result %}{% for k in i %}{{ k }}{% continue %}{% endfor %};{% endfor %}", Some((1, ""))),
            ("{% for result in result %}-{% endfor %}", Some((1, ""))),
            // A turn can write nothing.
            ("{% for i in result %}{{ i }}{% endfor %}", None),
            ("{% for i in result %}{% if i.a %}text{% endif %}{% endfor %}", None),
            ("{% for i in result %}{% if i.a %}{% continue %}{% endif %}text{% endfor %}", None),
            ("{% for i in result %}{% for k in i %}{% else %}{% continue %}{% endfor %}text{% endfor %}", None),
            // There is more than one loop that comes to an element once.
            ("{% for i in result if i.a %}text{% endfor %}", None),
            ("{% for i in result %}text{% endfor %}{{ result[7] }}", None),
            ("{% for i in result %}text{{ i in result }}{% endfor %}", None),
            ("{% for result in result %}{{ result.a }};{% endfor %}", None),
            ("{% for i in result %}-{% endfor %}{% for i in result %}-{% endfor %}", None),
            ("{% for i in [1, 2] %}{% for i in result %}text{% endfor %}{% endfor %}", None),
            ("{% for i in result.items %}text{% endfor %}", None),
            ("{% for i in result|reverse %}text{% endfor %}", None),
            ("{% for i, j in result %}text{% endfor %}", None),
            ("{% set all = result %}{% for i in all %}text{% endfor %}", None),
            ("{% with %}{% for i in result %}text{% endfor %}{% endwith %}", None),
        ];
        for (source, expected) in table {
            let template = Template::compile(source, &Limits::default()).unwrap();
            let expected = expected.map(|(each, values)| (100, each, values.to_owned()));
            let room = template.room(100).map(|room| (room.chars, room.each, room.values.join(" ")));
            assert_eq!(room, expected, "{source}");
        }
    }

    #[test]
    fn behind_a_stage_only_the_response_is_the_body() {
        let table = [
            ("{{ result }} {{ total }} {{ params }}", ""),
            ("{{ response.a }} {{ result.b }}", "/a"),
            ("{% for i in response.xs %}{{ i.a }}{% endfor %}", "(/xs/*|[]) /xs/[]/a"),
            ("{% for i in xs %}{{ i.a }}{% endfor %}", ""),
            ("{{ response | tojson }}", "/"),
        ];
        for (source, expected) in table {
            assert_eq!(reaches(source, false), expected, "{source}");
        }
    }
}
