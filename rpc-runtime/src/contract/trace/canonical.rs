//! One number for a type: the same for the same bytes, whatever the types are called and however often each is used.
//!
//! Places that read the same, all the way down, are one class. The classes are numbered in the order in which a walk from
//! the outside meets them, and the walk is hashed. So a type that contains itself ends, and nothing is cut off.

use std::{
    collections::HashMap,
    hash::{DefaultHasher, Hash, Hasher},
};

use super::graph::{Graph, Kind, PlaceId};

pub(super) fn hash(graph: &Graph, roots: &[PlaceId], arguments: usize) -> u64 {
    let mut walk =
        Walk { graph, classes: classes(graph), met: HashMap::new(), hash: Fnv::default() };
    for (number, root) in roots.iter().enumerate() {
        walk.hash.text(if number < arguments { "argument" } else { "result" });
        walk.visit(*root);
    }
    walk.hash.0
}

/// The name of a type without the modules in which it stands.
pub(super) fn short_name(name: &str) -> String {
    let mut short = String::new();
    let mut word = String::new();
    for character in name.chars() {
        match character {
            ':' => word.clear(),
            c if c.is_alphanumeric() || c == '_' => word.push(c),
            other => {
                short.push_str(&word);
                word.clear();
                short.push(other);
            }
        }
    }
    short + &word
}

/// The class of each place. Two places are of one class unless some way into them shows a difference.
fn classes(graph: &Graph) -> Vec<u64> {
    let mut classes = vec![0; graph.len()];
    let mut count = 1;
    // Each round looks one level deeper. What did not come apart by then never does.
    loop {
        let next: Vec<u64> = (0..graph.len()).map(|id| class_of(graph, id, &classes)).collect();
        let mut distinct = next.clone();
        distinct.sort_unstable();
        distinct.dedup();
        classes = next;
        if distinct.len() <= count {
            return classes;
        }
        count = distinct.len();
    }
}

fn class_of(graph: &Graph, id: PlaceId, classes: &[u64]) -> u64 {
    let mut hasher = DefaultHasher::new();
    for piece in pieces(graph, id) {
        match piece {
            Piece::Text(text) => text.hash(&mut hasher),
            Piece::Inside(inner) => classes.get(inner).hash(&mut hasher),
        }
    }
    hasher.finish()
}

enum Piece {
    Text(String),
    Inside(PlaceId),
}

/// What makes a place differ from another, from the outside in.
fn pieces(graph: &Graph, id: PlaceId) -> Vec<Piece> {
    let mut pieces = Vec::new();
    for same in graph.chain(id) {
        let place = graph.place(same);
        if place.refused {
            pieces.push(Piece::Text(format!("!{}", short_name(place.type_name))));
        }
    }
    let place = graph.place(graph.resolve(id));
    pieces.push(Piece::Text(place.kind.name().to_owned()));
    for other in &place.other_kinds {
        pieces.push(Piece::Text(format!("or {}", other.name())));
    }
    let present = |number: usize| place.kind != Kind::Enum || !place.choices.is_absent(number);
    let members: Vec<usize> = (0..place.children.len()).filter(|n| present(*n)).collect();
    // With aliases among them, nobody can say which name is whose.
    let read_names = if place.read_names.len() == members.len() { place.read_names } else { &[] };
    for number in members {
        let written = place.written_names.get(&number);
        if let Some(name) = written.or(read_names.get(number)) {
            pieces.push(Piece::Text(format!("{number} {name}")));
        }
        pieces.extend(place.children.get(number).copied().map(Piece::Inside));
    }
    pieces.push(Piece::Text("end".to_owned()));
    pieces
}

struct Walk<'a> {
    graph: &'a Graph,
    classes: Vec<u64>,
    /// The number of each class that was met.
    met: HashMap<u64, usize>,
    hash: Fnv,
}

impl Walk<'_> {
    fn visit(&mut self, root: PlaceId) {
        let mut open = vec![Piece::Inside(root)];
        while let Some(piece) = open.pop() {
            match piece {
                Piece::Text(text) => self.hash.text(&text),
                Piece::Inside(id) => {
                    let class = self.classes.get(id).copied().unwrap_or_default();
                    let number = self.met.len();
                    if let Some(number) = self.met.get(&class) {
                        self.hash.text(&format!("^{number}"));
                    } else {
                        self.met.insert(class, number);
                        open.extend(pieces(self.graph, id).into_iter().rev());
                    }
                }
            }
        }
    }
}

/// FNV-1a: small, and the same on every machine and in every version, which no hasher of `std` promises.
struct Fnv(u64);

impl Default for Fnv {
    fn default() -> Self {
        Self(0xcbf2_9ce4_8422_2325)
    }
}

impl Fnv {
    /// With an end, so that two texts are not taken for one.
    fn text(&mut self, text: &str) {
        for byte in text.bytes().chain([0]) {
            self.0 = (self.0 ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_hash_is_the_same_in_every_build() {
        let mut hash = Fnv::default();
        assert_eq!(hash.0, 0xcbf2_9ce4_8422_2325);
        hash.text("a");
        assert_eq!(hash.0, 0xaf63_dc4c_8601_ec8c_u64.wrapping_mul(0x0000_0100_0000_01b3));
    }

    #[test]
    fn modules_do_not_count_in_names() {
        assert_eq!(short_name("a::b::Page<c::Item, (d::E, u8)>"), "Page<Item, (E, u8)>");
        assert_eq!(short_name("alloc::vec::Vec<[x::Y; 3]>"), "Vec<[Y; 3]>");
    }
}
