//! The configuration file: any text. What is wrong is explained, what is right says itself again.

use gateway::config::parse;

/// The text; what is not UTF-8 is not asked.
pub fn run(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else { return };
    match parse("any.toml", text) {
        Ok(config) => {
            let shown = config.to_toml();
            match parse("shown", &shown) {
                Ok(again) => assert_eq!(again, config, "{shown}"),
                Err(errors) => panic!("{shown}\n{errors}"),
            }
        }
        Err(errors) => {
            assert!(errors.render(false).contains("any.toml:"));
            assert!(!errors.render(true).is_empty());
            for problem in errors.problems() {
                let (line, column) = errors.position(problem);
                assert!(line <= text.split('\n').count() && column <= text.chars().count() + 1);
            }
        }
    }
}
