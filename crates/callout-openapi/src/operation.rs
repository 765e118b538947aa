//! The operations of a document.

use callout_core::json::{Json, Object};

use crate::{
    document::{Document, Found},
    pointer::Pointer,
    report::Findings,
};

/// Members of a path item that are operations.
const METHODS: [&str; 9] = ["get", "put", "post", "delete", "options", "head", "patch", "trace", "query"];

/// One operation.
#[derive(Clone, Debug)]
pub(crate) struct Operation<'d> {
    /// In lower case, as the document writes it.
    pub(crate) method: &'d str,
    pub(crate) path: &'d str,
    /// The path item: what stands beside its reference, if it has one, and what that leads to, step by step.
    item: Vec<Found<'d>>,
    pub(crate) node: Found<'d>,
}

impl<'d> Operation<'d> {
    pub(crate) fn id(&self) -> Option<&'d str> {
        self.node.text("operationId").map(str::trim).filter(|id| !id.is_empty())
    }

    pub(crate) fn tags(&self) -> impl Iterator<Item = &'d str> + use<'d> {
        self.node.node.get("tags").and_then(Json::as_array).into_iter().flatten().filter_map(Json::as_str)
    }

    /// A member of the path item. What stands beside its reference wins.
    pub(crate) fn of_item(&self, name: &str) -> Option<Found<'d>> {
        self.item.iter().find_map(|item| item.get(name))
    }

    /// Its path-level and own parameters: of two with the same name and place, its own, and then the one beside the
    /// path item's reference.
    pub(crate) fn parameters(&self, document: &'d Document, findings: &mut Findings) -> Vec<Found<'d>> {
        let mut found: Vec<Found<'d>> = Vec::new();
        let holders = self.item.iter().rev().chain([&self.node]);
        let written: Vec<Found<'d>> = holders.filter_map(|holder| holder.get("parameters")).collect();
        for list in written.iter().filter(|list| list.node.as_array().is_none() && !list.node.is_null()) {
            findings.loss(&list.place, "`parameters` is no list: what it holds is left out");
        }
        for parameter in written.iter().flat_map(Found::elements) {
            let parameter = match document.follow(parameter.node, &parameter.place) {
                Ok(parameter) => parameter,
                Err(why) => {
                    findings.loss(&parameter.place, format!("a parameter that cannot be read: {why}"));
                    continue;
                }
            };
            let key = |parameter: &Found<'d>| (parameter.text("name"), parameter.text("in"));
            if key(&parameter).0.is_none() {
                findings.loss(&parameter.place, "a parameter without a name is left out");
                continue;
            }
            match found.iter_mut().find(|other| key(other) == key(&parameter)) {
                Some(other) => *other = parameter,
                None => found.push(parameter),
            }
        }
        found
    }
}

/// All operations in the document's order. Path items and operations that cannot be read are reported.
pub(crate) fn operations<'d>(document: &'d Document, findings: &mut Findings) -> Vec<Operation<'d>> {
    let mut operations = Vec::new();
    let paths = Pointer::root().below("paths");
    let items = document.member("paths");
    for (path, item) in items.into_iter().flat_map(Object::iter) {
        if path.starts_with("x-") {
            continue;
        }
        let place = paths.below(path);
        // What stands beside a reference is kept, at each step to where it leads.
        let item = match document.chain(item, &place) {
            Ok(item) => item,
            Err(why) => {
                findings.loss(&place, format!("a path that cannot be read: {why}"));
                continue;
            }
        };
        let mut taken: Vec<&str> = Vec::new();
        let members = item.iter().flat_map(Found::members);
        for (method, node) in members.filter(|(name, _)| METHODS.contains(name)) {
            if node.node.as_object().is_none() {
                findings.loss(&node.place, "is no operation");
                continue;
            }
            if taken.contains(&method) {
                findings.note(&node.place, "stands beside the reference that leads here too, and is not imported");
                continue;
            }
            taken.push(method);
            match document.follow(node.node, &node.place) {
                Ok(node) if node.node.as_object().is_some() => {
                    operations.push(Operation { method, path, item: item.clone(), node });
                }
                Ok(_) => findings.loss(&node.place, "is no operation"),
                Err(why) => findings.loss(&node.place, format!("an operation that cannot be read: {why}")),
            }
        }
    }
    operations
}
