//! What becomes of the nodes that a walk finds.

use callout_core::json::Json;

use super::eval::Halt;
use crate::mask::Mask;

/// Takes the nodes that a walk finds, and is told the way to them.
pub(super) trait Sink<'a> {
    /// The walk goes down to the child at that position.
    fn enter(&mut self, _position: usize) {}
    /// The walk comes back up.
    fn leave(&mut self) {}
    /// The walk is at an array whose elements it would go over, and there are none.
    fn empty(&mut self) {}
    /// The query selects this node. [`Halt::Enough`] ends the walk.
    fn found(&mut self, node: &'a Json) -> Result<(), Halt>;
}

/// All nodes.
#[derive(Default)]
pub(super) struct Collect<'a> {
    pub(super) nodes: Vec<&'a Json>,
}

impl<'a> Sink<'a> for Collect<'a> {
    fn found(&mut self, node: &'a Json) -> Result<(), Halt> {
        self.nodes.push(node);
        Ok(())
    }
}

/// Marks the nodes in a mask.
pub(super) struct Select<'a, 'm> {
    root: &'a Json,
    mask: &'m mut Mask,
    trail: Vec<usize>,
}

impl<'a, 'm> Select<'a, 'm> {
    pub(super) const fn new(root: &'a Json, mask: &'m mut Mask) -> Self {
        Self { root, mask, trail: Vec::new() }
    }
}

impl<'a> Sink<'a> for Select<'a, '_> {
    fn enter(&mut self, position: usize) {
        self.trail.push(position);
    }

    fn leave(&mut self) {
        self.trail.pop();
    }

    fn empty(&mut self) {
        self.mask.mark(self.root, &self.trail);
    }

    fn found(&mut self, _: &'a Json) -> Result<(), Halt> {
        self.mask.mark(self.root, &self.trail);
        Ok(())
    }
}

/// Whether there is a node.
#[derive(Default)]
pub(super) struct Exists {
    pub(super) yes: bool,
}

impl<'a> Sink<'a> for Exists {
    fn found(&mut self, _: &'a Json) -> Result<(), Halt> {
        self.yes = true;
        Err(Halt::Enough)
    }
}

/// How many nodes there are.
#[derive(Default)]
pub(super) struct Count {
    pub(super) nodes: usize,
}

impl<'a> Sink<'a> for Count {
    fn found(&mut self, _: &'a Json) -> Result<(), Halt> {
        self.nodes += 1;
        Ok(())
    }
}

/// The node, if there is just one.
#[derive(Default)]
pub(super) struct Only<'a> {
    pub(super) node: Option<&'a Json>,
    several: bool,
}

impl<'a> Only<'a> {
    pub(super) fn into_node(self) -> Option<&'a Json> {
        self.node.filter(|_| !self.several)
    }
}

impl<'a> Sink<'a> for Only<'a> {
    fn found(&mut self, node: &'a Json) -> Result<(), Halt> {
        self.several = self.node.is_some();
        self.node = Some(node);
        if self.several { Err(Halt::Enough) } else { Ok(()) }
    }
}
