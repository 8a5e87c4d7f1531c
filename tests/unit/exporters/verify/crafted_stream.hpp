// SPDX-License-Identifier: Apache-2.0
// A stream of messages that a test writes field by field, and what a profile
// finds in it.
#pragma once
#include <doctest/doctest.h>

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "exporters/ipfix/message_reader.hpp"
#include "exporters/verify/stream_verifier.hpp"

namespace nfstreamd::test {

using exporters::verify::Finding;
using exporters::verify::Outcome;

struct CraftedField {
    unsigned id;
    unsigned length;          // 65535: variable, its values are empty
    std::uint64_t value = 0;  // of each record
    std::uint32_t pen = 0;
};
using CraftedFields = std::vector<CraftedField>;
inline constexpr std::uint32_t kReverse = 29305;

class CraftedStream {
public:
    explicit CraftedStream(std::string_view profile) : verifier_(*exporters::verify::find_collector_profile(profile)) {}

    std::uint32_t export_time = 1'700'000'000;
    std::uint32_t domain = 0;
    std::string source = "a";
    int version = 10;
    unsigned padding = 0;  // octets behind the records of a Set

    CraftedStream& tmpl(unsigned id, const CraftedFields& fields, unsigned scopes = 0) {
        begin(scopes != 0 ? (version == 10 ? 3 : 1) : (version == 10 ? 2 : 0));
        put(id, 2);
        if (version == 9 && scopes != 0) {
            put(4 * scopes, 2);
            put(4 * (fields.size() - scopes), 2);
        } else {
            put(fields.size(), 2);
            if (scopes != 0) put(scopes, 2);
        }
        for (const CraftedField& field : fields) {
            put(field.id | (field.pen != 0 ? 0x8000 : 0), 2);
            put(field.length, 2);
            if (field.pen != 0) put(field.pen, 4);
        }
        return send();
    }
    CraftedStream& record(unsigned id, const CraftedFields& fields) {
        begin(id);
        for (const CraftedField& field : fields) {
            if (field.length == 65535)
                put(0, 1);
            else
                put(field.value, field.length);
        }
        for (unsigned i = 0; i < padding; ++i) put(0, 1);
        return send();
    }
    // Template and one record.
    CraftedStream& both(const CraftedFields& fields, unsigned scopes = 0, unsigned id = 300) {
        return tmpl(id, fields, scopes).record(id, fields);
    }
    CraftedStream& withdraw(unsigned id) {
        begin(2);
        put(id, 2);
        put(0, 2);
        return send();
    }
    CraftedStream& datagram(const std::vector<std::uint8_t>& octets) {
        reader_.feed_datagram(octets, source);
        return *this;
    }

    const exporters::verify::StreamVerifier& verifier() const { return verifier_; }
    bool harmless() const { return !verifier_.finds_harm(); }

    // How many of this outcome whose subject begins with the text and whose reason has the other one.
    std::uint64_t count(Outcome outcome, std::string_view subject, std::string_view why = "") const {
        std::uint64_t total = 0;
        for (const Finding& finding : verifier_.findings())
            if (finding.outcome == outcome && finding.subject.starts_with(subject) &&
                finding.reason.why.find(why) != finding.reason.why.npos)
                total += finding.count;
        return total;
    }

private:
    void put(std::uint64_t value, std::size_t octets) {
        for (std::size_t i = octets; i-- > 0;)
            bytes_.push_back(i < 8 ? static_cast<std::uint8_t>(value >> (8 * i)) : std::uint8_t{0});
    }
    void begin(unsigned set_id) {
        bytes_.clear();
        put(static_cast<unsigned>(version), 2);
        put(0, 2);
        if (version == 9) put(100'000, 4);
        put(export_time, 4);
        put(version == 9 ? packets_++ : 0, 4);
        put(domain, 4);
        set_ = bytes_.size();
        put(set_id, 2);
        put(0, 2);
    }
    void set_length(std::size_t at, std::size_t length) {
        bytes_[at] = static_cast<std::uint8_t>(length >> 8);
        bytes_[at + 1] = static_cast<std::uint8_t>(length);
    }
    CraftedStream& send() {
        set_length(set_ + 2, bytes_.size() - set_);
        if (version == 10) set_length(2, bytes_.size());
        REQUIRE(reader_.counters().malformed == 0);
        reader_.feed_datagram(bytes_, source);
        REQUIRE(reader_.counters().malformed == 0);
        return *this;
    }

    exporters::verify::StreamVerifier verifier_;
    exporters::ipfix::MessageReader reader_{[](std::string_view) {}, 0, &verifier_};
    std::vector<std::uint8_t> bytes_;
    std::size_t set_ = 0;
    std::uint32_t packets_ = 0;
};

}  // namespace nfstreamd::test
