//! Programs that the wall must reject, each beside an accepted twin in `wall/ok`.

#[test]
fn the_wall_rejects_forged_and_opened_values() {
    let cases = trybuild::TestCases::new();
    cases.compile_fail("tests/wall/*.rs");
    cases.pass("tests/wall/ok/*.rs");
}
