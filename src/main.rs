//! The program; its commands are in the library's `app`.

fn main() -> std::process::ExitCode {
    passant::app::run(std::env::args_os())
}
