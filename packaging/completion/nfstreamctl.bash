# SPDX-License-Identifier: Apache-2.0
# Printed from the tables in the code; a test compares.
# shellcheck shell=bash
_nfstreamctl() {
    local word=${COMP_WORDS[COMP_CWORD]} option=${COMP_WORDS[COMP_CWORD - 1]}
    COMPREPLY=()
    # bash takes the = of --option=value for a word of its own
    if [[ $word == = ]]; then
        word=
    elif [[ $option == = ]]; then
        option=${COMP_WORDS[COMP_CWORD - 2]}
        [[ $option == -* ]] || return
    fi
    case $option in
        -s | --socket)
            compopt -o filenames
            mapfile -t COMPREPLY < <(compgen -f -- "$word")
            return
            ;;
        --filter)
            return
            ;;
        --limit)
            return
            ;;
        --sort)
            return
            ;;
        --interval)
            return
            ;;
        -c | --config)
            compopt -o filenames
            mapfile -t COMPREPLY < <(compgen -f -- "$word")
            return
            ;;
        --report)
            compopt -o filenames
            mapfile -t COMPREPLY < <(compgen -f -- "$word")
            return
            ;;
        --main-pid)
            return
            ;;
        --listen)
            return
            ;;
        --verify)
            mapfile -t COMPREPLY < <(compgen -W "default nfdump pmacct fixbuf akvorado goflow2 ipfixcol2 logstash telegraf ntopng" -- "$word")
            return
            ;;
        --private-enterprise-number)
            return
            ;;
    esac
    local words="-s --socket --json --filter --limit --sort --interval --once -c --config --report --main-pid --listen --verify --private-enterprise-number -V --version -h --help"
    local command='' given
    for given in "${COMP_WORDS[@]:1:COMP_CWORD-1}"; do
        case $given in
            status | top | flows | interfaces | exporters | audit | expire | reload | resend-templates | doctor | collect) command=$given ;;
        esac
    done
    [[ -n $command ]] || words+=" status top flows interfaces exporters audit expire reload resend-templates doctor collect"
    case $command in
        doctor | collect)
            if [[ $word != -* ]]; then
                compopt -o filenames
                mapfile -t COMPREPLY < <(compgen -f -- "$word")
                return
            fi
            ;;
    esac
    mapfile -t COMPREPLY < <(compgen -W "$words" -- "$word")
}
complete -F _nfstreamctl nfstreamctl
