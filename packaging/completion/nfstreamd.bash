# SPDX-License-Identifier: Apache-2.0
# Printed from the tables in the code; a test compares.
# shellcheck shell=bash
_nfstreamd() {
    local settings="
        instance=
        private_enterprise_number=
        capture.interface=
        capture.pcap=
        capture.bpf_filter=
        capture.packet_sampling.method=
        capture.packet_sampling.rate=
        capture.packet_sampling.seed=
        capture.packet_hash_filter.fields=
        capture.packet_hash_filter.fraction=
        capture.packet_hash_filter.seed=
        capture.promiscuous_mode=
        capture.snapshot_length=
        capture.snaplen=
        capture.socket_buffer_size=
        capture.timestamp_type=
        capture.timestamp_precision=
        capture.n_meters=
        capture.checksum=
        capture.required=
        capture.group=
        capture.reorder_window=
        capture.deduplicate=
        metering.compatibility=
        metering.idle_timeout=
        metering.inactive_timeout=
        metering.active_timeout=
        metering.timeouts.tcp=
        metering.timeouts.udp=
        metering.timeouts.icmp=
        metering.timeouts.other=
        metering.timeouts.tcp_end=
        metering.pressure.from=
        metering.pressure.idle_timeout=
        metering.overload.from=
        metering.overload.sampling=
        metering.max_flows=
        metering.prefault=
        metering.capacity=
        metering.max_nflows=
        metering.accounting_mode=
        metering.decode_tunnels=
        metering.fragments=
        metering.n_dissections=
        metering.dissect=
        metering.max_tcp_dissections=
        metering.max_udp_dissections=
        metering.l7_details=
        metering.tcp_quality=
        metering.system_visibility_mode=
        metering.system_visibility_poll_ms=
        metering.statistical_analysis=
        metering.splt_analysis=
        metering.performance_report=
        ndpi.protocols_file=
        ndpi.categories_file=
        enrichment.asn=
        enrichment.country=
        enrichment.networks=
        enrichment.mac_vendors=
        enrichment.cache_size=
        plugins.name=
        plugins.type=
        plugins.path=
        plugins.settings=
        plugins.elements=
        plugins.time_budget_us=
        plugins.class=
        plugins.generation=
        plugins.fields=
        models.name=
        models.path=
        models.shadow=
        models.after_packets=
        models.features=
        models.classes=
        models.elements=
        models.time_budget_us=
        log.level=
        log.format=
        control.socket=
        metrics.listen=
        metrics.page=
        exporters.write.anonymization_key=
        exporters.write.anonymize.addresses=
        exporters.write.anonymize.key=
        exporters.write.anonymize.mac=
        exporters.write.anonymize.prefix_length_v4=
        exporters.write.anonymize.prefix_length_v6=
        exporters.write.anonymize.texts=
        exporters.write.append=
        exporters.write.application_id=
        exporters.write.biflow=
        exporters.write.collectors=
        exporters.write.columns_to_anonymize=
        exporters.write.connect_timeout=
        exporters.write.failback=
        exporters.write.fields=
        exporters.write.filter=
        exporters.write.flow_sampling.method=
        exporters.write.flow_sampling.rate=
        exporters.write.flows_per_file=
        exporters.write.flush_interval=
        exporters.write.formulas=
        exporters.write.mtu=
        exporters.write.observation_domain=
        exporters.write.options=
        exporters.write.options_interval=
        exporters.write.options_text=
        exporters.write.path=
        exporters.write.policy=
        exporters.write.profile=
        exporters.write.queue_records=
        exporters.write.rate_limit=
        exporters.write.resolve_interval=
        exporters.write.retry_interval=
        exporters.write.rotate.every=
        exporters.write.rotate.keep=
        exporters.write.rotate.size=
        exporters.write.rotate_files=
        exporters.write.sampling_elements=
        exporters.write.schema=
        exporters.write.session_lifetime=
        exporters.write.source_address=
        exporters.write.spool.directory=
        exporters.write.spool.max_size=
        exporters.write.stall_timeout=
        exporters.write.template_refresh=
        exporters.write.tls.ca=
        exporters.write.tls.certificate=
        exporters.write.tls.ciphers=
        exporters.write.tls.key=
        exporters.write.tls.server_name="
    local word=${COMP_WORDS[COMP_CWORD]} option=${COMP_WORDS[COMP_CWORD - 1]}
    COMPREPLY=()
    # bash takes the = of --option=value for a word of its own
    if [[ $word == = ]]; then
        word=
    elif [[ $option == = ]]; then
        option=${COMP_WORDS[COMP_CWORD - 2]}
        [[ $option == -* ]] || return
    fi
    local at=$((COMP_CWORD - 1))
    while ((at > 0)) && [[ ${COMP_WORDS[at]} != -?* ]]; do ((at--)); done
    case ${COMP_WORDS[at]} in
        -r | --read) [[ $word == -* ]] || option=${COMP_WORDS[at]} ;;
    esac
    case $option in
        -c | --config)
            compopt -o filenames
            mapfile -t COMPREPLY < <(compgen -f -- "$word")
            return
            ;;
        --explain-reload)
            return
            ;;
        -r | --read)
            compopt -o filenames
            mapfile -t COMPREPLY < <(compgen -f -- "$word")
            return
            ;;
        -w | --write)
            compopt -o filenames
            mapfile -t COMPREPLY < <(compgen -f -- "$word")
            return
            ;;
        --format)
            mapfile -t COMPREPLY < <(compgen -W "csv json ipfix" -- "$word")
            return
            ;;
        --schema)
            mapfile -t COMPREPLY < <(compgen -W "nfstream6 nfstream3 nfstream0" -- "$word")
            return
            ;;
        --set)
            compopt -o nospace
            mapfile -t COMPREPLY < <(compgen -W "$settings" -- "$word")
            return
            ;;
    esac
    local words="-c --config -t --check-config --print-config --explain-reload -r --read -w --write --format --schema --set --list-fields --list-exporters --list-interfaces -V --version -h --help"
    mapfile -t COMPREPLY < <(compgen -W "$words" -- "$word")
}
complete -F _nfstreamd nfstreamd
