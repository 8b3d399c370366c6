//! What is read as an inventory, and what is refused with which words.

use stead_plan::lab::{Lab, LabError, LabErrorKind as Kind, MAX_BYTES};

fn wrong(text: &str) -> LabError {
    Lab::read(text).expect_err(text)
}

/// Kind, line and column, what is said and what is proposed.
fn told(text: &str) -> (Kind, (usize, usize), String, String) {
    let error = wrong(text);
    let place = error.place.expect("a place");
    (error.kind, (place.line, place.column), error.message, error.next)
}

#[test]
fn an_empty_file_is_an_empty_lab_and_unicode_is_welcome() {
    assert_eq!(Lab::read(""), Ok(Lab::default()));
    let lab = Lab::read("name = \"Мой 🏠\"\n[[site]]\nname = \"größe 東京\"\n").expect("a lab");
    assert_eq!(
        (lab.name.as_str(), lab.sites[0].name.as_str()),
        ("Мой 🏠", "größe 東京")
    );
}

#[test]
fn unknown_fields_are_refused_with_place_and_proposal_in_flattened_tables_too() {
    let (kind, place, message, next) = told("[[node]]\nname = \"a\"\nidel_w = 3\n");
    assert_eq!((kind, place), (Kind::UnknownField, (3, 1)));
    assert_eq!(message, "a [[node]] has no field `idel_w`");
    assert_eq!(next, "Did you mean `idle_w`?");
    let (_, place, message, next) =
        told("[[node]]\nname = \"ü\"\ndisk = [{ kind = \"ssd\", sise_gb = 3 }]\n");
    assert_eq!(place, (3, 25));
    assert_eq!(message, "a [[disk]] has no field `sise_gb`");
    assert_eq!(next, "Did you mean `size_gb`?");
    let (_, place, _, next) = told("[[nodes]]\nname = \"a\"\n");
    assert_eq!((place, next.as_str()), ((1, 3), "Did you mean `node`?"));
    let (_, _, _, next) = told("[[site]]\nname = \"a\"\ncolour = \"red\"\n");
    assert_eq!(next, "It has: name.");
}

#[test]
fn figures_are_finite_at_least_nothing_and_without_units() {
    let node = |line: &str| told(&format!("[[node]]\nname = \"a\"\n{line}\n"));
    for (line, kind) in [
        ("idle_w = -1", Kind::WrongFigure),
        ("idle_w = -0.5", Kind::WrongFigure),
        ("idle_w = nan", Kind::WrongFigure),
        ("idle_w = inf", Kind::WrongFigure),
        ("idle_w = -inf", Kind::WrongFigure),
        ("idle_w = 1e400", Kind::WrongFigure),
        ("idle_w = 1e12", Kind::WrongFigure),
        ("idle_w = 99999999999999999999", Kind::WrongFigure),
        ("idle_w = [5, 2]", Kind::WrongFigure),
        ("idle_w = [1, 2, 3]", Kind::WrongType),
        ("idle_w = [1, -2]", Kind::WrongFigure),
        ("idle_w = { low = 1 }", Kind::WrongType),
        ("idle_w = true", Kind::WrongType),
        ("idle_w = \"65 W\"", Kind::WrongUnit),
        ("idle_w = [\"3 W\", \"5 W\"]", Kind::WrongUnit),
        ("memory_gb = \"512 MB\"", Kind::WrongUnit),
        ("memory_gb = -8", Kind::WrongFigure),
        ("cores = -4", Kind::WrongFigure),
        ("cores = 4.5", Kind::WrongType),
        ("price = -1", Kind::WrongFigure),
        ("at_u = 99999999999", Kind::WrongFigure),
        ("power = \"outlet\"", Kind::WrongType),
        ("power = [1]", Kind::WrongType),
        ("power = [\"\"]", Kind::BadName),
        ("role = \"storrage\"", Kind::WrongWord),
        ("state = 3", Kind::WrongType),
        ("part = \"a\\u0007b\"", Kind::BadName),
        ("disk = 3", Kind::WrongType),
        ("disk = [3]", Kind::WrongType),
        ("disk = [{ kind = \"ssd\" }]", Kind::MissingField),
    ] {
        let (found, (row, _), message, _) = node(line);
        assert_eq!((found, row), (kind, 3), "{line}: {message}");
    }
    let (_, place, message, next) = node("idle_w = \"65 W\"");
    assert_eq!(place, (3, 10));
    assert_eq!(
        message,
        "`idle_w` is in watts already; \"65 W\" is a text, not a number"
    );
    assert_eq!(next, "Write `idle_w = 65` if that is 65 watts.");
    let (_, _, _, next) = node("role = \"storrage\"");
    assert_eq!(next, "Did you mean `storage`?");
}

#[test]
fn what_is_no_toml_says_where() {
    let (kind, place, message, _) = told("name = \"a\"\n[[node]\n");
    assert_eq!((kind, place.0), (Kind::Syntax, 2), "{message}");
    let (kind, place, message, _) = told("name = \"a\"\nname = \"b\"\n");
    assert_eq!((kind, place.0), (Kind::Syntax, 2), "{message}");
    assert_eq!(wrong("node = 3").kind, Kind::WrongType);
    assert_eq!(wrong(&"[".repeat(10_000)).kind, Kind::Syntax);
    let (kind, place, message, _) = told("[[data]]\nname = \"d\"\nredundancy = \"2 often\"\n");
    assert_eq!((kind, place), (Kind::WrongWord, (3, 14)), "{message}");
    let (kind, place, message, _) = told("[[rack]]\nname = \"r\"\n");
    assert_eq!((kind, place.0), (Kind::MissingField, 1), "{message}");
    assert_eq!(message, "a [[rack]] has no `units`, which it must have");
}

#[test]
fn a_file_of_a_mebibyte_is_read_and_a_larger_one_is_not() {
    let one = "[[node]]\nname = \"a\"\nidle_w = 3\n\n";
    let comment = format!("# {}\n", "ü".repeat(30));
    let mut text = one.repeat(1_000);
    while text.len() + comment.len() <= MAX_BYTES {
        text.push_str(&comment);
    }
    assert_eq!(Lab::read(&text).expect("a large lab").nodes.len(), 1_000);
    text.push_str(&" ".repeat(MAX_BYTES + 1 - text.len()));
    let error = wrong(&text);
    assert_eq!((error.kind, error.place), (Kind::TooLarge, None));
}
