//! What ties a request to its answer: which of a client's words count.

use super::super::{RequestId, TraceContext};
use super::house::House;

fn id_of(given: &str) -> String {
    let house = House::new();
    house.with_head("GET", "/", &[("X-Request-Id", given)], |head| {
        RequestId::of(head, 1).as_str().to_owned()
    })
}

#[test]
fn a_request_id_of_the_client_is_one_uuid_or_one_ulid() {
    for id in [
        "6f9619ff-8b86-d011-b42d-00cf4fc964ff",
        "6F9619FF-8B86-D011-B42D-00CF4FC964FF",
        "01ARZ3NDEKTSV4RRFFQ69G5FAV",
        "01arz3ndektsv4rrffq69g5fav",
        "7ZZZZZZZZZZZZZZZZZZZZZZZZZ",
    ] {
        assert_eq!(id_of(id), id);
    }
    for odd in [
        "",
        "1",
        "6f9619ff-8b86-d011-b42d-00cf4fc964f",
        "6f9619ff-8b86-d011-b42d-00cf4fc964ff0",
        "6f9619ff-8b86-d011-b42d-00cf4fc964fg",
        "6f9619ff8b86-d011-b42d-00cf4fc964fff",
        "8ZZZZZZZZZZZZZZZZZZZZZZZZZ",
        "01ARZ3NDEKTSV4RRFFQ69G5FA",
        "01ARZ3NDEKTSV4RRFFQ69G5FAVV",
        "01ARZ3NDEKTSV4RRFFQ69G5FAI",
        "01ARZ3NDEKTSV4RRFFQ69G5FAl",
        "01ARZ3NDEKTSV4RRFFQ69G5FAO",
        "01ARZ3NDEKTSV4RRFFQ69G5FAu",
        "01ARZ3NDEKTSV4RRFFQ69G5FA-",
    ] {
        let fresh = id_of(odd);
        assert_ne!(fresh, odd);
        assert_eq!((fresh.len(), &fresh[14..15]), (36, "4"), "{odd}");
    }
}

#[test]
fn a_trace_of_the_client_has_ids_that_are_no_zeroes() {
    const TRACE: &str = "4bf92f3577b34da6a3ce929d0e0e4736";
    const PARENT: &str = "00f067aa0ba902b7";
    let (no_trace, no_parent) = ("0".repeat(32), "0".repeat(16));
    let house = House::new();
    for (version, trace, parent, flags, continued) in [
        ("00", TRACE, PARENT, "01", true),
        ("fe", TRACE, PARENT, "00", true),
        ("ff", TRACE, PARENT, "01", false),
        ("0G", TRACE, PARENT, "01", false),
        ("00", &no_trace, PARENT, "01", false),
        ("00", TRACE, &no_parent, "01", false),
        ("00", &TRACE.to_uppercase(), PARENT, "01", false),
        ("00", TRACE, PARENT, "0x", false),
    ] {
        let given = format!("{version}-{trace}-{parent}-{flags}");
        let fields = [("traceparent", given.as_str())];
        let told = house.with_head("GET", "/", &fields, |head| {
            TraceContext::of(head, [2, 3]).parent().to_owned()
        });
        assert_eq!(told == format!("00{}", &given[2..]), continued, "{given}");
    }
}
