// SPDX-License-Identifier: Apache-2.0
// What the readers of IPFIX, NetFlow v9 and v5 share: where lines go, counters,
// sessions, and the reading of one Set of data records. Owned by a
// MessageReader; one thread.
#pragma once
#include <cstdint>
#include <functional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "exporters/ipfix/reader_counters.hpp"
#include "exporters/ipfix/reader_observer.hpp"
#include "exporters/ipfix/reader_sessions.hpp"

namespace nfstreamd::exporters::ipfix {

struct ReaderContext {
    using LineSink = std::function<void(std::string_view json)>;  // without a newline; good during the call
    static constexpr std::size_t kMostFieldsInTemplate = 4096;

    LineSink sink;
    std::uint32_t private_enterprise_number = 0;
    ReaderObserver* observer = nullptr;  // may be null
    ReaderCounters counters;
    ReaderSessions sessions;

    // One record, read by `tmpl`; false when its bytes end too early.
    bool read_record(const MessageHeader& header, ReaderSession& session, std::uint16_t id, const ReadTemplate& tmpl,
                     ByteReader& bytes, const UptimeClock* clock = nullptr);

    struct SetOutcome {
        std::uint32_t records = 0;
        bool all_counted = true;  // nothing was skipped
    };
    SetOutcome read_data_set(const MessageHeader& header, ReaderSession& session, std::uint16_t id,
                             std::span<const std::uint8_t> set, const UptimeClock* clock = nullptr);

    // A template of any version; false when there is no room, or a field without a length.
    bool learn(const MessageHeader& header, ReaderSession& session, std::uint16_t id,
               std::span<const ReadElement> elements, bool options);

    // Sequence number of a message against the one expected: how many are missing.
    std::uint32_t missing_before(ReaderSession& session, std::uint32_t sequence);

    void malformed(std::string_view what, std::string_view source);

private:
    void learn_elements(ReaderSession& session, const ReadTemplate& tmpl);
    void make_again(const ReaderSession& session, ReadTemplate& tmpl) const;

    std::string line_;
    std::vector<std::span<const std::uint8_t>> values_;
};

}  // namespace nfstreamd::exporters::ipfix
