#compdef reconciler
# Completion of reconciler for zsh. In ~/.zshrc, after compinit:  eval "$(reconciler completion zsh)"
_reconciler() {
    local line current
    local -a values shown
    current="${(Q)PREFIX}"
    while IFS= read -r line; do
        if [[ $line == ":files" ]]; then
            _files
        else
            values+=("${line%%$'\t'*}")
            shown+=("${line/$'\t'/  -- }")
        fi
    done < <("${words[1]/#\~/$HOME}" completion zsh -- "${(@Q)words[2,CURRENT-1]}" "$current" 2>/dev/null)
    (( ${#values} )) && compadd -l -d shown -a values
}
compdef _reconciler reconciler
