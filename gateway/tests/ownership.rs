//! What must not compile: the ownership rules as the compiler states them. Kept with one
//! compiler's words, so another skips them.

#[rustversion::attr(not(stable(1.95)), ignore = "the expected messages are rustc 1.95's")]
#[test]
fn misuse_of_packets_does_not_compile() {
    let cases = trybuild::TestCases::new();
    cases.compile_fail("tests/ownership/*.rs");
    #[cfg(feature = "dpdk")]
    cases.compile_fail("tests/ownership/dpdk/*.rs");
}
