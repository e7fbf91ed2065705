use serde_json::Value;

/// An error or a warning of rustc.
#[derive(Debug)]
pub(crate) struct Message {
    pub(crate) is_error: bool,
    /// The position of the message.
    pub(crate) file: String,
    pub(crate) line: u64,
    pub(crate) column: u64,
    /// The main sentence, and the label at the position.
    pub(crate) sentence: String,
    /// The whole message as rustc prints it.
    pub(crate) text: String,
}

impl Message {
    /// `None` for a summary of other messages.
    pub(super) fn read(message: &Value) -> Option<Self> {
        let mut sentence = message["message"].as_str()?.to_owned();
        let spans = message["spans"].as_array()?;
        let primary = spans.iter().find(|span| span["is_primary"] == true)?;
        if let Some(label) = primary["label"].as_str() {
            sentence = format!("{sentence}: {label}");
        }
        Some(Self {
            is_error: message["level"].as_str()?.starts_with("error"),
            file: primary["file_name"].as_str()?.to_owned(),
            line: primary["line_start"].as_u64()?,
            column: primary["column_start"].as_u64()?,
            sentence,
            text: message["rendered"].as_str()?.to_owned(),
        })
    }
}
