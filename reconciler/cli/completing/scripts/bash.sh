# Completion of reconciler for bash. In ~/.bashrc:  eval "$(reconciler completion bash)"
_reconciler_completion() {
    local line
    COMPREPLY=()
    while IFS= read -r line; do
        if [[ $line == ":files" ]]; then
            compopt -o default 2>/dev/null
        else
            COMPREPLY+=("$line")
        fi
    done < <("${1/#\~/$HOME}" completion bash -- "${COMP_LINE:0:COMP_POINT}" "$1" "$2" 2>/dev/null)
}
complete -F _reconciler_completion reconciler
