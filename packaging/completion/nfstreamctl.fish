# SPDX-License-Identifier: Apache-2.0
# Printed from the tables in the code; a test compares.
complete -c nfstreamctl -f
complete -c nfstreamctl -n __fish_use_subcommand -a status -d 'all counters of a running nfstreamd'
complete -c nfstreamctl -n __fish_use_subcommand -a expire -d 'export every flow now, as if it had ended'
complete -c nfstreamctl -n __fish_use_subcommand -a collect -d 'receive IPFIX, and over UDP NetFlow v9 and v5, and print the records as JSON lines, until SIGINT or SIGTERM'
complete -c nfstreamctl -n '__fish_seen_subcommand_from collect' -F
complete -c nfstreamctl -s s -l socket -r -F -d 'control socket (default /run/nfstreamd/control.sock)'
complete -c nfstreamctl -l json -d 'status the JSON document as it is'
complete -c nfstreamctl -l listen -x -d 'collect where to listen'
complete -c nfstreamctl -l verify -x -a 'default nfdump pmacct fixbuf akvorado goflow2 ipfixcol2 logstash telegraf ntopng' -d 'collect which collector to be default, nfdump, pmacct, fixbuf, akvorado, goflow2, ipfixcol2, logstash, telegraf or ntopng'
complete -c nfstreamctl -l private-enterprise-number -x -d 'collect the daemons setting of that name, to know its elements'
complete -c nfstreamctl -s V -l version -d 'print the versions of nfstreamctl and its libraries'
complete -c nfstreamctl -s h -l help -d 'print this text'
