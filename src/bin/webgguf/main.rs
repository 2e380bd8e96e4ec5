//! The native command `webgguf`: what the library does with a model file, on the command line.

mod activations;
mod generate;
mod inspect;
mod render;
mod source;
mod tokenize;

use clap::{Parser, Subcommand};

#[derive(Parser)]
#[command(version, about)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    Inspect(inspect::Inspect),
    Generate(generate::Generate),
    Activations(activations::Activations),
    Tokenize(tokenize::Tokenize),
    Detokenize(tokenize::Detokenize),
    Render(render::Render),
}

/// What went wrong, to be shown to the user.
type Failure = Box<dyn std::error::Error>;

fn main() -> std::process::ExitCode {
    let result = match Cli::parse().command {
        Command::Inspect(command) => command.run(),
        Command::Generate(command) => command.run(),
        Command::Activations(command) => command.run(),
        Command::Tokenize(command) => command.run(),
        Command::Detokenize(command) => command.run(),
        Command::Render(command) => command.run(),
    };
    match result {
        Ok(()) => std::process::ExitCode::SUCCESS,
        Err(failure) => {
            eprintln!("webgguf: {failure}");
            std::process::ExitCode::FAILURE
        }
    }
}
