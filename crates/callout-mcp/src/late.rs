//! Answers for clients that lost the stream on which they were given and come back for them: the SDK keeps none.

use std::{
    collections::{HashMap, VecDeque},
    sync::Arc,
};

use rmcp::transport::streamable_http_server::{SessionId, session::ServerSseMessage};

/// Bytes of all that are kept.
const MAX_BYTES: usize = 64 << 20;

/// Bytes of one that is kept.
const MAX_ANSWER_BYTES: usize = MAX_BYTES / 4;

/// How many are kept of one tenant.
const MAX_ANSWERS: usize = 1024;

/// The answers that came last, by tenant.
#[derive(Debug, Default)]
pub(crate) struct Late {
    of: HashMap<Arc<str>, Of>,
    bytes: usize,
}

/// Those of one tenant.
#[derive(Debug, Default)]
struct Of {
    /// The oldest first.
    answers: VecDeque<(SessionId, Answer)>,
    bytes: usize,
}

/// An answer, as the text that is sent: that takes as much memory as it has bytes. Cheap to clone.
#[derive(Clone, Debug)]
pub(crate) struct Answer {
    event_id: Arc<str>,
    text: Arc<str>,
}

impl Answer {
    /// What is kept of an answer: nothing if its client has no way to ask for it, or if it is too large.
    pub(crate) fn new(event: &ServerSseMessage) -> Option<Self> {
        let event_id = event.event_id.as_deref()?;
        let (number, _) = event_id.split_once('/')?;
        if number == "0" {
            return None;
        }
        let text = serde_json::to_string(event.message.as_deref()?).ok()?;
        let answer = Self { event_id: event_id.into(), text: text.into() };
        (answer.bytes() <= MAX_ANSWER_BYTES).then_some(answer)
    }

    /// The answer as it was.
    pub(crate) fn event(&self) -> Option<ServerSseMessage> {
        let message = serde_json::from_str(&self.text).ok()?;
        Some(ServerSseMessage::new(&*self.event_id, message))
    }

    fn bytes(&self) -> usize {
        self.event_id.len() + self.text.len()
    }
}

impl Late {
    /// Keeps an answer. Where that is too much, the oldest go of the tenant that has most.
    pub(crate) fn keep(&mut self, tenant: &Arc<str>, session: &SessionId, answer: Answer) {
        let of_it = self.of.entry(Arc::clone(tenant)).or_default();
        self.bytes += answer.bytes();
        of_it.bytes += answer.bytes();
        of_it.answers.push_back((SessionId::clone(session), answer));
        if of_it.answers.len() > MAX_ANSWERS {
            self.bytes -= of_it.drop_oldest();
        }
        while self.bytes > MAX_BYTES {
            let Some(most) = self.of.values_mut().max_by_key(|of| of.bytes) else { break };
            self.bytes -= most.drop_oldest();
        }
    }

    /// The answer that came after that event, on its stream.
    pub(crate) fn after(&self, tenant: &str, session: &SessionId, event_id: &str) -> Option<Answer> {
        let (_, stream) = event_id.split_once('/')?;
        let is_it = |(of, answer): &&(SessionId, Answer)| {
            let is_of_stream = answer.event_id.split_once('/').is_some_and(|(_, its)| its == stream);
            of == session && is_of_stream && *answer.event_id != *event_id
        };
        self.of.get(tenant)?.answers.iter().find(is_it).map(|(_, answer)| answer.clone())
    }

    /// Keeps nothing of a session that has ended.
    pub(crate) fn forget(&mut self, tenant: &str, session: &SessionId) {
        let Some(of_it) = self.of.get_mut(tenant) else { return };
        of_it.answers.retain(|(of, _)| of != session);
        self.bytes -= of_it.bytes;
        of_it.bytes = of_it.answers.iter().map(|(_, answer)| answer.bytes()).sum();
        self.bytes += of_it.bytes;
        if of_it.answers.is_empty() {
            self.of.remove(tenant);
        }
    }
}

impl Of {
    /// Says how many bytes that were.
    fn drop_oldest(&mut self) -> usize {
        let bytes = self.answers.pop_front().map_or(0, |(_, answer)| answer.bytes());
        self.bytes -= bytes;
        bytes
    }
}

#[cfg(test)]
mod tests {
    use rmcp::model::{
        CallToolResult, ContentBlock, ErrorData, MetaObject, RequestId, ServerJsonRpcMessage, ServerResult,
    };
    use serde_json::json;

    use super::*;

