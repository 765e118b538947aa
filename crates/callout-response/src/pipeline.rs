//! The stages of one endpoint in their order, and what each of them gave.

use callout_core::{
    Error, ErrorKind,
    config::EndpointConfig,
    fault::{FaultCode, Faults},
    json::{Json, Object, is_written_within},
    limits::Limits,
    redact::{Redactor, START_BYTES},
    time::{Deadline, SharedClock},
};

use crate::{
    Watch,
    body::has_body,
    filter::Filter,
    mapping::Mapping,
    plan::{self, MappedRows, Part, Plan, Reach, TextRoom},
    result_key::ResultKey,
    template::{Enough, MEMBERS_PER_VISIT, Rendered, Template, Values},
    truncate::{Count, Text, bound, cut, cut_begun, cut_plain},
};

/// How an endpoint's answers become text: filter, mapping, result key, template, truncation.
///
/// A stage that is not configured passes its value on. A filter without paths, a mapping without
/// members, an empty key and an empty template count as not configured: forms send them so.
#[derive(Debug)]
pub struct Pipeline {
    filter: Option<Filter>,
    mapping: Option<Mapping>,
    result_key: Option<ResultKey>,
    template: Option<Template>,
    max_result_length: u64,
    limits: Limits,
    /// `None` if the whole body is wanted.
    plan: Option<Plan>,
}

/// What a pipeline works on.
#[derive(Clone, Copy, Debug)]
pub struct Input<'a> {
    /// The parsed body, the call's secrets masked.
    pub body: &'a Json,
    /// The params of the call, for the template.
    pub params: &'a Object,
    /// The HTTP status, for the template.
    pub status: u16,
    /// Masks what params bring in: the template's text, and the messages of errors.
    pub redactor: &'a Redactor,
    /// Tells the time.
    pub clock: &'a SharedClock,
    /// When the call must have ended.
    pub deadline: Deadline,
}

impl<'a> Input<'a> {
    fn watch(&self) -> Watch<'a> {
        Watch { clock: self.clock, deadline: self.deadline }
    }
}

/// What is known of the body that stages work on.
#[derive(Clone, Copy, Debug)]
struct Known {
    /// See [`Template::render_within`].
    share: u64,
    /// How many bytes all of it has at most, as compact JSON.
    bytes: Option<usize>,
}

impl Known {
    const NOTHING: Self = Self { share: 1, bytes: None };
}

/// What each stage gave; the stages after one that failed gave nothing.
#[derive(Clone, Debug, Default)]
pub struct Stages {
    /// The value behind `response_filter`.
    pub after_filter: Option<Json>,
    /// The value behind `response_mapping`.
    pub after_mapping: Option<Json>,
    /// The value behind `result_key`.
    pub after_result_key: Option<Json>,
    /// The text.
    pub text: Option<Text>,
    /// Why a stage failed.
    pub error: Option<Error>,
}

impl Pipeline {
    /// Compiles the stages of an endpoint. Faults are reported below the place stood at, which is
    /// the endpoint's: `response_mapping.total`. `None` if there are any.
    pub fn compile(endpoint: &EndpointConfig, limits: &Limits, faults: &mut Faults) -> Option<Self> {
        let filter = endpoint.response_filter.as_deref().filter(|paths| !paths.is_empty());
        let filter =
            filter.map(|paths| faults.field("response_filter", |faults| Filter::compile(paths, limits, faults)));
        let mapping = endpoint.response_mapping.as_deref().filter(|members| !members.is_empty());
        let mapping =
            mapping.map(|members| faults.field("response_mapping", |faults| Mapping::compile(members, limits, faults)));
        let key = endpoint.result_key.as_deref().filter(|path| !path.is_empty());
        let key = key.map(|path| faults.field("result_key", |faults| ResultKey::compile(path, limits, faults)));
        let template = endpoint.result_template.as_deref().filter(|source| !source.is_empty());
        let template = template.map(|source| {
            faults.field("result_template", |faults| {
                Template::compile(source, limits).map_err(|message| faults.report(FaultCode::Template, message)).ok()
            })
        });
        let mut pipeline = Self {
            filter: all_or_nothing(filter)?,
            mapping: all_or_nothing(mapping)?,
            result_key: all_or_nothing(key)?,
            template: all_or_nothing(template)?,
            max_result_length: endpoint.max_result_length,
            limits: limits.clone(),
            plan: None,
        };
        pipeline.plan = pipeline.reaches().and_then(|reaches| Plan::compile(&reaches, pipeline.rows(limits)));
        Some(pipeline)
    }

    /// Where in the body the stages can look: the first one and the template, since those between see
    /// only what the first has made. `None` if that may be anywhere.
    fn reaches(&self) -> Option<Vec<Reach>> {
        let first = match (&self.filter, &self.mapping, &self.result_key) {
            (Some(filter), _, _) => Some(filter.reaches()),
            (None, Some(mapping), _) => Some(mapping.reaches()),
            (None, None, Some(key)) => Some(key.reaches()),
            (None, None, None) => None,
        };
        let template = self.template.as_ref().map(|template| template.reaches(first.is_none()));
        match (first, template) {
            (first, Some(template)) => Some([first.unwrap_or_default(), template?].concat()),
            (first, None) => first,
        }
    }

