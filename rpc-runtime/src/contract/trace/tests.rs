use std::collections::BTreeMap;

use serde::Deserialize;

use super::*;

#[derive(Deserialize)]
#[allow(dead_code, reason = "only its shape is looked at")]
struct Point {
    x: f64,
    y: Option<u8>,
}

#[derive(Deserialize)]
#[allow(dead_code, reason = "only its shape is looked at")]
struct Renamed {
    x: f64,
    y: Option<u8>,
}

#[derive(Deserialize)]
#[serde(try_from = "u32")]
struct Even;
impl TryFrom<u32> for Even {
    type Error = &'static str;
    fn try_from(n: u32) -> Result<Self, Self::Error> {
        if n.is_multiple_of(2) { Ok(Self) } else { Err("odd") }
    }
}

#[derive(Deserialize)]
#[allow(dead_code, reason = "only its shape is looked at")]
enum Shape {
    Dot,
    Circle(Point, u32),
    Named { name: String },
}

#[derive(Deserialize)]
#[allow(dead_code, reason = "only its shape is looked at")]
enum Expression {
    Sum(Box<Expression>, Box<Expression>),
    Number(i64),
}

#[derive(Deserialize)]
#[allow(dead_code, reason = "only its shape is looked at")]
struct Node {
    children: Vec<Node>,
    next: Option<Box<Node>>,
    last: u16,
}

#[test]
fn structs_are_their_fields_and_names_of_types_do_not_count() {
    assert_eq!(describe::<(Point,)>(), "(<x:f64,y:?(u8),>,)");
    assert_eq!(describe::<Point>(), describe::<Renamed>());
}

#[test]
fn every_variant_of_an_enumeration_is_seen() {
    assert_eq!(
        describe::<Shape>(),
        "Dot|Circle|Named#0;Dot|Circle|Named#1(<x:f64,y:?(u8),>,u32,);Dot|Circle|Named#2<name:str,>"
    );
}

#[test]
fn collections_are_their_elements() {
    assert_eq!(describe::<Vec<BTreeMap<String, [u8; 2]>>>(), "[{str,(u8,u8,)},]");
    assert_eq!(describe::<()>(), "unit");
}

#[test]
fn types_that_contain_themselves_end() {
    let expression = describe::<Expression>();
    assert!(expression.contains("Sum|Number#1i64"), "{expression}");
    let inner = "<children:[],next:?…,last:u16,>";
    assert_eq!(
        describe::<(Node, u8)>(),
        format!("(<children:[{inner},],next:?({inner}),last:u16,>,u8,)")
    );
}

#[test]
fn a_type_that_refuses_the_sample_is_seen_up_to_there() {
    assert_eq!(describe::<(u8, std::net::SocketAddrV4)>(), "(u8,((u8,u8,u8,u8,),u16,),)");
    assert!(describe::<(u8, Even)>().starts_with("(u8,u32"));
    assert_ne!(describe::<(u8, Even)>(), describe::<(u16, Even)>());
}
