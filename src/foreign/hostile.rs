//! Text that parsers trip over: their own marks, cut and mixed.

use proptest::prelude::*;

/// Pieces of all formats and any characters, in any order.
pub(super) fn text() -> impl Strategy<Value = String> {
    let piece = prop_oneof![
        Just("00:00:01,000 --> 00:00:02,000".to_owned()),
        Just("-->".to_owned()),
        Just("WEBVTT".to_owned()),
        Just("NOTE".to_owned()),
        Just("\n\n".to_owned()),
        Just("\n".to_owned()),
        Just("{\\an8".to_owned()),
        Just("<v Ann>&#xffffffff;&amp".to_owned()),
        Just("<audio src=\"x.mp3\">".to_owned()),
        Just("<div class=\"outer-cell\">Said ".to_owned()),
        Just("{\"segments\":[{\"start\":1e400,\"end\":-1,\"text\":\"a\"}]".to_owned()),
        Just("[{\"title\":\"Said x\",\"audioFiles\":[\"a.mp3\"]}]".to_owned()),
        Just("NaN".to_owned()),
        Just("file;\"text\",\ttime\n".to_owned()),
        Just("2019-05-03_14_23_12_905_UTC.mp3".to_owned()),
        Just("99999999999999999999".to_owned()),
        ".{0,8}",
        "[0-9:,.>\\-]{0,12}",
    ];
    prop::collection::vec(piece, 0..12).prop_map(|pieces| pieces.concat())
}