    /// A mapping that is all there is between the body and the text.
    fn rows(&self, limits: &Limits) -> Option<MappedRows> {
        let mapping = self.mapping.as_ref().filter(|_| self.filter.is_none() && self.result_key.is_none())?;
        let uses_body = |template: &Template| template.reaches(false).is_none_or(|reaches| !reaches.is_empty());
        if self.template.as_ref().is_some_and(uses_body) {
            return None;
        }
        let lines = self.template.as_ref().and_then(|template| template.lines(&mapping.member_names()));
        mapping.rows(self.room(mapping), lines, limits)
    }

    /// The room that the text has for elements of an array that is the result. `None` if any of them may come
    /// into it.
    fn room(&self, mapping: &Mapping) -> Option<TextRoom> {
        let max = bound(self.max_result_length);
        match &self.template {
            Some(template) => template.room(max.saturating_add(START_BYTES)),
            // The last of them does not fit.
            None => Some(mapping.room(max.saturating_add(1))),
        }
    }

    /// Makes the text of an answer from no more of its body than the stages look at. It is the text that
    /// [`Pipeline::run`] makes of the whole, masked body. `None` if that must be asked: because the
    /// whole is wanted, because the body is no JSON or may hold a secret, or because a stage fails,
    /// whose error tells what there is.
    ///
    /// The body that stands in `input` is not looked at.
    pub fn run_wanted(&self, bytes: &[u8], limits: &Limits, input: &Input<'_>) -> Option<Text> {
        let plan = self.plan.as_ref()?;
        if !has_body(input.status, bytes) || input.redactor.may_match(bytes) {
            return None;
        }
        if let Some(text) = self.lines(bytes, limits, input) {
            return Some(text);
        }
        match plan.read(bytes, limits, input.redactor)? {
            Part::Body { body, widest } => {
                // Objects from which members were left out are cheaper to look into. So that no render
                // gets by that would not with the whole, it has as much less to spend as that can have
                // saved.
                let share = 1 + (widest / MEMBERS_PER_VISIT) as u64;
                let known = Known { share, bytes: Some(bytes.len()) };
                self.stages(&Input { body: &body, ..*input }, Count::UpToLimit, &mut Stages::default(), known).ok()
            }
            Part::Mapped { result, is_whole } => {
                input.watch().check("response_mapping").ok()?;
                let mapping = self.mapping.as_ref()?;
                // Shorter names leave room for elements that were not made.
                if !is_whole && mapping.may_mask_names(input.redactor) {
                    return None;
                }
                let result = mapping.masked(result, input.redactor);
                self.text(&result, is_whole, &Input { body: &Json::Null, ..*input }, Count::UpToLimit, 1).ok()
            }
        }
    }

    /// The same, and only if no value has to be made for it: where the template writes a line for each element of
    /// a mapped list. It takes as long as passing over the body, a second for a gigabyte or several, and twice as
    /// long if `None` comes of it.
    pub fn run_lines(&self, bytes: &[u8], limits: &Limits, input: &Input<'_>) -> Option<Text> {
        self.plan.as_ref()?.lines()?;
        if !has_body(input.status, bytes) || input.redactor.may_match(bytes) {
            return None;
        }
        self.lines(bytes, limits, input)
    }

    /// The text of a template that makes lines of rows, written while they are read. `None` if they have to be
    /// made.
    fn lines(&self, bytes: &[u8], limits: &Limits, input: &Input<'_>) -> Option<Text> {
        let (rows, lines) = self.plan.as_ref()?.lines()?;
        let watch = input.watch();
        let Input { redactor, .. } = input;
        if watch.is_over() || self.mapping.as_ref()?.may_mask_names(redactor) {
            return None;
        }
        let rendered = lines.write(&self.limits, &watch, self.enough(true), |visit| {
            plan::watching_for(redactor, |may_pass| rows.visit(bytes, plan::options(limits), may_pass, visit))
        })?;
        if redactor.may_match(rendered.text.as_bytes()) { None } else { self.cut(rendered).ok() }
    }

    /// Makes the text. It is the text that [`Pipeline::trace`] makes; only the length before a cut
    /// may be told as a lower bound.
    ///
    /// # Errors
    ///
    /// The first stage that fails, by its name; see the stages for their kinds.
    pub fn run(&self, input: &Input<'_>) -> Result<Text, Error> {
        self.stages(input, Count::UpToLimit, &mut Stages::default(), Known::NOTHING)
    }

    /// Makes the text and keeps what each stage gave. Lengths are exact, unless a template fails behind its
    /// limit: nobody knows then how long its text would have been.
    pub fn trace(&self, input: &Input<'_>) -> Stages {
        let mut stages = Stages::default();
        match self.stages(input, Count::Exactly, &mut stages, Known::NOTHING) {
            Ok(text) => stages.text = Some(text),
            Err(error) => stages.error = Some(error),
        }
        stages
    }

