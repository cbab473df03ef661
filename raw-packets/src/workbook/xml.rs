//! Events, attributes and texts of XML.

use quick_xml::events::{BytesStart, Event};

/// Gives every event of a text of XML, until it ends or breaks.
pub(super) fn each(xml: &str, mut take: impl FnMut(&Event<'_>)) {
    let mut reader = quick_xml::Reader::from_str(xml);
    while let Ok(event) = reader.read_event() {
        if matches!(event, Event::Eof) {
            break;
        }
        take(&event);
    }
}

/// Returns an attribute by its name without a prefix.
pub(super) fn attribute(tag: &BytesStart<'_>, name: &str) -> Option<String> {
    let mut found =
        tag.attributes().flatten().filter(|attribute| attribute.key.local_name().as_ref() == name);
    let value = found.next()?.value;
    quick_xml::escape::unescape(&value).ok().map(std::borrow::Cow::into_owned)
}

/// Adds what an event says to a text.
pub(super) fn add_text(event: &Event<'_>, text: &mut String) {
    match event {
        Event::Text(part) => text.push_str(&part.xml10_content()),
        Event::GeneralRef(entity) => {
            let named = match &*entity.xml10_content() {
                "amp" => Some('&'),
                "lt" => Some('<'),
                "gt" => Some('>'),
                "quot" => Some('"'),
                "apos" => Some('\''),
                _ => None,
            };
            text.extend(named.or_else(|| entity.resolve_char_ref().ok().flatten()));
        }
        _ => {}
    }
}
