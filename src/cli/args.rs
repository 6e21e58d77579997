//! What can be said on the command line, and the examples that its help shows.

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand, ValueEnum};

/// An edge gateway that verifies every token, gates routes by product, and forwards a trusted identity.
#[derive(Debug, Parser)]
#[command(
    name = "tollgate",
    version,
    arg_required_else_help = true,
    after_help = "Example:\n  tollgate demo"
)]
pub(super) struct Arguments {
    #[command(subcommand)]
    pub(super) command: Command,
}

#[derive(Debug, Subcommand)]
pub(super) enum Command {
    /// Serve until SIGTERM; SIGHUP or a changed file reloads
    #[command(after_help = "Example:\n  tollgate run --config /etc/tollgate/gateway.toml")]
    Run(RunOptions),
    /// List every fault of a configuration at once
    #[command(
        after_help = "Example:\n  tollgate check --config gateway.toml && systemctl reload tollgate"
    )]
    Check(CheckOptions),
    /// Walk one decision with the code that serves
    #[command(after_help = "Examples:
  tollgate explain GET /crm/contacts --token \"$TOKEN\"
  tollgate explain GET https://api.example.com/crm --claims '{\"products\":[\"crm\"]}'")]
    Explain(ExplainOptions),
    /// Mint, inspect or verify a token
    #[command(
        subcommand,
        after_help = "Example:\n  tollgate token verify --config gateway.toml \"$TOKEN\""
    )]
    Token(TokenCommand),
    /// Make a signing key, rotate it, show its public half, or distrust an issuer's key
    #[command(
        subcommand,
        after_help = "Example:\n  tollgate key generate --algorithm ES256 --out sign.pem"
    )]
    Key(KeyCommand),
    /// Look after the session store
    #[command(
        subcommand,
        after_help = "Example:\n  tollgate sessions backup --config gateway.toml sessions-2026-11-23.db"
    )]
    Sessions(SessionsCommand),
    /// Run the gateway with sample upstreams and a sample identity service
    #[command(after_help = "Example:\n  tollgate demo")]
    Demo(DemoOptions),
}

#[derive(Debug, Args)]
pub(super) struct ConfigOption {
    /// The configuration
    #[arg(long, default_value = "gateway.toml", value_name = "FILE")]
    pub(super) config: PathBuf,
}

#[derive(Debug, Args)]
pub(super) struct RunOptions {
    #[command(flatten)]
    pub(super) file: ConfigOption,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(super) enum Format {
    Text,
    Json,
}

#[derive(Debug, Args)]
pub(super) struct CheckOptions {
    #[command(flatten)]
    pub(super) file: ConfigOption,
    /// How the faults are written
    #[arg(long, value_enum, default_value_t = Format::Text)]
    pub(super) format: Format,
}

#[derive(Debug, Args)]
pub(super) struct ExplainOptions {
    /// The method, as on the wire
    pub(super) method: String,
    /// A URL, or a bare path
    pub(super) url: String,
    #[command(flatten)]
    pub(super) file: ConfigOption,
    /// The token; `-` reads it from standard input
    #[arg(long, conflicts_with = "claims", allow_hyphen_values = true)]
    pub(super) token: Option<String>,
    /// Claims of an imagined token: what is missing is filled in as the issuer would
    #[arg(long, value_name = "JSON")]
    pub(super) claims: Option<String>,
    /// A header of the request, `Name: value`; may stand several times
    #[arg(long = "header", short = 'H', value_name = "HEADER")]
    pub(super) headers: Vec<String>,
    /// How the walk is written
    #[arg(long, value_enum, default_value_t = Format::Text)]
    pub(super) format: Format,
}

#[derive(Debug, Subcommand)]
pub(super) enum TokenCommand {
    /// Sign a token, for development and tests
    #[command(after_help = "Example:
  tollgate token mint --key sign.pem --issuer https://auth.example.com \\
    --audience https://api.example.com --subject u_1 --products crm,billing")]
    Mint(Box<MintOptions>),
    /// Print header and claims without trusting them
    #[command(after_help = "Example:\n  tollgate token inspect \"$TOKEN\"")]
    Inspect(InspectOptions),
    /// Verify against the configuration
    #[command(after_help = "Example:\n  tollgate token verify --config gateway.toml \"$TOKEN\"")]
    Verify(VerifyOptions),
}

#[derive(Debug, Args)]
pub(super) struct MintOptions {
    /// The signing key, PKCS#8 PEM
    #[arg(long, value_name = "FILE")]
    pub(super) key: PathBuf,
    /// `iss`
    #[arg(long)]
    pub(super) issuer: Option<String>,
    /// `aud`
    #[arg(long)]
    pub(super) audience: Option<String>,
    /// `sub`
    #[arg(long)]
    pub(super) subject: Option<String>,
    /// `products`, comma-separated
    #[arg(long, value_delimiter = ',')]
    pub(super) products: Vec<String>,
    /// `scope`, space-separated
    #[arg(long)]
    pub(super) scope: Option<String>,
    /// `tenant`
    #[arg(long)]
    pub(super) tenant: Option<String>,
    /// Until `exp`, in seconds
    #[arg(long, default_value_t = 600, value_name = "SECONDS")]
    pub(super) lifetime: u64,
    /// `typ` of the header
    #[arg(long = "type", default_value = "at+jwt", value_name = "TYP")]
    pub(super) typ: String,
    /// Further claims; they win over those above
    #[arg(long, value_name = "JSON")]
    pub(super) claims: Option<String>,
}

#[derive(Debug, Args)]
pub(super) struct InspectOptions {
    /// The token; `-` reads it from standard input
    #[arg(default_value = "-", allow_hyphen_values = true)]
    pub(super) token: String,
}

#[derive(Debug, Args)]
pub(super) struct VerifyOptions {
    /// The token; `-` reads it from standard input
    #[arg(default_value = "-", allow_hyphen_values = true)]
    pub(super) token: String,
    #[command(flatten)]
    pub(super) file: ConfigOption,
    /// How the result is written
    #[arg(long, value_enum, default_value_t = Format::Text)]
    pub(super) format: Format,
}

#[derive(Debug, Subcommand)]
pub(super) enum KeyCommand {
    /// Write a new private key: PKCS#8 PEM, mode 0600
    #[command(after_help = "Example:\n  tollgate key generate --algorithm ES256 --out sign.pem")]
    Generate(GenerateOptions),
    /// Put a new key behind the one that signs access tokens: published now, signing after `--lead`
    #[command(after_help = "Example:\n  tollgate key rotate --config gateway.toml")]
    Rotate(RotateOptions),
    /// Print the public half as a JWKS
    #[command(after_help = "Example:\n  tollgate key show sign.pem > jwks.json")]
    Show(ShowOptions),
    /// Tell the running gateway to trust a key no more, whatever its issuer publishes
    #[command(
        after_help = "Example:\n  tollgate key distrust main 2026-10-key --config gateway.toml
  tollgate key distrust sessions KID      (a key of the gate's own)"
    )]
    Distrust(DistrustOptions),
}

