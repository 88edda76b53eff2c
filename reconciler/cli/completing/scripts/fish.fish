# Completion of reconciler for fish. Once:  reconciler completion fish > ~/.config/fish/completions/reconciler.fish
function __reconciler_complete
    set -l words (commandline --cut-at-cursor --tokenize --current-process)
    set -l current (commandline --cut-at-cursor --current-token | string unescape)
    for line in ($words[1] completion fish -- $words[2..-1] "$current" 2>/dev/null)
        if test "$line" = ":files"
            __fish_complete_path "$current"
        else
            echo $line
        end
    end
end
complete --command reconciler --no-files --arguments '(__reconciler_complete)'
