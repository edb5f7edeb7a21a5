# shellcheck shell=bash
# Completion for lekt, lektd and lektctl in bash. It knows nothing by itself: it asks the program that is being typed
# for its --help, so it is never out of date, and lektctl for clients, devices, bans, traces and codes.

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
    wants = $2 ~ /^[A-Za-z0-9]/ && $2 !~ /^(REQUIRED|Excludes:|Needs:)/ ? $2 : ""
    sub(/=.*/, "", wants)
    count = split($1, names, ",")
    for (i = 1; i <= count; ++i) print names[i], wants
  }'
}

# What a --help wants to have without a flag: FILE, ADDRESS, ...
_lekt_positional() {
  awk '/^Positionals:/ { within = 1; next } /^$/ { within = 0 } within && /^  [A-Z]/ { print $1; exit }'
}

# What a flag wants to have: _lekt_wants FLAG, the flags on standard input.
_lekt_wants() { awk -v flag="$1" '$1 == flag { print $2 }'; }

# The first column of what lektctl lists, without the heading: _lekt_listed PROGRAM OPTIONS... SUBCOMMAND. Nothing is
# waited for that does not answer at once.
_lekt_listed() { timeout 2 "$@" 2>/dev/null </dev/null | awk 'NR > 1 { print $1 }'; }

_lekt() {
  local word=${COMP_WORDS[COMP_CWORD]} previous=${COMP_WORDS[COMP_CWORD - 1]}
  local help subcommands flags wants index given value instance=() chosen=
  COMPREPLY=()

  # bash makes three words of --flag=value.
  if [[ $word == "=" ]]; then
    word=
  elif [[ $previous == "=" ]]; then
    previous=${COMP_WORDS[COMP_CWORD - 2]}
  fi

  help=$("$1" --help 2>/dev/null) || return 0
  subcommands=$(_lekt_subcommands <<<"$help")
  flags=$(_lekt_flags <<<"$help")
  for ((index = 1; index < COMP_CWORD; ++index)); do
    given=${COMP_WORDS[index]}
    value=${COMP_WORDS[index + 1]}
    [[ $value == "=" ]] && value=${COMP_WORDS[index + 2]}
    if [[ $given =~ ^--(database|control-socket)$ && -n $value ]]; then
      instance+=("$given" "${value/#\~/$HOME}")
    elif [[ -z $chosen ]] && grep -qxF -e "$given" <<<"$subcommands" &&
      [[ -z $(_lekt_wants "${COMP_WORDS[index - 1]}" <<<"$flags") ]]; then
      chosen=$given
    fi
  done
  if [[ -n $chosen ]]; then
    help=$("$1" "$chosen" --help 2>/dev/null) || return 0
    flags+=$'\n'$(_lekt_flags <<<"$help")
  fi

  wants=$(_lekt_wants "$previous" <<<"$flags")
  if [[ -z $wants && $word != -* ]]; then wants=$(_lekt_positional <<<"$help"); fi
  case $wants in
    "")
      [[ -n $chosen ]] && flags=$(_lekt_flags <<<"$help") && subcommands=
      mapfile -t COMPREPLY < <(compgen -W "$subcommands $(awk '{ print $1 }' <<<"$flags")" -- "$word")
      ;;
    FILE | PATH)
      compopt -o filenames 2>/dev/null
      mapfile -t COMPREPLY < <(compgen -f -- "$word")
      ;;
    DIRECTORY)
      compopt -o filenames 2>/dev/null
      mapfile -t COMPREPLY < <(compgen -d -- "$word")
      ;;
    ADDRESS | CIDR | CLIENT) wants=clients ;;&
    DEVICE) wants=devices ;;&
    BAN) wants=bans ;;&
    TRACE) wants=traces ;;&
    CODE) wants=explain ;;&
    ADDRESS | CIDR | CLIENT | DEVICE | BAN | TRACE | CODE)
      # Only lektctl knows somebody to ask.
      [[ -n $chosen ]] && grep -qxF -e "$wants" <<<"$subcommands" &&
        mapfile -t COMPREPLY < <(compgen -W "$(_lekt_listed "$1" "${instance[@]}" "$wants")" -- "$word")
      ;;
    *)
      if [[ $wants =~ ^[a-z0-9_.]+(\|[a-z0-9_.]+)+$ ]]; then
        mapfile -t COMPREPLY < <(compgen -W "${wants//|/ }" -- "$word")
      fi
      ;;
  esac
  return 0
}
complete -F _lekt lekt lektd lektctl
