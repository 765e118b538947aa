//! Reading a text in part: what is wanted is built, the rest is passed over and checked.

use std::borrow::Cow;

use super::{
    Json, ObjectBuilder,
    error::Slip,
    read::{Reader, Step},
};

/// What is wanted of a container. It is asked for each member and element in the order of the text.
pub trait Wanted: Copy {
    /// What is wanted of the member of that name.
    fn member(self, name: &str) -> Want<Self>;
    /// What is wanted of the element at that index.
    fn element(self, index: usize) -> Want<Self>;
    /// An object has ended that had so many members in the text, duplicates counted.
    fn members_ended(self, _members: usize) {}
}

/// How much of a value is wanted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Want<W> {
    /// All of it.
    All,
    /// Of a container what this says; of anything else all.
    Part(W),
    /// Nothing but its place: an element is `null` where it stood, a member `null` under its name.
    Place,
    /// Nothing: it is left out. The elements behind it move up, so that none of them may be wanted.
    Nothing,
}

impl Reader<'_> {
    pub(super) fn wanted(&mut self, wanted: impl Wanted) -> Step<Json> {
        match self.peek()? {
            b'{' => self.nested(|reader| reader.members_wanted(wanted)),
            b'[' => self.nested(|reader| reader.elements_wanted(wanted)),
            _ => self.value(),
        }
    }

    fn members_wanted<W: Wanted>(&mut self, wanted: W) -> Step<Json> {
        let mut members = ObjectBuilder::new();
        if self.peek()? == b'}' {
            self.at += 1;
            return Ok(members.into());
        }
        let mut count = 0;
        loop {
            count += 1;
            let name: Cow<'_, str> = self.name()?;
            if let Some(value) = self.value_wanted(wanted.member(&name))? {
                members.insert(name, value);
            }
            if self.ends_with(b'}', Slip::CommaOrBrace)? {
                wanted.members_ended(count);
                return Ok(members.into());
            }
        }
    }

    fn elements_wanted<W: Wanted>(&mut self, wanted: W) -> Step<Json> {
        let mut elements = Vec::new();
        if self.peek()? == b']' {
            self.at += 1;
            return Ok(Json::Array(elements.into()));
        }
        for index in 0.. {
            elements.extend(self.value_wanted(wanted.element(index))?);
            if self.ends_with(b']', Slip::CommaOrBracket)? {
                break;
            }
        }
        Ok(Json::Array(elements.into()))
    }

    fn value_wanted<W: Wanted>(&mut self, want: Want<W>) -> Step<Option<Json>> {
        match want {
            Want::All => self.value().map(Some),
            Want::Part(wanted) => self.wanted(wanted).map(Some),
            Want::Place => self.pass_over().map(|()| Some(Json::Null)),
            Want::Nothing => self.pass_over().map(|()| None),
        }
    }
}
