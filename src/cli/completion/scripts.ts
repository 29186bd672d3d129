// biome-ignore-all lint/suspicious/noTemplateCurlyInString: the scripts use `${NAME}` as shells do.
/**
 * The completion script of each shell. A script contains no command, flag or value: it asks `deputy complete`. It starts
 * Deputy by the path it was printed with, never by what is typed, which could be another program.
 */
import { shellWord } from "../../text/shell-word.ts";

export type Shell = "bash" | "zsh" | "fish";

export const COMPLETION_SCRIPTS: Record<Shell, (program: string) => string> = { bash, zsh, fish };

/** Bash replaces only what follows the last of its word breaks, which are also in `--model=a` and `qwen3:8b`. */
function bash(program: string): string {
  return `# Completes deputy in bash. Use it with: source <(deputy completion bash)
_deputy() {
  local line=\${COMP_LINE:0:COMP_POINT} value about
  local word=\${line##*[[:space:]]}
  local breaks=\${COMP_WORDBREAKS//[[:space:]\\"\\']/}
  local kept=''
  if [[ -n $breaks && $word == *["$breaks"]* ]]; then kept=\${word%"\${word##*["$breaks"]}"}; fi
  COMPREPLY=()
  while IFS=$'\\t' read -r value about; do
    case $value in
      :files) compopt -o default 2>/dev/null ;;
      :directories) compopt -o dirnames 2>/dev/null ;;
      *) COMPREPLY+=("\${value#"$kept"}") ;;
    esac
  done < <(${shellWord(program)} complete --line "$line" 2>/dev/null </dev/null)
}
complete -F _deputy deputy deputize
`;
}

function zsh(program: string): string {
  return `#compdef deputy deputize
# Completes deputy in zsh. Use it with: source <(deputy completion zsh)
_deputy() {
  local -a typed values
  local line value
  typed=("\${(@Q)words[2,CURRENT-1]}")
  (( CURRENT > 2 )) || typed=()
  for line in "\${(@f)$(${shellWord(program)} complete --words "\${typed[@]}" "\${(Q)PREFIX}" 2>/dev/null </dev/null)}"; do
    case $line in
      '') ;;
      :files) _files ;;
      :directories) _files -/ ;;
      *)
        value=\${line%%$'\\t'*}
        if [[ $line == *$'\\t'* ]]; then
          values+=("\${value//:/\\\\:}:\${line#*$'\\t'}")
        else
          values+=("\${value//:/\\\\:}")
        fi
        ;;
    esac
  done
  (( \${#values} )) && _describe -V deputy values
}
if [[ \${funcstack[1]} == _deputy ]]; then
  _deputy "$@"
else
  compdef _deputy deputy deputize
fi
`;
}

function fish(program: string): string {
  return `# Completes deputy in fish. Save it as ~/.config/fish/completions/deputy.fish
function __deputy_complete
    set -l typed (commandline -opc)
    set -e typed[1]
    set -l current (commandline -ct)
    for line in (${shellWord(program)} complete --words $typed "$current" 2>/dev/null </dev/null)
        switch $line
            case :files
                complete -C "'' $current"
            case :directories
                __fish_complete_directories "$current"
            case '*'
                echo -- $line
        end
    end
end
complete -c deputy -f -k -a '(__deputy_complete)'
complete -c deputize -f -k -a '(__deputy_complete)'
`;
}
