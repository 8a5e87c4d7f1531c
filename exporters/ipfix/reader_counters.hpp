// SPDX-License-Identifier: Apache-2.0
// What the collecting side has read and what it could not, whatever the version.
#pragma once
#include <cstdint>
#include <string>

namespace nfstreamd::exporters::ipfix {

struct ReaderCounters {
    std::uint64_t messages = 0, octets = 0;
    std::uint64_t records = 0;  // data records, those of options templates included
    std::uint64_t options_records = 0;
    std::uint64_t templates = 0;      // template records, options templates and repetitions included
    std::uint64_t malformed = 0;      // messages or parts of them thrown away
    std::uint64_t sequence_gaps = 0;  // places where records are missing (or came twice)
    std::uint64_t lost_records = 0;   // as the sequence numbers tell; NetFlow v9's count messages:
    std::uint64_t lost_messages = 0;
    std::uint64_t sets_without_template = 0;  // data that came before its template, or whose template was refused
    std::uint64_t udp_withdrawals = 0;        // of templates, where RFC 7011, 8.4 forbids it; obeyed
    std::string last_malformed;               // what was wrong, and who sent it
};

}  // namespace nfstreamd::exporters::ipfix
