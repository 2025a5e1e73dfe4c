//! What the rivals' programs print: a line of JSON for each workload, and for each measurement.

use serde_json::Value;

/// A measurement.
#[derive(Clone, Debug, PartialEq)]
pub struct Measurement {
    pub metric: String,
    pub unit: String,
    pub value: f64,
    /// CPU time, in the same unit.
    pub cpu: Option<f64>,
}

/// A workload that a rival has, or has not.
#[derive(Clone, Debug, PartialEq)]
pub struct Offer {
    pub workload: String,
    pub variant: String,
    pub note: String,
    /// There is no fair counterpart; the note says why.
    pub absent: bool,
    /// It is done in a smaller size, which is not the same work.
    pub smaller: bool,
}

/// The measurements of a run. There is at least one.
pub fn measurements(text: &str) -> Result<Vec<Measurement>, String> {
    let lines: Vec<_> = text.lines().map(measurement).collect::<Result<_, _>>()?;
    if lines.is_empty() {
        return Err("it printed nothing".into());
    }
    Ok(lines)
}

/// What a rival offers.
pub fn offers(text: &str) -> Result<Vec<Offer>, String> {
    text.lines().map(offer).collect()
}

fn measurement(line: &str) -> Result<Measurement, String> {
    let object = parse(line)?;
    Ok(Measurement {
        metric: string(&object, "metric", line)?,
        unit: string(&object, "unit", line)?,
        value: number(&object, "value").ok_or_else(|| lacks(line, "value"))?,
        cpu: number(&object, "cpu"),
    })
}

fn offer(line: &str) -> Result<Offer, String> {
    let object = parse(line)?;
    let absent = object.get("absent").is_some();
    let note = if absent { "absent" } else { "note" };
    Ok(Offer {
        workload: string(&object, "workload", line)?,
        variant: string(&object, "variant", line)?,
        note: string(&object, note, line)?,
        absent,
        smaller: object.get("smaller").and_then(Value::as_bool) == Some(true),
    })
}

fn parse(line: &str) -> Result<Value, String> {
    serde_json::from_str(line).map_err(|e| format!("it printed {line:?}, which is no JSON: {e}"))
}

fn string(object: &Value, key: &str, line: &str) -> Result<String, String> {
    let text = object.get(key).and_then(Value::as_str);
    text.map(str::to_owned).ok_or_else(|| lacks(line, key))
}

/// A number that can be compared.
fn number(object: &Value, key: &str) -> Option<f64> {
    object.get(key)?.as_f64().filter(|n| n.is_finite())
}

fn lacks(line: &str, key: &str) -> String {
    format!("it printed {line:?}, which lacks {key:?}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn measurements_with_and_without_cpu_time() {
        let text = "{\"metric\":\"time\",\"unit\":\"ns\",\"value\":7.5,\"cpu\":9}\n\
                    {\"metric\":\"late p50\",\"unit\":\"us\",\"value\":3}\n";
        let all = measurements(text).unwrap();
        assert_eq!(
            (all[0].metric.as_str(), all[0].value, all[0].cpu),
            ("time", 7.5, Some(9.0))
        );
        assert_eq!(
            (all[1].unit.as_str(), all[1].value, all[1].cpu),
            ("us", 3.0, None)
        );
    }

    #[test]
    fn what_is_no_measurement_is_quoted() {
        assert!(measurements("").unwrap_err().contains("nothing"));
        assert!(
            measurements("panicked")
                .unwrap_err()
                .contains("\"panicked\"")
        );
        let error = measurements(r#"{"metric":"time","unit":"ns"}"#).unwrap_err();
        assert!(error.contains("lacks \"value\""), "{error}");
        assert!(measurements(r#"{"metric":1,"unit":"ns","value":1}"#).is_err());
    }

    #[test]
    fn offers_are_there_or_say_why_not() {
        let text = "{\"workload\":\"spsc\",\"variant\":\"kanal\",\"note\":\"\",\"smaller\":true}\n\
                    {\"workload\":\"skynet\",\"variant\":\"\",\"absent\":\"too many\"}\n";
        let all = offers(text).unwrap();
        assert_eq!((all[0].variant.as_str(), all[0].absent), ("kanal", false));
        assert!(all[0].smaller && !all[1].smaller);
        assert_eq!((all[1].note.as_str(), all[1].absent), ("too many", true));
        assert!(
            offers(r#"{"workload":"spsc"}"#)
                .unwrap_err()
                .contains("variant")
        );
    }
}
