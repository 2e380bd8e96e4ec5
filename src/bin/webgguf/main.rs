//! The native command `webgguf`: what the library does with a model file, on the command line.

mod activations;
mod convert;
mod embed;
mod generate;
mod hands;
mod inspect;
mod phonemize;
mod render;
mod source;
mod speak;
mod tokenize;
mod vad;

use clap::{Parser, Subcommand};
use webgguf::error::with_option_names;

#[derive(Parser)]
#[command(version, about)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    Inspect(inspect::Inspect),
    Convert(convert::Convert),
    Embed(embed::Embed),
    Generate(generate::Generate),
    Hands(hands::Hands),
    Speak(speak::Speak),
    Activations(activations::Activations),
    Phonemize(phonemize::Phonemize),
    Tokenize(tokenize::Tokenize),
    Detokenize(tokenize::Detokenize),
    Render(render::Render),
    Vad(vad::Vad),
}

/// Options of the library by their names on the command line.
const OPTION_NAMES: [(&str, &str); 6] = [
    ("context_length", "--context"),
    ("max_tokens", "--max-tokens"),
    ("top_p", "--top-p"),
    ("min_p", "--min-p"),
    ("repeat_penalty", "--repeat-penalty"),
    ("max_hands", "--max-hands"),
];

/// What went wrong, to be shown to the user.
type Failure = Box<dyn std::error::Error>;

fn main() -> std::process::ExitCode {
    let result = match Cli::parse().command {
        Command::Inspect(command) => command.run(),
        Command::Convert(command) => command.run(),
        Command::Embed(command) => command.run(),
        Command::Generate(command) => command.run(),
        Command::Hands(command) => command.run(),
        Command::Speak(command) => command.run(),
        Command::Activations(command) => command.run(),
        Command::Phonemize(command) => command.run(),
        Command::Tokenize(command) => command.run(),
        Command::Detokenize(command) => command.run(),
        Command::Render(command) => command.run(),
        Command::Vad(command) => command.run(),
    };
    match result {
        Ok(()) => std::process::ExitCode::SUCCESS,
        Err(failure) => {
            eprintln!("webgguf: {}", with_option_names(&failure.to_string(), &OPTION_NAMES));
            std::process::ExitCode::FAILURE
        }
    }
}