#[derive(Debug, Args)]
pub(super) struct GenerateOptions {
    /// ES256, ES384, EdDSA or RS256
    #[arg(long, visible_alias = "alg", default_value = "ES256")]
    pub(super) algorithm: String,
    /// Where to; never overwritten. Absent: standard output
    #[arg(long, value_name = "FILE")]
    pub(super) out: Option<PathBuf>,
}

#[derive(Debug, Args)]
pub(super) struct RotateOptions {
    #[command(flatten)]
    pub(super) file: ConfigOption,
    /// ES256, ES384, EdDSA or RS256; absent: that of the newest key
    #[arg(long, visible_alias = "alg")]
    pub(super) algorithm: Option<String>,
    /// Seconds from now until the new key signs, at least 360: others keep a copy of the keys that long
    #[arg(long, default_value_t = 900, value_name = "SECONDS")]
    pub(super) lead: u64,
    /// Put the new key in the place of one that waits
    #[arg(long)]
    pub(super) replace: bool,
}

#[derive(Debug, Args)]
pub(super) struct ShowOptions {
    /// The private key, PKCS#8 PEM
    pub(super) key: PathBuf,
}

#[derive(Debug, Args)]
pub(super) struct DistrustOptions {
    /// The issuer's name in the configuration
    pub(super) issuer: String,
    /// The key's `kid`
    #[arg(allow_hyphen_values = true)]
    pub(super) kid: String,
    #[command(flatten)]
    pub(super) file: ConfigOption,
}

#[derive(Debug, Subcommand)]
pub(super) enum SessionsCommand {
    /// Copy the store while the gateway serves
    #[command(
        after_help = "Example:\n  tollgate sessions backup --config gateway.toml sessions-2026-11-23.db"
    )]
    Backup(BackupOptions),
}

#[derive(Debug, Args)]
pub(super) struct BackupOptions {
    /// Where to; never overwritten
    pub(super) target: PathBuf,
    #[command(flatten)]
    pub(super) file: ConfigOption,
}

#[derive(Debug, Args)]
pub(super) struct DemoOptions {
    /// Port of the gateway; 0 takes a free one
    #[arg(long, default_value_t = 8080)]
    pub(super) port: u16,
    /// Port of the admin listener; 0 takes a free one
    #[arg(long, default_value_t = 9901)]
    pub(super) admin_port: u16,
}

#[cfg(test)]
mod tests {
    use clap::{Command, CommandFactory as _};

    use super::Arguments;

    #[test]
    fn the_help_of_each_command_shows_an_example() {
        check(&Arguments::command());
    }

    fn check(command: &Command) {
        let help = command.get_after_help().map(ToString::to_string);
        assert!(
            help.is_some_and(|help| help.starts_with("Example")),
            "{}",
            command.get_name()
        );
        command.get_subcommands().for_each(check);
    }
}