    fn stages(&self, input: &Input<'_>, count: Count, stages: &mut Stages, known: Known) -> Result<Text, Error> {
        self.unmasked(input, count, stages, known)
            .map_err(|error| error.map_message(|message| input.redactor.text(message).into_owned()))
    }

    fn unmasked(&self, input: &Input<'_>, count: Count, stages: &mut Stages, known: Known) -> Result<Text, Error> {
        let watch = input.watch();
        let mut visits = watch.visits(&self.limits);
        let value = match &self.filter {
            Some(filter) => filter.apply(input.body, &mut visits, &watch)?,
            None => input.body.clone(),
        };
        stages.after_filter = Some(value.clone());
        let value = match &self.mapping {
            Some(mapping) => {
                let mapped = mapping.apply(&value, &mut visits, &watch)?;
                // What a filter keeps it keeps once, so that there are no more bytes than of the body.
                let most = known.bytes.and_then(|bytes| mapping.most_bytes(&mapped, bytes, &visits));
                if most.is_none_or(|most| most > self.limits.max_result_bytes) {
                    self.bounded("response_mapping", &mapped, &watch)?;
                }
                mapping.masked(mapped, input.redactor)
            }
            None => value,
        };
        stages.after_mapping = Some(value.clone());
        let value = match &self.result_key {
            Some(key) => {
                let found = key.apply(&value, &mut visits)?;
                if key.may_repeat() {
                    self.bounded("result_key", &found, &watch)?;
                }
                found
            }
            None => value,
        };
        stages.after_result_key = Some(value.clone());
        self.text(&value, true, input, count, known.share)
    }

    /// Refuses a result that only memory is large enough for: a value is shared there, and written out wherever it
    /// stands, also where nobody looks at how long a text becomes, as in the stages of a trace.
    fn bounded(&self, stage: &'static str, result: &Json, watch: &Watch<'_>) -> Result<(), Error> {
        let max = self.limits.max_result_bytes;
        let mut in_time = Ok(());
        let goes_on = || {
            in_time = watch.check(stage);
            in_time.is_ok()
        };
        if is_written_within(result, max, goes_on) {
            return Ok(());
        }
        in_time?;
        Err(Error::new(
            ErrorKind::LimitExceeded,
            format!(
                "{stage}: its result has more than {max} bytes as JSON (`max_result_bytes`); take parts of values \
                 instead of whole ones, and each of them once, or ask the API for less"
            ),
        ))
    }

    /// What is behind the stages that make a value: template and truncation. Of a value that is not whole no
    /// more is there than a text has room for (see [`Pipeline::room`]), and it fails where that is not
    /// enough.
    fn text(&self, value: &Json, is_whole: bool, input: &Input<'_>, count: Count, share: u64) -> Result<Text, Error> {
        let Some(template) = &self.template else { return Ok(cut(value, self.max_result_length, count)) };
        let watch = input.watch();
        watch.check("result_template")?;
        let values = Values { result: value, response: input.body, params: input.params, status: input.status };
        let render = |ends: bool| {
            if !is_whole && !ends {
                return Err(Error::new(ErrorKind::Template, "result_template: only a part of the result is there"));
            }
            template.render_within(&values, &watch, share, self.enough(ends))
        };
        let ends = count == Count::UpToLimit;
        let mut rendered = render(ends)?;
        // The body has been masked already; params may hold a secret all the same.
        if input.redactor.may_match(rendered.text.as_bytes()) {
            if ends {
                // Masks are shorter than what they stand for, so that more may be of use.
                rendered = render(false)?;
            }
            rendered.text = input.redactor.text(&rendered.text).into_owned();
        }
        self.cut(rendered)
    }

    /// How much of a render is of use: a secret that begins within the limit is seen.
    fn enough(&self, ends: bool) -> Enough {
        Enough { chars: bound(self.max_result_length).saturating_add(START_BYTES), ends }
    }

    fn cut(&self, rendered: Rendered) -> Result<Text, Error> {
        if rendered.is_whole {
            return Ok(cut_plain(rendered.text, self.max_result_length));
        }
        let cut = cut_begun(rendered.text, self.max_result_length);
        match rendered.failed {
            Some(error) if cut.truncation.is_none() => Err(error),
            _ => Ok(cut),
        }
    }
}

/// A pipeline is shared by the calls of all threads.
const _: fn() = || {
    fn shared<T: Send + Sync>() {}
    shared::<Pipeline>();
};

/// A stage that is configured but has faults spoils the whole.
#[expect(clippy::option_option, reason = "outside: whether it can be used; inside: whether it is configured")]
fn all_or_nothing<T>(stage: Option<Option<T>>) -> Option<Option<T>> {
    match stage {
        None => Some(None),
        Some(compiled) => compiled.map(Some),
    }
}
