//! What has changed since a client asked last.

use base64ct::{Base64UrlUnpadded, Encoding as _};
use serde_json::{Value, json};

use super::{Call, GraphState, Refused, collections::link, query::Query, resources::Resource};
use crate::{
    entities::Entity,
    http::Reply,
    records::{Life, Records, Row},
};

/// What a page costs.
pub(super) const UNITS: u32 = 5;

/// How far a client has come. It travels as text that means nothing to the client.
#[derive(Debug)]
struct Progress {
    /// The next object, while the client is told of all of them.
    all_from: Option<usize>,
    /// Which changes it knows, or will know when it has been told of all objects.
    mark: usize,
    select: Option<Vec<String>>,
    generation: u64,
}

impl Progress {
    fn text(&self) -> String {
        let json = json!([self.all_from, self.mark, self.select, self.generation]);
        Base64UrlUnpadded::encode_string(json.to_string().as_bytes())
    }

    fn read(text: &str) -> Option<Self> {
        let json: Value = serde_json::from_slice(&Base64UrlUnpadded::decode_vec(text).ok()?).ok()?;
        let number = |at: usize| json.get(at).and_then(Value::as_u64);
        let place = |at: usize| number(at).and_then(|number| usize::try_from(number).ok());
        let select = json.get(2).and_then(Value::as_array);
        let select =
            select.map(|names| names.iter().filter_map(|name| Some(name.as_str()?.to_owned())).collect());
        Some(Self { all_from: place(0), mark: place(1)?, select, generation: number(3)? })
    }
}

/// One page; the last one has a link for next time.
pub(super) fn answer<T: Entity>(
    call: &Call<'_>,
    resource: &Resource,
    records: &Records<T>,
    state: &GraphState,
) -> Result<Reply, Refused> {
    let query = Query::parse(call, resource, &["$select", "$top", "$skiptoken", "$deltatoken"])?;
    let generation = state.generation;
    let new =
        |all_from| Progress { all_from, mark: records.mark(), select: query.select.clone(), generation };
    let progress = match query.token.as_deref() {
        None => new(Some(0)),
        // Only what changes from now on.
        Some("latest") => return Ok(last_page(call, resource, &[], &new(None))),
        Some(token) => Progress::read(token).ok_or_else(|| Refused::bad_request("Badly formed token."))?,
    };
    if progress.generation != generation || progress.mark > records.mark() {
        let text = "Sync state generation is not found; start anew.";
        let location = format!("{}{}?$deltatoken=", call.asked.base, call.asked.path);
        return Err(Refused::new(410, "syncStateNotFound", text).with("location", location));
    }
    let size = query.top.unwrap_or(call.world.options.page_size);
    let page = Page { call, resource, size };
    Ok(match progress.all_from {
        Some(at) => page.of_all(records, at, progress),
        None => page.of_changes(records, progress),
    })
}

struct Page<'a> {
    call: &'a Call<'a>,
    resource: &'a Resource,
    size: usize,
}

impl Page<'_> {
    fn of_all<T: Entity>(&self, records: &Records<T>, at: usize, progress: Progress) -> Reply {
        let mut rows = records.living_from(at);
        let page: Vec<_> = rows.by_ref().take(self.size).map(|(_, row)| self.show(row, &progress)).collect();
        match rows.next() {
            Some((next, _)) => self.next(&page, &Progress { all_from: Some(next), ..progress }),
            None => last_page(self.call, self.resource, &page, &Progress { all_from: None, ..progress }),
        }
    }

    fn of_changes<T: Entity>(&self, records: &Records<T>, progress: Progress) -> Reply {
        let mut rows = records.changed_since(progress.mark);
        let mut mark = progress.mark;
        let mut page = Vec::new();
        for (after, row) in rows.by_ref().take(self.size) {
            mark = after;
            page.push(self.show(row, &progress));
        }
        if rows.next().is_some() {
            return self.next(&page, &Progress { mark, ..progress });
        }
        last_page(self.call, self.resource, &page, &Progress { mark: records.mark(), ..progress })
    }

    /// The id is always there; what is deleted has hardly more.
    fn show<T: Entity>(&self, row: &Row<T>, progress: &Progress) -> Value {
        let removed = |reason: &str| json!({"id": row.id, "@removed": {"reason": reason}});
        match row.life {
            Life::InTrash => removed("changed"),
            Life::Gone => removed("deleted"),
            Life::Live => {
                let whole = row.thing.show(&row.id);
                let mut shown = self.resource.shown(self.call.version, whole, progress.select.as_deref());
                if let Some(properties) = shown.as_object_mut() {
                    properties.insert("id".into(), Value::from(&*row.id));
                }
                shown
            }
        }
    }

    fn next(&self, page: &[Value], progress: &Progress) -> Reply {
        body(self.call, self.resource, page, "@odata.nextLink", ("$skiptoken", &progress.text()))
    }
}

fn last_page(call: &Call<'_>, resource: &Resource, page: &[Value], progress: &Progress) -> Reply {
    body(call, resource, page, "@odata.deltaLink", ("$deltatoken", &progress.text()))
}

fn body(call: &Call<'_>, resource: &Resource, page: &[Value], name: &str, token: (&str, &str)) -> Reply {
    // What was selected is in the token.
    let link = link(call, &[token]);
    let body = json!({"@odata.context": call.context(resource.path), name: link, "value": page});
    super::reply(&body, UNITS)
}
