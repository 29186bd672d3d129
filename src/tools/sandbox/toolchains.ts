/**
 * What commands may read of the home directory by default: toolchains, and caches of packages that tools only read.
 * Folders that hold a user's own code or credentials are left out: `~/go/src`, `~/.m2/settings.xml`, `~/.npmrc`.
 */
const TOOLCHAINS = [
  ...[".nvm", ".fnm", ".local/share/fnm", ".nodenv", ".n", ".volta", ".bun", ".deno", ".local/share/pnpm"],
  ...[".cargo", ".rustup", "go/bin", "go/pkg", ".local/share/go", "sdk"],
  ...[".pyenv", ".local/bin", ".local/lib", ".local/share/uv", ".local/pipx", ".local/share/pipx", ".poetry"],
  ...["miniconda3", "anaconda3", "miniforge3", ".rbenv", ".rvm", ".gem", ".phpenv", ".composer/vendor"],
  ...[".sdkman/candidates", ".jenv", ".jabba", ".m2/repository", ".gradle/wrapper", ".dotnet", ".nuget/packages"],
  ...[".asdf", ".local/share/mise", ".local/share/rtx", ".proto", ".nix-profile", ".local/state/nix"],
  ...[".opam", ".ghcup", ".cabal/packages", ".stack/programs", ".elan", ".juliaup", ".julia", ".swiftly", ".zvm"],
];

/** Files of credentials in these folders. */
export const TOOLCHAIN_SECRETS = [".cargo/credentials", ".cargo/credentials.toml", ".gem/credentials"];

/** Folders of the home directory that programs write while they work: empty in each sandbox, and gone with it. */
export const PRIVATE_CACHES = [".cache", ".npm", ".local/state"];

/** @param home absolute */
export function toolchainsIn(home: string): string[] {
  return TOOLCHAINS.map((name) => `${home}/${name}`);
}
