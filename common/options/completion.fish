# fish completion for @tool@; written by: @tool@ --completion fish

# Asks the tool what may stand at the cursor.
function __@tool@_complete
    set -l words (commandline -opc)
    set -l typed (commandline -ct)
    # As it was typed: only the shell reads ~ as a folder.
    set -l tool (string replace -r '^~/' "$HOME/" -- $words[1])
    set -l answer ($tool --complete -- $words[2..-1] "$typed" 2>/dev/null)
    set -l value (string sub -s (math (string length -- "$answer[2]") + 1) -- "$typed")
    set -l offers $answer[3..-1]
    switch "$answer[1]"
        case files
            set offers (complete -C "'' $value")
        case folders
            set offers (__fish_complete_directories "$value")
    end
    string join \n -- "$answer[2]"$offers
end

complete -c @tool@ -f -a '(__@tool@_complete)'