    fn message(id: RequestId) -> ServerJsonRpcMessage {
        let result = CallToolResult::success(vec![ContentBlock::text("text")]);
        ServerJsonRpcMessage::response(ServerResult::CallToolResult(result), id)
    }

    /// An answer of so many bytes, most of them in the id of its request.
    fn answer(event_id: &str, bytes: usize) -> Option<Answer> {
        let event = |length| ServerSseMessage::new(event_id, message(RequestId::String("x".repeat(length).into())));
        let least = event_id.len() + serde_json::to_string(&event(0).message.as_deref()).unwrap().len();
        Answer::new(&event(bytes.saturating_sub(least)))
    }

    #[test]
    fn an_answer_is_kept_for_who_saw_an_event_before_it() {
        let mut late = Late::default();
        let (tenant, foreign) = (Arc::<str>::from("a"), Arc::<str>::from("b"));
        let (one, other) = (SessionId::from("one"), SessionId::from("other"));
        assert!(answer("0/8", 0).is_none() && answer("3", 0).is_none());
        late.keep(&tenant, &one, answer("2/7", 0).unwrap());
        late.keep(&tenant, &other, answer("2/9", 0).unwrap());
        for (tenant, session, seen, expected) in [
            (&tenant, &one, "0/7", Some("2/7")),
            (&tenant, &one, "1/7", Some("2/7")),
            (&tenant, &one, "2/7", None),
            (&tenant, &one, "0/9", None),
            (&tenant, &one, "2", None),
            (&tenant, &one, "", None),
            (&tenant, &other, "0/7", None),
            (&tenant, &other, "1/9", Some("2/9")),
            (&foreign, &other, "1/9", None),
        ] {
            let found = late.after(tenant, session, seen).and_then(|answer| answer.event()?.event_id);
            assert_eq!(found.as_deref(), expected, "{session} {seen}");
        }
        late.forget(&tenant, &one);
        assert!(late.after(&tenant, &one, "0/7").is_none() && late.after(&tenant, &other, "0/9").is_some());
        late.forget(&tenant, &other);
        assert!(late.of.is_empty() && late.bytes == 0);
    }

    #[test]
    fn an_answer_that_was_kept_is_as_it_was() {
        let mut result = CallToolResult::error(vec![ContentBlock::text("a \"text\"\n")]);
        result.structured_content = Some(json!({"a": [1, -2, 1.5, null, {"b": u64::MAX}], "": ""}));
        result.meta = json!({"status": 200}).as_object().cloned().map(MetaObject);
        result.result_type = None;
        for message in [
            message(RequestId::Number(-1)),
            ServerJsonRpcMessage::response(ServerResult::CallToolResult(result), RequestId::String("5".into())),
            ServerJsonRpcMessage::error(ErrorData::internal_error("no", Some(json!([]))), Some(RequestId::Number(1))),
        ] {
            let written = serde_json::to_string(&message).unwrap();
            let event = Answer::new(&ServerSseMessage::new("1/2", message)).unwrap().event().unwrap();
            assert_eq!(serde_json::to_string(&*event.message.unwrap()).unwrap(), written);
        }
    }

    /// The streams of which an answer is kept.
    fn kept(late: &Late, tenant: &str, session: &SessionId) -> Vec<usize> {
        (0..2000).filter(|stream| late.after(tenant, session, &format!("0/{stream}")).is_some()).collect()
    }

    #[test]
    fn what_is_kept_is_bounded_in_bytes() {
        let mut late = Late::default();
        let (tenant, other) = (Arc::<str>::from("a"), Arc::<str>::from("b"));
        let session = SessionId::from("one");
        assert!(answer("1/0", MAX_ANSWER_BYTES + 1).is_none(), "too large, be it by the id");
        late.keep(&other, &session, answer("1/9", 1000).unwrap());
        for stream in 1..=5 {
            late.keep(&tenant, &session, answer(&format!("1/{stream}"), MAX_ANSWER_BYTES).unwrap());
        }
        assert_eq!(kept(&late, "a", &session), [3, 4, 5]);
        assert_eq!(kept(&late, "b", &session), [9], "those of others stay");
        assert_eq!(late.bytes, 3 * MAX_ANSWER_BYTES + 1000);

        let session = SessionId::from("two");
        for stream in 0..MAX_ANSWERS + 2 {
            late.keep(&other, &session, answer(&format!("1/{stream}"), 0).unwrap());
        }
        assert_eq!(kept(&late, "b", &session), (2..MAX_ANSWERS + 2).collect::<Vec<_>>());
    }
}
