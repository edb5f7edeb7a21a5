# shellcheck shell=bash
# Completion for lekt, lektd and lektctl in bash. It knows nothing by itself: it asks the program that is being typed
# for its --help, so it is never out of date.

# The subcommands in a --help: "  join      Joins the network", below their heading.
_lekt_subcommands() {
  awk '/^Subcommands:/ { within = 1; next } /^$/ { within = 0 } within && /^  [a-z]/ { print $1 }'
}

# The flags in a --help, a line each, with what they want to have: "--tls-key FILE", "--tls", "--format text|json".
# Two spaces end the left column.
_lekt_flags() {
  awk '/^  -[-a-z]/ {
    sub(/^  /, "")
    sub(/  .*/, "")
    wants = $2 ~ /^[A-Za-z]/ && $2 !~ /^(REQUIRED|Excludes:|Needs:)/ ? $2 : ""
    sub(/=.*/, "", wants)
    count = split($1, names, ",")
    for (i = 1; i <= count; ++i) print names[i], wants
  }'
}

_lekt() {
  local word=${COMP_WORDS[COMP_CWORD]} previous=${COMP_WORDS[COMP_CWORD - 1]}
  local help subcommands flags wants index
  COMPREPLY=()

  help=$("$1" --help 2>/dev/null) || return 0
  subcommands=$(_lekt_subcommands <<<"$help")
  for ((index = 1; index < COMP_CWORD; ++index)); do
    grep -qxF -e "${COMP_WORDS[index]}" <<<"$subcommands" || continue
    help=$("$1" "${COMP_WORDS[index]}" --help 2>/dev/null) || return 0
    subcommands=
    break
  done

  flags=$(_lekt_flags <<<"$help")
  wants=$(awk -v flag="$previous" '$1 == flag { print $2 }' <<<"$flags")
  if [[ -z $wants ]]; then
    mapfile -t COMPREPLY < <(compgen -W "$subcommands $(awk '{ print $1 }' <<<"$flags")" -- "$word")
  elif [[ $wants =~ ^(FILE|PATH)$ ]]; then
    compopt -o filenames 2>/dev/null
    mapfile -t COMPREPLY < <(compgen -f -- "$word")
  elif [[ $wants =~ ^[a-z]+(\|[a-z]+)+$ ]]; then
    mapfile -t COMPREPLY < <(compgen -W "${wants//|/ }" -- "$word")
  fi
}
complete -F _lekt lekt lektd lektctl
