// SPDX-License-Identifier: Apache-2.0
#include "exporters/encode/flow_key_text.hpp"

#include <cstring>
#include <tuple>

#include "core/base/mixing.hpp"
#include "exporters/encode/number_text.hpp"

namespace nfstreamd::exporters {
namespace {

struct End {
    const IpAddress& address;
    std::uint16_t port;
};

bool source_first(const FlowRecord& record) noexcept {
    return std::tie(record.source_address.bytes, record.source_port) <=
           std::tie(record.destination_address.bytes, record.destination_port);
}

End first_end(const FlowRecord& record, bool source) noexcept {
    return source ? End{record.source_address, record.source_port}
                  : End{record.destination_address, record.destination_port};
}

void append_end(std::string& out, const End& end) {
    out += ' ';
    append_text(out, end.address);
    out += ' ';
    append_integer(out, std::uint64_t{end.port});
}

std::uint64_t mix_end(std::uint64_t hash, const End& end) noexcept {
    std::uint64_t words[2];
    std::memcpy(words, end.address.bytes.data(), sizeof words);
    hash = splitmix_finish(hash + kSplitmixStep + words[0]);
    return splitmix_finish(hash + kSplitmixStep + (words[1] ^ end.port));
}

}  // namespace

void append_flow_key(std::string& out, const FlowRecord& record) {
    const bool source = source_first(record);
    append_integer(out, std::uint64_t{record.protocol});
    append_end(out, first_end(record, source));
    append_end(out, first_end(record, !source));
}

std::uint64_t flow_key_hash(const FlowRecord& record) noexcept {
    const bool source = source_first(record);
    return mix_end(mix_end(record.protocol, first_end(record, source)), first_end(record, !source));
}

}  // namespace nfstreamd::exporters
