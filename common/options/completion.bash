# bash completion for @tool@; written by: @tool@ --completion bash

# Asks the tool what may stand at the cursor, and offers what begins like the word there.
_@tool@_complete() {
  local kind glue word kept='' typed=${COMP_WORDS[COMP_CWORD]#=}
  local -a line=("${1/#\~\//$HOME/}")
  # With = among bash's word breaks --name=value is three words.
  for word in "${COMP_WORDS[@]:1:COMP_CWORD}"; do
    if [[ $word == = && ${line[-1]} == --* || ${line[-1]} == --*= ]]; then
      line[-1]+=$word
    else
      line+=("$word")
    fi
  done
  COMPREPLY=()
  {
    read -r kind
    IFS= read -r glue
    [[ $typed != "$glue"* ]] || kept=$glue
    while IFS=$'\t' read -r word _; do
      if [[ $word == "${typed#"$kept"}"* ]]; then
        printf -v word %q "$word"
        COMPREPLY+=("$kept$word")
      fi
    done
  } < <("${line[0]}" --complete -- "${line[@]:1}" 2>/dev/null)
  case $kind in
    # bash itself knows best how file names are quoted.
    files) compopt -o bashdefault -o default ;;
    folders) compopt -o dirnames ;;
  esac
}

complete -F _@tool@_complete @tool@
