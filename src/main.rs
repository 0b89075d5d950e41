//! The binary: everything is in the library.

fn main() -> std::process::ExitCode {
    staunch::cli::main()
}
