#compdef @tool@
# zsh completion for @tool@; written by: @tool@ --completion zsh

# Asks the tool what may stand at the cursor.
_@tool@() {
  local -a line answer offers
  line=("${(@Q)words[2,CURRENT-1]}" "${(Q)PREFIX}")
  # Quoted again, so that nothing in the line is run.
  answer=("${(@f)$(_call_program answer $words[1] --complete -- ${(@qq)line} 2>/dev/null)}")
  offers=("${(@)${(@)answer[3,-1]//:/\\:}/$'\t'/:}")
  compset -p $#answer[2]
  case $answer[1] in
    words) _describe @tool@ offers ;;
    files) _files ;;
    folders) _files -/ ;;
    *) return 1 ;;
  esac
}

# Autoloaded, this file is the function; sourced, it says what it is for.
if [[ $funcstack[1] == _@tool@ ]]; then
  _@tool@ "$@"
else
  compdef _@tool@ @tool@
fi
