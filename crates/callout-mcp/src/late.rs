//! Answers for clients that lost the stream on which they were given and come back for them: the SDK keeps none.

use std::collections::VecDeque;

use rmcp::{
    model::{ContentBlock, JsonRpcResponse, ServerJsonRpcMessage, ServerResult},
    transport::streamable_http_server::{SessionId, session::ServerSseMessage},
};

/// Bytes of all that are kept.
const MAX_BYTES: usize = 64 << 20;

/// Bytes of one that is kept.
const MAX_ANSWER_BYTES: usize = MAX_BYTES / 4;

/// What each takes besides its texts, in bytes.
const OVERHEAD_BYTES: usize = 1 << 10;

/// How much more a JSON document takes than its text, at worst.
const PER_TEXT: usize = 128;

/// The answers that came last, of all sessions.
#[derive(Debug, Default)]
pub(crate) struct Late {
    /// The oldest first.
    kept: VecDeque<Kept>,
    bytes: usize,
}

#[derive(Debug)]
struct Kept {
    session: SessionId,
    event: ServerSseMessage,
    bytes: usize,
}

impl Late {
    /// Keeps an answer, unless its client has no way to ask for it.
    pub(crate) fn keep(&mut self, session: &SessionId, event: &ServerSseMessage) {
        let bytes = size(event);
        let is_first = place(event).is_none_or(|(number, _)| number == "0");
        if is_first || bytes > MAX_ANSWER_BYTES {
            return;
        }
        self.kept.push_back(Kept { session: SessionId::clone(session), event: event.clone(), bytes });
        self.bytes += bytes;
        while self.bytes > MAX_BYTES {
            let Some(oldest) = self.kept.pop_front() else { break };
            self.bytes -= oldest.bytes;
        }
    }

    /// The answer that came after that event, on its stream.
    pub(crate) fn after(&self, session: &SessionId, event_id: &str) -> Option<ServerSseMessage> {
        let (_, stream) = event_id.split_once('/')?;
        let is_it = |kept: &&Kept| {
            let is_of_it = place(&kept.event).is_some_and(|(_, its)| its == stream);
            kept.session == *session && is_of_it && kept.event.event_id.as_deref() != Some(event_id)
        };
        self.kept.iter().find(is_it).map(|kept| kept.event.clone())
    }

    /// Keeps nothing of a session that has ended.
    pub(crate) fn forget(&mut self, session: &SessionId) {
        self.kept.retain(|kept| kept.session != *session);
        self.bytes = self.kept.iter().map(|kept| kept.bytes).sum();
    }
}

/// The event's number on the stream of a request, and that stream.
fn place(event: &ServerSseMessage) -> Option<(&str, &str)> {
    event.event_id.as_deref()?.split_once('/')
}

/// Of an answer in bytes, rather too many: the texts of a call's result are nearly all of it, and what is structured
/// in it stands in them too.
fn size(event: &ServerSseMessage) -> usize {
    let Some(ServerJsonRpcMessage::Response(JsonRpcResponse { result: ServerResult::CallToolResult(result), .. })) =
        event.message.as_deref()
    else {
        return OVERHEAD_BYTES;
    };
    let texts: usize = result.content.iter().filter_map(ContentBlock::as_text).map(|block| block.text.len()).sum();
    OVERHEAD_BYTES + texts * if result.structured_content.is_some() { PER_TEXT } else { 1 }
}

#[cfg(test)]
mod tests {
    use rmcp::model::{CallToolResult, RequestId};

    use super::*;

    fn answer(event_id: &str, text: &str) -> ServerSseMessage {
        event(event_id, CallToolResult::success(vec![ContentBlock::text(text)]))
    }

    fn event(event_id: &str, result: CallToolResult) -> ServerSseMessage {
        let message = ServerJsonRpcMessage::response(ServerResult::CallToolResult(result), RequestId::Number(1));
        ServerSseMessage::new(event_id, message)
    }

    #[test]
    fn an_answer_is_kept_for_who_saw_an_event_before_it() {
        let mut late = Late::default();
        let (one, other) = (SessionId::from("one"), SessionId::from("other"));
        for event_id in ["2/7", "0/8", "3"] {
            late.keep(&one, &answer(event_id, "text"));
        }
        late.keep(&other, &answer("2/9", "text"));
        for (session, seen, expected) in [
            (&one, "0/7", Some("2/7")),
            (&one, "1/7", Some("2/7")),
            (&one, "2/7", None),
            (&one, "0/8", None),
            (&one, "0/9", None),
            (&one, "2", None),
            (&one, "", None),
            (&other, "0/7", None),
            (&other, "1/9", Some("2/9")),
        ] {
            let found = late.after(session, seen).and_then(|event| event.event_id);
            assert_eq!(found.as_deref(), expected, "{session} {seen}");
        }
        late.forget(&one);
        assert!(late.after(&one, "0/7").is_none() && late.after(&other, "0/9").is_some());
        late.forget(&other);
        assert_eq!(late.bytes, 0);
    }

    #[test]
    fn what_is_kept_is_bounded_in_bytes() {
        let mut late = Late::default();
        let session = SessionId::from("one");
        let large = "x".repeat(MAX_ANSWER_BYTES - OVERHEAD_BYTES);
        late.keep(&session, &answer("1/0", &format!("{large}x")));
        assert!(late.after(&session, "0/0").is_none(), "too large");
        for stream in 1..=5 {
            late.keep(&session, &answer(&format!("1/{stream}"), &large));
        }
        let kept: Vec<_> = (1..=5).filter(|stream| late.after(&session, &format!("0/{stream}")).is_some()).collect();
        assert_eq!((kept, late.bytes), (vec![2, 3, 4, 5], MAX_BYTES));

        // What is structured takes many times its text.
        let mut result = CallToolResult::success(vec![ContentBlock::text(&large[..MAX_ANSWER_BYTES / PER_TEXT])]);
        late.keep(&session, &event("1/6", result.clone()));
        assert!(late.after(&session, "0/6").is_some());
        result.structured_content = Some(serde_json::Value::Null);
        late.keep(&session, &event("1/7", result));
        assert!(late.after(&session, "0/7").is_none(), "too large");
    }
}
