use super::*;
use crate::api::stage::Stage;

const URL: &str = "https://count.example";

fn public() -> Public {
    Public { url: Some(URL.to_owned()), ..Public::default() }
}

/// The example's state with a venue that was changed.
fn changed(stage: &Stage, change: impl FnOnce(&mut Venue)) -> State {
    let mut venues = stage.state().venues.to_vec();
    change(&mut venues[0]);
    State { venues: venues.into(), ..stage.state().clone() }
}

/// Reads the square code of a page as a camera would, with the white that the sheet has around it.
fn scanned(html: &str) -> String {
    const CELL: usize = 4;
    const WHITE: usize = 4;
    let path = html.split("<path d=\"").nth(1).unwrap().split('"').next().unwrap();
    let cells: Vec<(usize, usize)> = path
        .split('M')
        .filter_map(|cell| {
            let (x, rest) = cell.split_once(',')?;
            let y: String = rest.chars().take_while(char::is_ascii_digit).collect();
            Some((x.parse().ok()?, y.parse().ok()?))
        })
        .collect();
    let side = (cells.iter().map(|(x, _)| x + 1).max().unwrap() + 2 * WHITE) * CELL;
    let dark = |x: usize, y: usize| {
        let cell = |at: usize| (at / CELL).checked_sub(WHITE);
        cell(x).zip(cell(y)).is_some_and(|cell| cells.contains(&cell))
    };
    let mut picture =
        rqrr::PreparedImage::prepare_from_greyscale(side, side, |x, y| if dark(x, y) { 0 } else { 255 });
    let codes = picture.detect_grids();
    assert_eq!(codes.len(), 1, "one square code is seen");
    codes[0].decode().unwrap().1
}

/// What a reader reads: the words without their marks.
fn read(html: &str) -> String {
    html.replace("&#39;", "'").replace("&#38;", "&")
}

#[tokio::test]
async fn the_notice_names_who_counts_and_where_to_say_no_in_every_language() {
    let stage = Stage::set().await;
    for language in words::languages() {
        let public = public();
        let poster = Poster::of(stage.state(), &public, "mall", &language.code).unwrap();
        let html = read(&poster.print().await.unwrap());
        assert!(html.contains(&format!("<html lang=\"{}\"", language.code)));
        let notice = &poster.venue().notice;
        for text in [&notice.controller, &notice.contact, &notice.purpose] {
            assert!(html.contains(text.as_deref().unwrap()), "{text:?}");
        }
        // P5: page and notice say exactly the same.
        assert_eq!(language.words.opt_out.limits.len(), 2);
        for sentence in &language.words.opt_out.limits {
            assert!(html.contains(sentence), "{sentence}");
        }
        for text in ["count.example/opt-out", "North entrance, Food court", "90 ", " 10 ", " 40 "] {
            assert!(html.contains(text), "{text}");
        }
        assert!(html.contains(&stage.state().ledger.head().hex()));
        let visible = html.split("</style>").nth(1).unwrap();
        assert!(!visible.contains('{') && !html.contains("<script") && !html.contains("<link"));
        assert_eq!(scanned(&html), "https://count.example/opt-out");
    }
}

#[tokio::test]
async fn it_speaks_english_and_french() {
    let stage = Stage::set().await;
    for (code, words) in [("en", "Do not count my phone"), ("fr", "Ne pas compter mon téléphone")] {
        let public = public();
        let html = Poster::of(stage.state(), &public, "mall", code).unwrap().print().await.unwrap();
        assert!(read(&html).contains(words), "{code}");
    }
    let none = Poster::of(stage.state(), &public(), "mall", "xx").err().unwrap().to_string();
    assert!(none.contains("en") && none.contains("fr") && none.contains("dashboards/words"), "{none}");
}

#[tokio::test]
async fn without_what_a_notice_must_say_none_is_printed() {
    let stage = Stage::set().await;
    let bare = changed(&stage, |venue| venue.notice = crate::config::Notice::default());
    let why = Poster::of(&bare, &Public::default(), "mall", "en").err().unwrap().to_string();
    assert!(why.contains("set [public] url, controller, contact, purpose"), "{why}");
    let blank = changed(&stage, |venue| venue.notice.purpose = Some("  ".to_owned()));
    let why = Poster::of(&blank, &public(), "mall", "en").err().unwrap().to_string();
    assert!(why.contains("set purpose,"), "{why}");
    let nowhere = Poster::of(stage.state(), &public(), "nowhere", "en").err().unwrap().to_string();
    assert!(nowhere.contains("mall"), "{nowhere}");
}

#[tokio::test]
async fn what_does_not_fit_on_the_sheet_is_refused_or_told_by_its_number() {
    let stage = Stage::set().await;
    let long = changed(&stage, |venue| venue.notice.purpose = Some("x".repeat(PURPOSE_CHARS_MAX + 1)));
    let why = Poster::of(&long, &public(), "mall", "en").err().unwrap().to_string();
    assert!(why.contains("120 characters of purpose"), "{why}");
    let many = changed(&stage, |venue| {
        venue.zones.iter_mut().for_each(|zone| zone.name = "Food court".repeat(7));
    });
    let public = public();
    let html = Poster::of(&many, &public, "mall", "en").unwrap().print().await.unwrap();
    assert!(html.contains("and 1 more"), "{html}");
    let hostile = changed(&stage, |venue| venue.notice.contact = Some("<b>us</b>".to_owned()));
    let html = Poster::of(&hostile, &public, "mall", "en").unwrap().print().await.unwrap();
    assert!(!html.contains("<b>"), "what the operator wrote is written as text");
}
